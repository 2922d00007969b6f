package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A session whose data passes through the portal, for initiators that must not be redirected. Bytes are passed on as they
 * come; what goes by is watched, so that every request in flight can be answered when the server is lost.
 *
 * <p>Owned by the portal's loop, which both of its connections belong to.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty reports what fails on a channel by closing it.
final class Relay {
    private static final int CONNECT_LIMIT_MS = 1_000;
    /** More than any target's command window. */
    private static final int MAX_IN_FLIGHT = 4096;

    private final PortalConnection connection;
    private final Portal portal;
    private final Channel initiator;
    private final LoginPdu login;
    private final InetSocketAddress address;
    private final PduTap requests = new PduTap(new Requests());
    private final PduTap responses = new PduTap(new Responses());
    /** Opcode of each request that has not been answered, by its task tag. */
    private final Map<Integer, Integer> inFlight = new LinkedHashMap<>();

    private @Nullable Channel server;
    private boolean loggedIn;
    private boolean lost;
    private int expCmdSn;
    private int lastStatSn;
    private Digest headerDigest = Digest.NONE;
    private Digest dataDigest = Digest.NONE;
    private @Nullable StandIn standIn;

    Relay(PortalConnection connection, Portal portal, Channel initiator, LoginPdu login, InetSocketAddress address) {
        this.connection = connection;
        this.portal = portal;
        this.initiator = initiator;
        this.login = login;
        this.address = address;
    }

    void start() {
        expCmdSn = login.header().cmdSn();
        new Bootstrap()
                .group(initiator.eventLoop())
                .channel(EpollSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_LIMIT_MS)
                .handler(new ServerSide())
                .connect(address)
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        serverLost();
                    }
                });
    }

    // ------------------------------------------------------------------ from the initiator

    /** Takes the buffer. */
    void fromInitiator(ByteBuf in) {
        Channel to = server;
        try {
            // Also what comes when the server is lost already, and it is not decided yet what becomes of the session:
            // these requests are in flight like those that left, and get the same answer.
            requests.watch(in);
        } catch (WireException e) {
            in.release();
            portal.objects(connection, "" + e.getMessage());
            connection.end("" + e.getMessage());
            return;
        }
        if (to == null || lost) {
            in.release();
            return;
        }
        to.write(in);
        if (!to.isWritable()) {
            initiator.config().setAutoRead(false);
        }
    }

    void flush() {
        Channel to = server;
        if (to != null) {
            to.flush();
        }
    }

    void initiatorWritable(boolean writable) {
        Channel from = server;
        if (from != null) {
            from.config().setAutoRead(writable);
        }
    }

    void initiatorGone() {
        lost = true;
        Channel to = server;
        if (to != null) {
            to.close();
        }
    }

    /** The server is lost by other evidence than this connection, which may be half-open. */
    void serverAway() {
        Channel to = server;
        if (!lost) {
            lost = true;
            if (to != null) {
                to.close();
            }
            standIn();
        }
    }

    /** After the server was lost: passes over the rest of a PDU of which the server got the beginning. */
    void finishCutPdu(ByteBuf in) throws WireException {
        if (!requests.atBoundary()) {
            in.readerIndex(requests.watchCurrent(in));
            if (requests.atBoundary()) {
                answerInFlight();
            }
        }
    }

    // ------------------------------------------------------------------ the server is lost

    private void serverLost() {
        if (lost) {
            return;
        }
        lost = true;
        initiator.config().setAutoRead(false);
        if (portal.server(login) == null) {
            standIn();
        } else {
            portal.prove(login, serves -> {
                if (serves) {
                    // It only dropped this session: a new login sorts that out.
                    connection.end("the server closed the session");
                } else {
                    standIn();
                }
            });
        }
    }

    private void standIn() {
        if (!initiator.isActive()) {
            return;
        }
        if (!portal.mayFail(login)) {
            connection.end("the server was lost, and the guest would see the stand-in's errors");
            return;
        }
        if (!loggedIn || !responses.atBoundary()) {
            // Half an answer cannot be completed; the initiator will log in again, here.
            connection.end("the server was lost in the middle of " + (loggedIn ? "an answer" : "the login"));
            return;
        }
        StandIn session = new StandIn(lastStatSn + 1, expCmdSn);
        session.digests(headerDigest, dataDigest);
        session.connectionId(login.header().connectionId());
        standIn = session;
        connection.decoder().digests(headerDigest, dataDigest);
        connection.becomeStandIn(session, "the server was lost with " + inFlight.size() + " requests in flight");
        if (requests.atBoundary()) {
            answerInFlight();
        }
        initiator.config().setAutoRead(true);
    }

    private void answerInFlight() {
        StandIn session = standIn;
        if (session == null) {
            return;
        }
        ByteBuf out = initiator.alloc().buffer();
        inFlight.forEach((tag, opcode) -> {
            switch (opcode) {
                case Opcode.SCSI_COMMAND -> {
                    portal.commandFailed();
                    session.fail(tag, out);
                }
                case Opcode.TASK_MANAGEMENT_REQUEST -> session.taskManagementDone(tag, out);
                case Opcode.NOP_OUT -> session.pong(tag, Unpooled.EMPTY_BUFFER, out);
                default -> connection.end("the server was lost before it answered a " + Opcode.name(opcode));
            }
        });
        inFlight.clear();
        initiator.writeAndFlush(out);
    }

    // ------------------------------------------------------------------ what goes by

    /** Watches what the initiator sends. */
    private final class Requests implements PduTap.Observer {
        @Override
        public void header(BasicHeader header) {
            int opcode = header.opcode();
            if (opcode == Opcode.DATA_OUT || opcode == Opcode.SNACK_REQUEST) {
                return;
            }
            if (!header.immediate()) {
                expCmdSn = header.cmdSn() + 1;
            }
            if (opcode == Opcode.LOGIN_REQUEST || header.initiatorTaskTag() == BasicHeader.NO_TAG) {
                return;
            }
            inFlight.put(header.initiatorTaskTag(), opcode);
            if (inFlight.size() > MAX_IN_FLIGHT) {
                connection.end("more than " + MAX_IN_FLIGHT + " requests in flight");
            }
        }

        @Override
        public void login(BasicHeader header, byte[] text) {
            // The server judges it.
        }
    }

    /** Watches what the server answers. */
    private final class Responses implements PduTap.Observer {
        @Override
        public void header(BasicHeader header) {
            int opcode = header.opcode();
            boolean carriesStatus = switch (opcode) {
                case Opcode.DATA_IN -> header.flag(BasicHeader.STATUS);
                case Opcode.R2T -> false;
                case Opcode.NOP_IN -> header.initiatorTaskTag() != BasicHeader.NO_TAG;
                default -> true;
            };
            if (carriesStatus) {
                lastStatSn = header.statSn();
                inFlight.remove(header.initiatorTaskTag());
            }
        }

        @Override
        public void login(BasicHeader header, byte[] text) throws WireException {
            TextKeys keys = TextKeys.parse(text, text.length);
            headerDigest = agreed(keys, "HeaderDigest", headerDigest);
            dataDigest = agreed(keys, "DataDigest", dataDigest);
            if (header.loginStatusClass() == 0 && header.flag(BasicHeader.FINAL) && header.nextStage() == 3) {
                loggedIn = true;
                requests.digests(headerDigest, dataDigest);
                responses.digests(headerDigest, dataDigest);
            }
        }

        private Digest agreed(TextKeys keys, String key, Digest before) {
            String value = keys.pairs().get(key);
            return value == null ? before : value.equals(Digest.CRC32C.keyValue()) ? Digest.CRC32C : Digest.NONE;
        }
    }

    /** The connection to the server. */
    private final class ServerSide extends ChannelInboundHandlerAdapter {
        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            server = ctx.channel();
            if (lost) {
                ctx.close();
                return;
            }
            ByteBuf first = ctx.alloc().buffer();
            login.writeTo(first);
            ctx.writeAndFlush(first);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf in = (ByteBuf) message;
            if (lost) {
                in.release();
                return;
            }
            try {
                responses.watch(in);
            } catch (WireException e) {
                in.release();
                portal.objects(connection, "the server: " + e.getMessage());
                connection.end("" + e.getMessage());
                return;
            }
            initiator.write(in);
            if (!initiator.isWritable()) {
                ctx.channel().config().setAutoRead(false);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            initiator.flush();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            if (!lost) {
                initiator.config().setAutoRead(ctx.channel().isWritable());
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            serverLost();
        }
    }
}
