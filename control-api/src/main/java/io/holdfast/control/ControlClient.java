package io.holdfast.control;

import io.holdfast.net.NetworkFailure;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's end of one connection, from the attempt to connect until it is over. Whoever wants another makes another.
 *
 * <p>Owned by one event loop: the listener is called there, and {@link #lastHeardNanos} read there. {@link #send} and
 * {@link #close} are thread-safe.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty reports what fails on a channel by closing it.
public final class ControlClient implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlClient.class);

    /** Hears what happens on a connection, on its event loop. */
    public interface Listener {
        /** Somebody has accepted the connection, who may be anybody. Called once at most, before {@link #welcome}. */
        default void connected() {}

        /** The server has introduced itself. Called once, before any {@link #received}. */
        void welcome(ServerMessage.Welcome welcome);

        /** Any later message but a heart-beat. */
        void received(ServerMessage message);

        /**
         * The connection is over, or never came to be. Called once, and nothing after it. The death of the server's
         * process is heard here at once, because the kernel closes its sockets.
         */
        void closed(String why);
    }

    private final EventLoop loop;
    private final ControlSettings settings;
    private final AgentMessage.Hello hello;
    private final Listener listener;
    private final Channel channel;

    private @Nullable Future<?> beat;
    private long lastHeardNanos = System.nanoTime();
    private long seq;
    private boolean connected;
    private boolean understood;
    private boolean tookLeave;
    private boolean welcomed;
    private boolean over;
    private boolean unknownTypeLogged;
    private String why = "connection closed";

    private ControlClient(
            EventLoop loop,
            Class<? extends Channel> channelType,
            InetSocketAddress server,
            int connectLimitMs,
            AgentMessage.Hello hello,
            ControlSettings settings,
            Listener listener) {
        this.loop = loop;
        this.hello = hello;
        this.settings = settings;
        this.listener = listener;
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectLimitMs)
                .option(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(settings.maxUnsentBytes() / 2, settings.maxUnsentBytes()))
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel made) {
                        made.pipeline()
                                .addLast(new LineBasedFrameDecoder(ControlProtocol.MAX_LINE_BYTES))
                                .addLast(new Lines());
                    }
                })
                .connect(server);
        channel = connecting.channel();
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                over(NetworkFailure.inWords(done.cause()));
            }
        });
    }

    /**
     * Begins to connect and says hello.
     *
     * @param loop owns the connection and calls the listener
     * @param channelType the kind of socket channel that fits the loop
     * @param connectLimitMs how long TCP may take, 1 or more
     */
    public static ControlClient connect(
            EventLoop loop,
            Class<? extends Channel> channelType,
            InetSocketAddress server,
            int connectLimitMs,
            AgentMessage.Hello hello,
            ControlSettings settings,
            Listener listener) {
        return new ControlClient(loop, channelType, server, connectLimitMs, hello, settings, listener);
    }

    public void send(AgentMessage message) {
        channel.writeAndFlush(MessageCodec.line(message));
    }

    /** {@link System#nanoTime} of the last line from the server, or of the start. */
    public long lastHeardNanos() {
        return lastHeardNanos;
    }

    /** Whether somebody accepted the connection, even if it is over by now. Read on the loop. */
    public boolean connected() {
        return connected;
    }

    /** Whether the other end has ever said something of this protocol. Read on the loop. */
    public boolean understood() {
        return understood;
    }

    /** Whether the server has said bye. Read on the loop. */
    public boolean tookLeave() {
        return tookLeave;
    }

    /** Says why and closes. {@link Listener#closed} follows. */
    public void close(String reason) {
        loop.execute(() -> {
            why = reason;
            if (channel.isActive()) {
                channel.writeAndFlush(MessageCodec.line(new AgentMessage.Bye(reason)))
                        .addListener(ChannelFutureListener.CLOSE);
            } else {
                channel.close();
            }
        });
    }

    /** Closes without a word, as one does with a peer that does not answer. {@link Listener#closed} follows. */
    public void abandon(String reason) {
        loop.execute(() -> {
            why = reason;
            channel.close();
        });
    }

    @Override
    public void close() {
        close("closed by the agent");
    }

    private void over(String reason) {
        if (over) {
            return;
        }
        over = true;
        Future<?> timer = beat;
        if (timer != null) {
            timer.cancel(false);
        }
        listener.closed(reason);
    }

    /** Reads the server's lines. */
    private final class Lines extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            connected = true;
            lastHeardNanos = System.nanoTime();
            ctx.writeAndFlush(MessageCodec.line(hello));
            listener.connected();
            beat = ctx.executor()
                    .scheduleAtFixedRate(
                            () -> ctx.writeAndFlush(MessageCodec.line(new AgentMessage.Heartbeat(++seq))),
                            settings.heartbeatMs(),
                            settings.heartbeatMs(),
                            TimeUnit.MILLISECONDS);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf line) {
            Optional<ServerMessage> message;
            try {
                message = MessageCodec.serverMessage(line);
            } catch (IOException e) {
                why = "" + e.getMessage();
                ctx.close();
                return;
            }
            lastHeardNanos = System.nanoTime();
            understood = true;
            if (message.isEmpty()) {
                if (!unknownTypeLogged) {
                    unknownTypeLogged = true;
                    LOG.info("the server sends messages of a type unknown to this version; they are passed over");
                }
                return;
            }
            handle(ctx, message.get());
        }

        private void handle(ChannelHandlerContext ctx, ServerMessage message) {
            if (message instanceof ServerMessage.Refused refused) {
                why = "refused by the server: " + refused.why();
                ctx.close();
            } else if (message instanceof ServerMessage.Welcome welcome) {
                if (!welcomed) {
                    welcomed = true;
                    listener.welcome(welcome);
                }
            } else {
                if (message instanceof ServerMessage.Bye bye) {
                    tookLeave = true;
                    why = "the server said bye: " + bye.why();
                }
                if (welcomed && !(message instanceof ServerMessage.Heartbeat)) {
                    listener.received(message);
                }
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            // A server that does not read for megabytes of heart-beats is not there any more.
            if (!ctx.channel().isWritable()) {
                why = "the server does not read";
                ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            why = cause instanceof IOException
                    ? NetworkFailure.inWords(cause)
                    : "not a control connection: " + cause.getMessage();
            ctx.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            over(why);
        }
    }
}
