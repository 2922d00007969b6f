package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.block.BlockError;
import io.holdfast.block.DirectMemory;
import io.holdfast.block.FileBackendContract;
import io.holdfast.block.LaneRig;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.uring.IoUringIoHandler;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The contract of all file backends, with reads on an event loop's ring. */
class RingLaneTest extends FileBackendContract {

    @Override
    protected Path parent() {
        return Path.of(System.getProperty("user.dir"), "target");
    }

    @Override
    protected LaneRig newRig() {
        assumeTrue(IoWay.RING.obstacle().isEmpty(), () -> "no io_uring here: " + IoWay.RING.obstacle());
        IoEventLoop loop = new MultiThreadIoEventLoopGroup(1, IoUringIoHandler.newFactory()).next();
        return new LaneRig(loop, (thread, pool) -> RingLane.on(loop, pool));
    }

    @Test
    void shouldTakeMoreReadsAtOnceThanItHasPlacesFor() {
        List<CompletableFuture<Optional<BlockError>>> reads = new ArrayList<>();
        for (int i = 0; i < RingLane.MAX_READS + 500; i++) {
            DirectMemory into = DirectMemory.dirty(512);
            long offset = i * 512L;
            reads.add(rig.start((lane, done) -> backend.read(offset, into, lane, done)));
        }
        assertThat(reads).allSatisfy(read -> assertThat(read.join()).isEmpty());
    }
}
