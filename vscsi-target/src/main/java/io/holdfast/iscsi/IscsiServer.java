package io.holdfast.iscsi;

import io.holdfast.net.Addresses;
import io.holdfast.net.NetworkFailure;
import io.holdfast.scsi.TaskManagementFunction;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/** Listens on portals and makes an {@link IscsiConnection} of every connection. Thread-safe. */
public final class IscsiServer {
    /** What the target does of task management, for the logical units to report. */
    public static final Set<TaskManagementFunction> TASK_MANAGEMENT = TaskManagement.FUNCTIONS;

    /**
     * The most connections of sessions that may be allowed at a time, over all portals. Those that log in or discover are
     * counted apart.
     */
    public static final int MAX_CONNECTIONS = 2048;

    /** How long a port that somebody holds is asked for again. */
    private static final int DYING_HOLDER_LIMIT_MS = 500;

    /** How long the other side's kernel may take to acknowledge what was sent to it, or to say that it is there. */
    static final int PEER_SILENCE_SECONDS = 60;

    private static final int BIND_RETRY_MS = 5;
    private static final int BACKLOG = 256;
    /** Answers that an initiator has not read: above HIGH it is not read either, until they are below LOW. */
    private static final int UNREAD_LOW_BYTES = 8 << 20;

    static final int UNREAD_HIGH_BYTES = 16 << 20;
    private static final int RECEIVE_MIN_BYTES = 4 << 10;
    private static final int RECEIVE_INITIAL_BYTES = 64 << 10;
    private static final int RECEIVE_MAX_BYTES = 512 << 10;

    private final EventLoops loops;
    private final IscsiConnection.Shared shared;
    private final List<Channel> listeners = new ArrayList<>();
    private final Set<IscsiConnection> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean stopping;

    /**
     * Where initiators come to.
     *
     * @param directory what they find there: the targets, with the tag of the portal's group
     * @param passed descriptor of a socket that listens there already; empty for one to be made
     */
    public record Portal(InetSocketAddress address, TargetDirectory directory, OptionalInt passed) {
        public Portal(InetSocketAddress address, TargetDirectory directory) {
            this(address, directory, OptionalInt.empty());
        }
    }

    private IscsiServer(EventLoops loops, TargetDirectory directory, SessionEvents events, IscsiSettings settings) {
        this.loops = loops;
        this.shared = new IscsiConnection.Shared(
                directory,
                new Discovery.Portals(),
                new WriteAdmission(),
                events,
                new Sessions(),
                settings,
                new MemoryBudget(settings.memoryBytes()),
                new ConnectionLimits(settings.maxConnections(), settings.maxConnectionsOfInitiator()),
                new Repetitions(),
                connections);
    }

    /**
     * Listens on every portal; when this returns, logins are answered.
     *
     * @throws IOException naming the portal that cannot be bound; none is bound then
     */
    public static IscsiServer start(
            List<InetSocketAddress> portals,
            EventLoops loops,
            TargetDirectory directory,
            SessionEvents events,
            IscsiSettings settings)
            throws IOException {
        return start(
                portals.stream().map(address -> new Portal(address, directory)).toList(), loops, events, settings);
    }

    /** The same for portals of several groups, at least one. */
    public static IscsiServer start(
            List<Portal> portals, EventLoops loops, SessionEvents events, IscsiSettings settings) throws IOException {
        IscsiServer server = new IscsiServer(loops, portals.get(0).directory(), events, settings);
        for (Portal portal : portals) {
            ChannelFuture bound = server.listen(portal);
            if (!bound.isSuccess()) {
                server.stopListening();
                Throwable cause = bound.cause();
                throw new IOException(NetworkFailure.ofListening(portal.address(), cause), cause);
            }
            server.listeners.add(bound.channel());
            server.shared.portals().opened((InetSocketAddress) bound.channel().localAddress(), portal.directory());
        }
        return server;
    }

    private ChannelFuture listen(Portal portal) {
        ServerBootstrap bootstrap = bootstrap(portal.directory());
        if (portal.passed().isEmpty()) {
            return bind(bootstrap.channel(loops.serverChannel()), portal.address());
        }
        int descriptor = portal.passed().getAsInt();
        return bootstrap
                .channelFactory(() -> loops.adopt(descriptor))
                .register()
                .awaitUninterruptibly();
    }

    /** A server that was just killed holds its ports until the kernel has cleared it away: asked again for a moment. */
    private ChannelFuture bind(ServerBootstrap bootstrap, InetSocketAddress portal) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DYING_HOLDER_LIMIT_MS);
        ChannelFuture bound = bootstrap.bind(portal).awaitUninterruptibly();
        while (!bound.isSuccess() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(BIND_RETRY_MS));
            bound = bootstrap.bind(portal).awaitUninterruptibly();
        }
        return bound;
    }

    private ServerBootstrap bootstrap(TargetDirectory directory) {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loops.group())
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                // The adaptive allocator does not pool buffers above 1 MiB: measured, half the bandwidth.
                .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .childOption(
                        ChannelOption.RECVBUF_ALLOCATOR,
                        new AdaptiveRecvByteBufAllocator(RECEIVE_MIN_BYTES, RECEIVE_INITIAL_BYTES, RECEIVE_MAX_BYTES))
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(UNREAD_LOW_BYTES, UNREAD_HIGH_BYTES))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accepted(channel, directory);
                    }
                });
        loops.detectDeadPeers(bootstrap, PEER_SILENCE_SECONDS);
        return bootstrap;
    }

    private void accepted(Channel channel, TargetDirectory directory) {
        if (stopping) {
            channel.close();
            return;
        }
        IscsiConnection connection =
                new IscsiConnection(shared.at(seen(directory, channel)), loops.laneOf(channel.eventLoop()));
        // First the context, which whoever finds it among the connections uses.
        channel.pipeline().addLast(connection);
        connections.add(connection);
        IscsiConnection goes = shared.limits().visits(connection);
        if (goes != null) {
            goes.evict();
        }
        channel.closeFuture().addListener(closed -> connections.remove(connection));
        if (stopping) {
            connection.shutdown();
        }
    }

    private static TargetDirectory seen(TargetDirectory directory, Channel channel) {
        return channel.remoteAddress() instanceof InetSocketAddress from
                        && channel.localAddress() instanceof InetSocketAddress at
                ? directory.seenFrom(Addresses.printHost(from.getAddress()), at)
                : directory; // gone again
    }

    /** The addresses that are listened on, with the ports that were taken for port 0. */
    public List<InetSocketAddress> portals() {
        return listeners.stream()
                .map(listener -> (InetSocketAddress) listener.localAddress())
                .toList();
    }

    /**
     * Ends sessions: their initiators are told, what is executing is answered, what is not never will be, and then the
     * connections are closed. {@link SessionEvents#closed} tells of each when its last write has ended.
     *
     * @param why for the log
     */
    public void endSessions(Predicate<SessionEvents.Session> which, String why) {
        connections.forEach(connection -> connection.end(which, why));
    }

    private void stopListening() {
        listeners.forEach(listener -> listener.close().awaitUninterruptibly());
    }

    /**
     * Stops listening, answers every running command when it ends, and closes the connections.
     *
     * @return false if some had not ended when the limit had passed
     */
    public boolean stop(Duration limit) {
        stopping = true;
        stopListening();
        connections.forEach(IscsiConnection::shutdown);
        long deadline = System.nanoTime() + limit.toNanos();
        while (!connections.isEmpty() || !shared.admission().isEmpty()) {
            if (System.nanoTime() - deadline > 0) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        return true;
    }
}
