package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class BackendFilterTest {
    private static final BlockError DEAD = new BlockError(BlockError.Kind.MEDIUM, "dead on purpose");

    private final MemoryBackend memory = new MemoryBackend(1 << 20);
    private final LaneRig rig = LaneRig.portable();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void shouldFailWhatItIsToldToUntilItIsHealed() {
        FailingBackend failing = new FailingBackend(memory);
        failing.fail(BlockOperation.WRITE, DEAD);
        assertThat(write(failing)).hasValue(DEAD);
        assertThat(byteAtZero()).isZero();
        assertThat(rig.run(failing::flush)).isEmpty();
        failing.heal(BlockOperation.WRITE);
        assertThat(write(failing)).isEmpty();
        assertThat(byteAtZero()).isEqualTo((byte) 0xa5);
        failing.fail(BlockOperation.DISCARD, DEAD);
        assertThat(rig.run((lane, done) -> failing.discard(0, 512, lane, done))).hasValue(DEAD);
    }

    @Test
    void shouldHoldOperationsUntilTheyAreReleased() {
        DelayedBackend delayed = new DelayedBackend(memory);
        delayed.hold(BlockOperation.WRITE);
        CompletableFuture<Optional<BlockError>> write = startWrite(delayed);
        assertThat(rig.run(delayed::flush)).as("only writes are held").isEmpty();
        assertThat(delayed.heldCount()).isEqualTo(1);
        assertThat(write).isNotDone();
        assertThat(byteAtZero()).isZero();
        delayed.release();
        assertThat(write.join()).isEmpty();
        assertThat(byteAtZero()).isEqualTo((byte) 0xa5);
        assertThat(write(delayed)).isEmpty();
    }

    @Test
    void shouldWriteNothingAtOnceThatItWouldHoldOrFail() {
        DelayedBackend delayed = new DelayedBackend(memory);
        FailingBackend failing = new FailingBackend(delayed);
        delayed.hold(BlockOperation.WRITE);
        assertThat(writeNow(failing)).isZero();
        delayed.release();
        failing.fail(BlockOperation.WRITE, DEAD);
        assertThat(writeNow(failing)).isZero();
        assertThat(byteAtZero()).isZero();
        failing.heal(BlockOperation.WRITE);
        assertThat(writeNow(failing)).isEqualTo(512);
        assertThat(byteAtZero()).isEqualTo((byte) 0xa5);
    }

    private int writeNow(BlockBackend to) {
        int[] written = new int[1];
        rig.run((lane, done) -> {
            written[0] = to.writeNow(0, DirectMemory.dirty(512), 512, lane);
            done.done(null);
        });
        return written[0];
    }

    @Test
    void shouldNeverCarryOutWhatIsDiscarded() {
        DelayedBackend delayed = new DelayedBackend(memory);
        delayed.hold(BlockOperation.WRITE);
        List<CompletableFuture<Optional<BlockError>>> writes = List.of(startWrite(delayed), startWrite(delayed));
        rig.run(delayed::flush);
        delayed.discardHeld(DEAD);
        assertThat(writes).allSatisfy(write -> assertThat(write.join()).hasValue(DEAD));
        assertThat(delayed.heldCount()).isZero();
        assertThat(byteAtZero()).isZero();
    }

    @Test
    void shouldLookLikeWhatIsBehindIt() throws Exception {
        FailingBackend filter = new FailingBackend(new DelayedBackend(memory));
        assertThat(filter.sizeBytes()).isEqualTo(1 << 20);
        assertThat(filter.readOnly()).isFalse();
        assertThat(filter.discards()).isTrue();
        assertThat(filter.describe()).isEqualTo(memory.describe());
        write(filter);
        filter.close();
        assertThat(byteAtZero()).as("closed behind it too").isZero();
    }

    private Optional<BlockError> write(BlockBackend to) {
        return startWrite(to).join();
    }

    private CompletableFuture<Optional<BlockError>> startWrite(BlockBackend to) {
        return rig.start((lane, done) -> to.write(0, DirectMemory.dirty(512), Durability.CACHED, lane, done));
    }

    private byte byteAtZero() {
        DirectMemory one = DirectMemory.of(new byte[1]);
        rig.run((lane, done) -> memory.read(0, one, lane, done));
        return one.content()[0];
    }
}
