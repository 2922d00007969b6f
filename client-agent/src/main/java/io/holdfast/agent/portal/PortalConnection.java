package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduDecoder;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.net.Addresses;
import io.holdfast.net.NetworkFailure;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection to the portal. Owned by the portal's loop.
 *
 * <pre>
 *   NEW ──login──► ASKING ──server answers──► LED_AWAY (redirect sent)  or  RELAYED ──server lost──► STANDING_IN
 *                    │ it does not
 *                    ├──────────────────────► LOGGING_IN ──► STANDING_IN ──let go──► OVER
 *                    └──────────────────────► HELD ──server serves──► ASKING
 * </pre>
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty reports what fails on a channel by closing it.
final class PortalConnection extends ChannelInboundHandlerAdapter implements PduDecoder.Receiver {
    private enum Stage {
        NEW,
        ASKING,
        HELD,
        LED_AWAY,
        RELAYED,
        LOGGING_IN,
        STANDING_IN,
        OVER
    }

    private static final int MAX_LOGIN_TEXT_BYTES = 64 * 1024;

    private final Portal portal;
    private final PduDecoder decoder;
    private final LoginAnswers loginAnswers;
    private final ByteArrayOutputStream loginText = new ByteArrayOutputStream();

    private Stage stage = Stage.NEW;
    private @Nullable Channel channel;
    private @Nullable Future<?> timer;
    private @Nullable LoginPdu login;
    private @Nullable StandIn standIn;
    private @Nullable Relay relay;
    private ByteBuf segment = Unpooled.EMPTY_BUFFER;
    private ByteBuf out = Unpooled.EMPTY_BUFFER;
    private String why = "the initiator hung up";

    PortalConnection(Portal portal) {
        this.portal = portal;
        decoder = new PduDecoder(portal.limits().dataSegmentBytes());
        loginAnswers = new LoginAnswers(portal.limits().dataSegmentBytes());
    }

    // ------------------------------------------------------------------ the portal asks

    @Nullable
    LoginPdu login() {
        return login;
    }

    boolean held() {
        return stage == Stage.HELD;
    }

    boolean standingIn() {
        return stage == Stage.STANDING_IN;
    }

    /** A held login goes on its way. */
    void serverServes() {
        LoginPdu waiting = login;
        if (stage == Stage.HELD && waiting != null) {
            ask(waiting);
        }
    }

    void serverAway() {
        Relay relaying = relay;
        if (stage == Stage.RELAYED && relaying != null) {
            relaying.serverAway();
        }
    }

    /** @return true if it was a stand-in's session and is closed now */
    boolean letGo() {
        if (stage == Stage.LOGGING_IN) {
            end("the server serves");
            return true;
        }
        StandIn session = standIn;
        Channel to = channel;
        LoginPdu first = login;
        if (stage != Stage.STANDING_IN || session == null || to == null || first == null || first.discovery()) {
            return false;
        }
        ByteBuf goodbye = to.alloc().buffer();
        session.mayComeBackAtOnce(goodbye);
        enter(Stage.OVER, "sent back to the server");
        to.writeAndFlush(goodbye).addListener(ChannelFutureListener.CLOSE);
        return true;
    }

    void end(String reason) {
        why = reason;
        enter(Stage.OVER, reason);
        Channel open = channel;
        if (open != null) {
            open.close();
        }
    }

    // ------------------------------------------------------------------ bytes come

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        if (!portal.admit(this)) {
            end("too many connections");
            return;
        }
        limit(portal.limits().loginMs(), "no login within " + portal.limits().loginMs() + " ms");
    }

    private void limit(int limitMs, String reason) {
        cancelTimer();
        Channel open = channel;
        if (open != null) {
            timer = open.eventLoop().schedule(() -> end(reason), limitMs, TimeUnit.MILLISECONDS);
        }
    }

    private void cancelTimer() {
        Future<?> running = timer;
        if (running != null) {
            running.cancel(false);
            timer = null;
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        Relay relaying = relay;
        if (stage == Stage.RELAYED && relaying != null) {
            relaying.fromInitiator(in);
            return;
        }
        try {
            if (relaying != null && stage == Stage.STANDING_IN) {
                relaying.finishCutPdu(in);
            }
            if (stage != Stage.OVER && stage != Stage.LED_AWAY) {
                decoder.decode(in, this);
            }
        } catch (WireException e) {
            object(e);
        } finally {
            in.release();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        Relay relaying = relay;
        if (stage == Stage.RELAYED && relaying != null) {
            relaying.flush();
        }
        flushAnswers();
    }

    /** One flush for everything that came together. */
    private void flushAnswers() {
        Channel to = channel;
        if (to != null && out.isReadable()) {
            to.writeAndFlush(out);
            out = Unpooled.EMPTY_BUFFER;
        }
    }

    private ByteBuf answers() {
        Channel to = channel;
        if (out.maxCapacity() == 0 && to != null) {
            out = to.alloc().buffer();
        }
        return out;
    }

    /** At most one segment is kept, and no longer than until the next: data meant for the server is thrown away. */
    @Override
    public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
        Channel from = channel;
        if (segment.maxCapacity() == 0 && from != null) {
            segment = from.alloc().heapBuffer(lengthBytes, portal.limits().dataSegmentBytes());
        }
        return segment.clear();
    }

    @Override
    public void dataDigestFailed(BasicHeader header, ByteBuf data) throws WireException {
        // What came is thrown away in any case.
        pduReceived(header, data);
    }

    @Override
    public void pduReceived(BasicHeader header, ByteBuf data) throws WireException {
        switch (stage) {
            case NEW -> firstPdu(header, data);
            case LOGGING_IN -> loginPdu(header, data);
            case STANDING_IN -> request(header, data);
            case ASKING, HELD ->
                throw new WireException(Opcode.name(header.opcode()) + " before the login was answered");
            case LED_AWAY, RELAYED, OVER -> {
                // It is on its way out.
            }
        }
    }

    // ------------------------------------------------------------------ the login

    private void firstPdu(BasicHeader header, ByteBuf data) throws WireException {
        if (header.opcode() != Opcode.LOGIN_REQUEST) {
            throw new WireException("the first PDU is a " + Opcode.name(header.opcode()) + ", not a Login Request");
        }
        byte[] text = bytes(data);
        LoginPdu first = LoginPdu.of(header, text, TextKeys.parse(text, text.length));
        if (first.initiator().isEmpty()) {
            throw new WireException("a login without InitiatorName");
        }
        if (!first.discovery() && first.target().isEmpty()) {
            throw new WireException("a login of " + TextKeys.printable(first.initiator()) + " without TargetName");
        }
        login = first;
        cancelTimer();
        ask(first);
    }

    private void ask(LoginPdu first) {
        if (portal.server(first) == null) {
            serverIsAway(first);
            return;
        }
        enter(Stage.ASKING, "asks whether the server serves");
        portal.prove(first, serves -> {
            InetSocketAddress server = portal.server(first);
            if (stage != Stage.ASKING) {
                return;
            }
            if (serves && server != null) {
                toServer(first, server);
            } else {
                serverIsAway(first);
            }
            flushAnswers();
        });
    }

    private void toServer(LoginPdu first, InetSocketAddress server) {
        Channel from = channel;
        if (from == null) {
            return;
        }
        if (first.discovery()) {
            beginStandIn(first);
        } else if (portal.relays()) {
            enter(Stage.RELAYED, "relayed to " + Addresses.print(server));
            Relay made = new Relay(this, portal, from, first, server);
            relay = made;
            portal.ledToServer(first);
            made.start();
        } else {
            enter(Stage.LED_AWAY, "redirected to " + Addresses.print(server));
            portal.ledToServer(first);
            ByteBuf redirect = from.alloc().buffer();
            first.writeRedirect(Addresses.printHere(server), redirect);
            from.writeAndFlush(redirect);
            limit(portal.limits().lingerMs(), "did not hang up after the redirect");
        }
    }

    private void serverIsAway(LoginPdu first) {
        if (portal.standsInFor(first)) {
            beginStandIn(first);
        } else if (portal.mayHold()) {
            enter(Stage.HELD, "held until the server serves");
            portal.holds(first);
        } else {
            end("too many logins wait for the server");
        }
    }

    private void beginStandIn(LoginPdu first) {
        enter(Stage.LOGGING_IN, "answered here");
        limit(
                portal.limits().loginMs(),
                "its login did not end within " + portal.limits().loginMs() + " ms");
        try {
            loginStep(first.header(), first.text());
        } catch (WireException e) {
            object(e);
        }
        flushAnswers();
    }

    private void object(WireException e) {
        String objection = "" + e.getMessage();
        portal.objects(this, objection);
        end(objection);
    }

    private void loginPdu(BasicHeader header, ByteBuf data) throws WireException {
        if (header.opcode() != Opcode.LOGIN_REQUEST) {
            throw new WireException(Opcode.name(header.opcode()) + " during login");
        }
        loginStep(header, bytes(data));
    }

    private void loginStep(BasicHeader header, byte[] text) throws WireException {
        loginText.writeBytes(text);
        if (loginText.size() > MAX_LOGIN_TEXT_BYTES) {
            throw new WireException("more than " + MAX_LOGIN_TEXT_BYTES + " bytes of login text");
        }
        byte[] whole = header.flag(BasicHeader.CONTINUE) ? new byte[0] : loginText.toByteArray();
        if (!header.flag(BasicHeader.CONTINUE)) {
            loginText.reset();
        }
        LoginPdu first = login;
        int group = first == null ? 1 : portal.group(first);
        boolean complete = loginAnswers.answer(header, TextKeys.parse(whole, whole.length), group, answers());
        if (complete) {
            StandIn session = new StandIn(loginAnswers.nextStatSn(), header.cmdSn());
            session.digests(loginAnswers.headerDigest(), loginAnswers.dataDigest());
            session.connectionId(header.connectionId());
            decoder.digests(loginAnswers.headerDigest(), loginAnswers.dataDigest());
            if (first != null && !first.discovery()) {
                session.mayComeBackAtOnce(answers());
            }
            becomeStandIn(session, "logged in here");
        }
    }

    /** Also called when a relay has lost its server. */
    void becomeStandIn(StandIn session, String reason) {
        standIn = session;
        enter(Stage.STANDING_IN, reason);
        LoginPdu first = login;
        if (first != null && first.discovery()) {
            limit(
                    portal.limits().loginMs(),
                    "its discovery did not end within " + portal.limits().loginMs() + " ms");
        } else {
            cancelTimer();
        }
    }

    PduDecoder decoder() {
        return decoder;
    }

    // ------------------------------------------------------------------ full feature phase

    private void request(BasicHeader header, ByteBuf data) throws WireException {
        StandIn session = standIn;
        LoginPdu first = login;
        if (session == null || first == null) {
            return;
        }
        if (first.discovery() && header.opcode() == Opcode.TEXT_REQUEST) {
            session.text(header.initiatorTaskTag(), discoveryText(bytes(data)), answers());
            return;
        }
        switch (session.answer(header, data, answers())) {
            case GIVEN -> {
                // Nothing follows from it.
            }
            case FAILED_COMMAND -> portal.commandFailed();
            case LAST -> {
                Channel to = channel;
                if (to != null) {
                    enter(Stage.OVER, "logged out");
                    to.writeAndFlush(out).addListener(ChannelFutureListener.CLOSE);
                    out = Unpooled.EMPTY_BUFFER;
                }
            }
        }
        if (out.readableBytes() > portal.limits().unsentBytes()) {
            flushAnswers();
        }
    }

    /** The targets of the server, at the address of this portal: whoever finds them here logs in here. */
    private byte[] discoveryText(byte[] request) throws WireException {
        TextKeys keys = TextKeys.parse(request, request.length);
        String wanted = keys.pairs().getOrDefault("SendTargets", "");
        Channel from = channel;
        StringBuilder text = new StringBuilder();
        if (from != null && !keys.pairs().isEmpty()) {
            String address = Addresses.print(from.localAddress());
            portal.targets().forEach((name, group) -> {
                if (wanted.equals("All") || wanted.equals(name)) {
                    text.append("TargetName=").append(name).append('\0');
                    text.append("TargetAddress=").append(address).append(',');
                    text.append(group).append('\0');
                }
            });
        }
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    // ------------------------------------------------------------------ the end

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        Relay relaying = relay;
        if (stage == Stage.RELAYED && relaying != null) {
            relaying.initiatorWritable(ctx.channel().isWritable());
        } else if (!ctx.channel().isWritable()) {
            end("the initiator does not read its answers");
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        end(NetworkFailure.inWords(cause));
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        cancelTimer();
        enter(Stage.OVER, why);
        Relay relaying = relay;
        if (relaying != null) {
            relaying.initiatorGone();
        }
        segment.release();
        segment = Unpooled.EMPTY_BUFFER;
        out.release();
        out = Unpooled.EMPTY_BUFFER;
        portal.gone(this, why);
    }

    /** The only line that changes the stage. */
    private void enter(Stage next, String reason) {
        portal.note(this, stage + " -> " + next + ": " + reason);
        stage = next;
    }

    private static byte[] bytes(ByteBuf data) {
        byte[] bytes = new byte[data.readableBytes()];
        data.getBytes(data.readerIndex(), bytes);
        return bytes;
    }

    @Override
    public String toString() {
        LoginPdu first = login;
        return first == null ? "a peer that has not logged in" : first.toString();
    }
}
