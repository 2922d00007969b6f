package io.holdfast.control;

import io.holdfast.net.Addresses;
import io.holdfast.net.NetworkFailure;
import io.holdfast.net.Spans;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One agent as the server sees it. State is owned by the channel's event loop; {@link #send} is thread-safe. */
@SuppressWarnings("FutureReturnValueIgnored") // Netty reports what fails on a channel by closing it.
final class AgentConnection extends SimpleChannelInboundHandler<ByteBuf> {
    private static final Logger LOG = LoggerFactory.getLogger(AgentConnection.class);

    private final ControlServer server;
    private final ControlSettings settings;
    private final Instant since = Instant.now();

    private volatile @Nullable Channel channel;
    private volatile AgentMessage.@Nullable Hello hello;
    private @Nullable Future<?> beat;
    private @Nullable AskedProofs proofs;
    private long lastHeardNanos;
    private long seq;
    private boolean unknownTypeLogged;
    /** What came with the line that was refused, or behind it, is read by nobody: one line of the log for one stranger. */
    private boolean refused;

    private String why = "connection closed";

    AgentConnection(ControlServer server, ControlSettings settings) {
        this.server = server;
        this.settings = settings;
    }

    String name() {
        AgentMessage.Hello said = hello;
        return said == null ? "?" : said.agentName();
    }

    Instant since() {
        return since;
    }

    String peer() {
        Channel to = channel;
        return to == null ? "" : Addresses.print(to.remoteAddress());
    }

    List<String> vms() {
        AgentMessage.Hello said = hello;
        return said == null ? List.of() : said.vms();
    }

    /** Queues a line; takes the buffer. */
    void send(ByteBuf line) {
        Channel to = channel;
        if (to == null) {
            line.release();
        } else {
            to.writeAndFlush(line);
        }
    }

    /** @return when the line is on its way; empty if there is no connection */
    Optional<ChannelFuture> sendAndClose(ServerMessage message) {
        Channel to = channel;
        return Optional.ofNullable(to)
                .map(open -> open.writeAndFlush(MessageCodec.line(message)).addListener(ChannelFutureListener.CLOSE));
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        lastHeardNanos = System.nanoTime();
        beat = ctx.executor()
                .scheduleAtFixedRate(
                        () -> beat(ctx), settings.heartbeatMs(), settings.heartbeatMs(), TimeUnit.MILLISECONDS);
    }

    private void beat(ChannelHandlerContext ctx) {
        long silentMs = (System.nanoTime() - lastHeardNanos) / 1_000_000;
        if (hello == null) {
            if (silentMs > settings.helloLimitMs()) {
                refuse("no hello within " + settings.helloLimitMs() + " ms");
            }
        } else if (silentMs > settings.agentSilenceMs()) {
            why = "silent for " + Spans.print(silentMs);
            ctx.close();
        } else {
            send(MessageCodec.line(new ServerMessage.Heartbeat(++seq)));
        }
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf line) {
        if (refused) {
            return;
        }
        Optional<AgentMessage> message;
        try {
            message = MessageCodec.agentMessage(line);
        } catch (IOException e) {
            refuse(e.getMessage());
            return;
        }
        if (hello != null) {
            lastHeardNanos = System.nanoTime();
        }
        if (message.isEmpty()) {
            if (!unknownTypeLogged) {
                unknownTypeLogged = true;
                LOG.info("agent {} sends messages of a type unknown to this version; they are passed over", name());
            }
            return;
        }
        handle(ctx, message.get());
    }

    private void handle(ChannelHandlerContext ctx, AgentMessage message) {
        if (message instanceof AgentMessage.Hello said) {
            greet(said);
        } else if (hello == null) {
            refuse("the first message must be hello");
        } else if (message instanceof AgentMessage.Frozen frozen) {
            server.frozen(this, frozen);
        } else if (message instanceof AgentMessage.VmStates states) {
            server.vmStates(this, states);
        } else if (message instanceof AgentMessage.ActionsTaken taken) {
            server.actionsTaken(this, taken);
        } else if (message instanceof AgentMessage.ProveUnit question) {
            proofs(ctx).ask(question, server.prover());
        } else if (message instanceof AgentMessage.Bye bye) {
            why = "said bye: " + bye.why();
            ctx.close();
        }
    }

    private AskedProofs proofs(ChannelHandlerContext ctx) {
        AskedProofs asked = proofs;
        if (asked == null) {
            asked = new AskedProofs(ctx.executor(), answer -> send(MessageCodec.line(answer)));
            proofs = asked;
        }
        return asked;
    }

    private void greet(AgentMessage.Hello said) {
        if (hello != null) {
            refuse("hello was said already");
            return;
        }
        if (said.protocol() < 1) {
            refuse("protocol version " + said.protocol() + " is not spoken here, " + ControlProtocol.VERSION + " is");
            return;
        }
        hello = said;
        lastHeardNanos = System.nanoTime();
        admit();
    }

    private void admit() {
        String objection = server.admit(this);
        if (objection != null) {
            refuse(objection);
        }
    }

    /** The server it has greeted has something to tell it by now. Thread-safe. */
    void beAdmitted() {
        Channel to = channel;
        if (to != null) {
            to.eventLoop().execute(() -> {
                // One that has left meanwhile would be counted for ever: its end has been heard already.
                if (to.isActive()) {
                    admit();
                }
            });
        }
    }

    private void refuse(@Nullable String objection) {
        refused = true;
        why = "refused: " + objection;
        Channel to = channel;
        if (to != null) {
            LOG.warn("control connection from {} refused: {}", Addresses.print(to.remoteAddress()), objection);
        }
        sendAndClose(new ServerMessage.Refused("" + objection));
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (!ctx.channel().isWritable()) {
            why = "does not read: more than " + settings.maxUnsentBytes() + " bytes wait for it";
            ctx.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof IOException) {
            why = NetworkFailure.inWords(cause);
            ctx.close();
        } else {
            refuse(cause.getMessage());
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        Future<?> timer = beat;
        if (timer != null) {
            timer.cancel(false);
        }
        AskedProofs asked = proofs;
        if (asked != null) {
            asked.close();
        }
        server.left(this, why);
    }
}
