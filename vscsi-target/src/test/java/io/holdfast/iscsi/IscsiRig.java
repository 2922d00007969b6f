package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.DelayedBackend;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoPool;
import io.holdfast.block.MemoryBackend;
import io.holdfast.block.PortableLane;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import io.holdfast.scsi.LunView;
import io.holdfast.scsi.MappedLuns;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A target without sockets: connections on embedded channels, a disk in memory whose operations can be held back, and a
 * clock that stands still until it is told to move. Everything runs on the test's thread. Closing it fails if a buffer has
 * not been given back.
 */
final class IscsiRig implements AutoCloseable {
    static final String TARGET = "iqn.2026-11.io.holdfast:disk";
    static final int DISK_BYTES = 64 << 20;
    static final int MAX_SESSIONS = 400;
    static final int MAX_OF_INITIATOR = 390;

    final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    final DelayedBackend disk = new DelayedBackend(new MemoryBackend(DISK_BYTES));
    final LogicalUnit unit =
            LogicalUnit.builder(LogicalUnitIdentity.of(new UUID(1, 2)), disk).build();
    /** What initiators see: the disk at LUN 0, until a test shows them something else. */
    final MappedLuns luns = new MappedLuns();
    /** Initiators that see something else. */
    final Map<String, LunView> lunsOf = new HashMap<>();

    final WriteAdmission admission;
    final MemoryBudget memory;
    final ConnectionLimits limits = new ConnectionLimits(MAX_SESSIONS, MAX_OF_INITIATOR);
    final List<String> events = new ArrayList<>();
    final List<SessionTraffic> traffic = new ArrayList<>();
    /** True if connections close as on io_uring: later, and with more to read until then. */
    boolean closesLate;

    private int writes;
    private @Nullable IscsiConnection visitor;

    /** True while there is no memory for connections. */
    boolean starved;

    final Set<IscsiConnection> connections = ConcurrentHashMap.newKeySet();
    private final IscsiConnection.Shared shared;
    private final IoPool pool = new IoPool(1, 16);
    private final List<EmbeddedChannel> channels = new ArrayList<>();

    IscsiRig() {
        this(new WriteAdmission(), IscsiSettings.DEFAULT);
    }

    IscsiRig(WriteAdmission admission, IscsiSettings settings) {
        this.admission = admission;
        this.memory = new MemoryBudget(settings.memoryBytes());
        luns.show(Map.of(0, new MappedLuns.Mapped(unit, false)), () -> {});
        IscsiTarget target = new IscsiTarget(TARGET, 1, luns);
        this.shared = new IscsiConnection.Shared(
                new OneTarget(target, lunsOf),
                new Discovery.Portals(),
                admission,
                new Recorder(),
                new Sessions(),
                settings,
                memory,
                limits,
                new Repetitions(),
                connections);
    }

    /** What a directory with one target answers. */
    record OneTarget(IscsiTarget target, Map<String, LunView> lunsOf) implements TargetDirectory {
        OneTarget(IscsiTarget target) {
            this(target, Map.of());
        }

        @Override
        public Decision login(String initiatorName, String targetName) {
            if (targetName.equals("iqn.2026-11.io.holdfast:moved")) {
                return new Decision.Redirect("192.0.2.7:3260");
            }
            return targetName.equals(target.name())
                    ? new Decision.Accept(new IscsiTarget(
                            target.name(), target.portalGroupTag(), lunsOf.getOrDefault(initiatorName, target.luns())))
                    : new Decision.Refuse(LoginStatus.NOT_FOUND, "target " + TextKeys.printable(targetName));
        }

        @Override
        public List<IscsiTarget> visibleTo(String initiatorName) {
            return List.of(target);
        }
    }

    /** The rig's allocator, as long as it gives anything. */
    private final class StarvingAllocator extends AbstractByteBufAllocator {
        StarvingAllocator() {
            super(true);
        }

        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            return allocator.heapBuffer(initialCapacity, maxCapacity);
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            if (starved) {
                throw new OutOfMemoryError("as the test wants it");
            }
            return allocator.directBuffer(initialCapacity, maxCapacity);
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }

    private final class Recorder implements SessionEvents {
        @Override
        public void opened(Session session, SessionTraffic traffic) {
            events.add("opened " + session.id());
            IscsiRig.this.traffic.add(traffic);
        }

        @Override
        public void parted(Session session, UUID unit) {
            events.add("parted " + session.id() + " " + unit);
        }

        @Override
        public void refused(RefusedLogin login, int unheard) {
            events.add("refused " + unheard + " " + login.text());
        }

        @Override
        public void closed(Session session) {
            events.add("closed " + session.id());
        }
    }

    TestInitiator connect() {
        EmbeddedChannel[] made = new EmbeddedChannel[1];
        new EmbeddedChannel(new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.config().setAllocator(new StarvingAllocator());
                IoLane lane = new PortableLane(channel.eventLoop(), pool);
                IscsiConnection connection = new IscsiConnection(shared, lane);
                connections.add(connection);
                visitor = limits.visits(connection);
                channel.pipeline().addLast(new LateClose(), connection);
                made[0] = (EmbeddedChannel) channel;
            }
        });
        made[0].freezeTime();
        if (visitor != null) {
            visitor.evict();
            pump();
        }
        channels.add(made[0]);
        return new TestInitiator(new EmbeddedWire(made[0]));
    }

    private final class LateClose extends ChannelOutboundHandlerAdapter {
        @Override
        public void write(ChannelHandlerContext to, Object message, ChannelPromise promise) {
            writes++;
            to.write(message, promise);
        }

        @Override
        public void close(ChannelHandlerContext to, ChannelPromise promise) {
            if (!closesLate) {
                to.close(promise);
            }
        }
    }

    /** How many buffers the connections hand to their channels while something is done. */
    void writesOf(Runnable what, IntConsumer count) {
        int before = writes;
        what.run();
        pump();
        count.accept(writes - before);
    }

    /** Something goes wrong in every connection. */
    void breakConnections() {
        channels.forEach(channel ->
                channel.pipeline().fireExceptionCaught(new IllegalStateException("thrown on purpose by a test")));
    }

    /** True if something is still to happen at some time. */
    boolean schedules() {
        return channels.stream().anyMatch(channel -> channel.runScheduledPendingTasks() >= 0);
    }

    /** Runs what waits on every loop, until nothing does. */
    void pump() {
        for (int round = 0; round < 4; round++) {
            channels.forEach(channel -> {
                channel.runPendingTasks();
                channel.runScheduledPendingTasks();
            });
        }
    }

    void advanceSeconds(int seconds) {
        channels.forEach(channel -> channel.advanceTimeBy(seconds, TimeUnit.SECONDS));
        pump();
    }

    /** The server stops. */
    void shutdown() {
        connections.forEach(IscsiConnection::shutdown);
        pump();
    }

    @Override
    public void close() {
        disk.release();
        closesLate = false;
        pump();
        channels.forEach(EmbeddedChannel::close);
        pump();
        channels.forEach(channel -> {
            for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
                out.release();
            }
            channel.checkException();
        });
        pool.close();
        assertThat(memory.claimedBytes()).as("memory not given back").isZero();
        assertThat(admission.isEmpty()).as("every session has left").isTrue();
        assertThat(allocator.metric().usedDirectMemory())
                .as("bytes of buffers not given back")
                .isZero();
    }

    private final class EmbeddedWire implements Wire {
        private final EmbeddedChannel channel;

        EmbeddedWire(EmbeddedChannel channel) {
            this.channel = channel;
        }

        @Override
        public void send(byte[] bytes) {
            if (channel.isOpen()) {
                channel.writeInbound(allocator.directBuffer(bytes.length).writeBytes(bytes));
                pump();
            }
        }

        @Override
        public byte @Nullable [] receive() {
            pump();
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
                all.writeBytes(ByteBufUtil.getBytes(out));
                out.release();
            }
            return all.size() == 0 && !channel.isOpen() ? null : all.toByteArray();
        }

        @Override
        public void close() {
            channel.close();
            pump();
        }
    }
}
