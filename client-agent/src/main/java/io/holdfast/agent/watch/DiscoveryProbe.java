package io.holdfast.agent.watch;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.PduDecoder;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.net.NetworkFailure;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Logs in for discovery and hangs up. A server that answers serves; one that merely accepts a connection may be dying, or
 * be stopped with its port still open.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty reports what fails on a channel by closing it.
final class DiscoveryProbe extends ChannelInboundHandlerAdapter implements PduDecoder.Receiver {
    private static final long PROBE_ISID = 0x80_0000_0000_01L;
    private static final int MAX_ANSWER_BYTES = 64 * 1024;

    private final PduDecoder decoder = new PduDecoder(MAX_ANSWER_BYTES);
    private final ProbeLogin login;
    private final Runnable accepted;
    private final Consumer<Outcome> answer;
    private @Nullable Channel channel;
    private boolean over;

    /**
     * What came of it.
     *
     * @param trouble why the server does not serve, empty if it does
     * @param silence true if nothing came within the limit; false if somebody is there, but refused or hung up
     * @param closed true if nobody listens there
     */
    record Outcome(String trouble, boolean silence, boolean closed) {
        boolean serves() {
            return trouble.isEmpty();
        }
    }

    private DiscoveryProbe(ProbeIdentity identity, Runnable accepted, Consumer<Outcome> answer) {
        login = new ProbeLogin(identity, "", PROBE_ISID);
        this.accepted = accepted;
        this.answer = answer;
    }

    /**
     * @param limitMs for all of it
     * @param answer called on the loop, once
     */
    static void ask(
            EventLoop loop, InetSocketAddress portal, ProbeIdentity identity, int limitMs, Consumer<Outcome> answer) {
        ask(loop, portal, identity, limitMs, () -> {}, answer);
    }

    /**
     * The same.
     *
     * @param accepted called on the loop when somebody accepts the connection, after the login was sent
     */
    static void ask(
            EventLoop loop,
            InetSocketAddress portal,
            ProbeIdentity identity,
            int limitMs,
            Runnable accepted,
            Consumer<Outcome> answer) {
        DiscoveryProbe probe = new DiscoveryProbe(identity, accepted, answer);
        Channel channel = new Bootstrap()
                .group(loop)
                .channel(EpollSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, limitMs)
                .handler(probe)
                .connect(portal)
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        Throwable cause = done.cause();
                        boolean silence =
                                cause instanceof ConnectTimeoutException || NetworkFailure.isUnreachable(cause);
                        boolean closed = !silence && NetworkFailure.isRefusal(cause);
                        probe.over(new Outcome(NetworkFailure.inWords(cause), silence, closed));
                    }
                })
                .channel();
        loop.schedule(
                () -> {
                    probe.over(new Outcome("no answer to a discovery login within " + limitMs + " ms", true, false));
                    channel.close();
                },
                limitMs,
                TimeUnit.MILLISECONDS);
    }

    private void over(String why) {
        over(new Outcome(why, false, false));
    }

    private void over(Outcome outcome) {
        if (!over) {
            over = true;
            answer.accept(outcome);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        send(login.first());
        accepted.run();
    }

    private void send(ProbeLogin.Request request) {
        Channel to = channel;
        if (to != null) {
            byte[] text = request.keys().encode();
            ByteBuf out = to.alloc().buffer();
            new PduEncoder().writePdu(request.header(), text, text.length, out);
            to.writeAndFlush(out);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            decoder.decode(in, this);
        } catch (WireException e) {
            over("it does not speak iSCSI: " + e.getMessage());
        } finally {
            in.release();
        }
        if (over) {
            ctx.close();
        }
    }

    @Override
    public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
        return Unpooled.buffer(lengthBytes);
    }

    @Override
    public void pduReceived(BasicHeader header, ByteBuf data) {
        byte[] text = new byte[data.readableBytes()];
        data.getBytes(data.readerIndex(), text);
        login.answered(header, text).ifPresent(this::send);
        if (login.done() || !login.refusal().isEmpty()) {
            over(login.refusal());
        }
    }

    @Override
    public void dataDigestFailed(BasicHeader header, ByteBuf data) {
        pduReceived(header, data);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        over("it hung up before it answered a discovery login");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        over(NetworkFailure.inWords(cause));
        ctx.close();
    }
}
