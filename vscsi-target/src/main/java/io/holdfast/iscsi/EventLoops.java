package io.holdfast.iscsi;

import io.holdfast.block.BlockBackend;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoPool;
import io.holdfast.block.PortableLane;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.PassedIoUringServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** The threads of the data path: an event loop each, with the {@link IoLane} that file I/O takes from it. */
public final class EventLoops implements AutoCloseable {
    /** Submission queue entries of a ring: two full command windows of reads before it is handed to the kernel. */
    private static final int RING_ENTRIES = 256;
    /** Completions must not overflow: many connections with full windows share a loop. */
    private static final int COMPLETION_ENTRIES = 8192;

    private static final int STOP_LIMIT_SECONDS = 5;
    /** One logical block of the smallest kind: every backend has as much. */
    private static final int PULSE_BYTES = 512;

    private static final int KEEP_ALIVE_PROBES = 3;

    private final IoWay way;
    private final EventLoopGroup group;
    private final Map<EventLoop, IoLane> lanes = new HashMap<>();

    private EventLoops(IoWay way, EventLoopGroup group) {
        this.way = way;
        this.group = group;
    }

    /**
     * Starts the threads.
     *
     * @param count 1..64
     * @param spinMicros how long a thread that has just been busy looks for more I/O before it sleeps; 0 for not at all
     * @param pool for calls that block
     */
    public static EventLoops start(IoWay way, int count, int spinMicros, IoPool pool) {
        IoHandlerFactory factory = switch (way) {
            case RING ->
                IoUringIoHandler.newFactory(
                        new IoUringIoHandlerConfig().setRingSize(RING_ENTRIES).setCqSize(COMPLETION_ENTRIES));
            case PORTABLE -> EpollIoHandler.newFactory();
        };
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(
                count, new DefaultThreadFactory("holdfast-loop", true), SpinningIoHandler.around(factory, spinMicros));
        EventLoops loops = new EventLoops(way, group);
        for (EventExecutor executor : group) {
            loops.lanes.put((EventLoop) executor, loops.lane((IoEventLoop) executor, pool));
        }
        return loops;
    }

    private IoLane lane(IoEventLoop loop, IoPool pool) {
        return switch (way) {
            case RING -> RingLane.on(loop, pool);
            case PORTABLE -> new PortableLane(loop, pool);
        };
    }

    EventLoopGroup group() {
        return group;
    }

    Class<? extends ServerChannel> serverChannel() {
        return switch (way) {
            case RING -> IoUringServerSocketChannel.class;
            case PORTABLE -> EpollServerSocketChannel.class;
        };
    }

    /** The channel of a socket that listens already. */
    ServerChannel adopt(int descriptor) {
        return switch (way) {
            case RING -> new PassedIoUringServerSocketChannel(descriptor);
            case PORTABLE -> new EpollServerSocketChannel(descriptor);
        };
    }

    /**
     * Reads the first bytes of a backend through every event loop, as a connection there would.
     *
     * @return completes when each has its answer, on the last one's thread. An error is an answer: storage that fails is
     *     told to initiators, and another life of the server could do no more
     */
    public CompletableFuture<Void> readThroughEach(BlockBackend backend) {
        return throughEach((lane, answer) -> {
            ByteBuf bytes = PooledByteBufAllocator.DEFAULT.directBuffer(PULSE_BYTES, PULSE_BYTES);
            backend.read(0, new NettyMemory().of(bytes, 0, PULSE_BYTES), lane, failure -> {
                bytes.release();
                answer.complete(null);
            });
        });
    }

    /** @return completes when every event loop has got round to it */
    public CompletableFuture<Void> passThroughEach() {
        return throughEach((lane, answer) -> answer.complete(null));
    }

    private CompletableFuture<Void> throughEach(BiConsumer<IoLane, CompletableFuture<Void>> task) {
        List<CompletableFuture<Void>> answers = new ArrayList<>();
        lanes.forEach((loop, lane) -> {
            CompletableFuture<Void> answer = new CompletableFuture<>();
            answers.add(answer);
            loop.execute(() -> task.accept(lane, answer));
        });
        return CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new));
    }

    /** Makes the kernel end connections whose other side has been silent for this long, whether there are data or not. */
    void detectDeadPeers(ServerBootstrap bootstrap, int silenceSeconds) {
        int probeSeconds = silenceSeconds / (KEEP_ALIVE_PROBES + 1);
        Map<ChannelOption<Integer>, Integer> options = switch (way) {
            case RING ->
                Map.of(
                        IoUringChannelOption.TCP_USER_TIMEOUT, silenceSeconds * 1000,
                        IoUringChannelOption.TCP_KEEPIDLE, probeSeconds,
                        IoUringChannelOption.TCP_KEEPINTVL, probeSeconds,
                        IoUringChannelOption.TCP_KEEPCNT, KEEP_ALIVE_PROBES);
            case PORTABLE ->
                Map.of(
                        EpollChannelOption.TCP_USER_TIMEOUT, silenceSeconds * 1000,
                        EpollChannelOption.TCP_KEEPIDLE, probeSeconds,
                        EpollChannelOption.TCP_KEEPINTVL, probeSeconds,
                        EpollChannelOption.TCP_KEEPCNT, KEEP_ALIVE_PROBES);
        };
        options.forEach(bootstrap::childOption);
    }

    /** The lane of one of the event loops, for what belongs to no connection. */
    public IoLane anyLane() {
        return lanes.values().iterator().next();
    }

    IoLane laneOf(EventLoop loop) {
        return Objects.requireNonNull(lanes.get(loop), "a channel of another group");
    }

    /** Ends the threads. Channels must be closed before. */
    @Override
    public void close() {
        group.shutdownGracefully(0, STOP_LIMIT_SECONDS, TimeUnit.SECONDS)
                .awaitUninterruptibly(STOP_LIMIT_SECONDS, TimeUnit.SECONDS);
    }
}
