package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class DeferredBackendTest extends BlockBackendContract {
    private static final BlockError MISSING = new BlockError(BlockError.Kind.UNREACHABLE, "not there yet");

    @Override
    protected BlockBackend create(long sizeBytes) {
        DeferredBackend deferred = new DeferredBackend("deferred", 512, false, true);
        deferred.opened(new MemoryBackend(sizeBytes));
        return deferred;
    }

    @Override
    protected boolean writesAtOnce() {
        return true;
    }

    @Override
    protected BlockBackend createReadOnly(long sizeBytes) {
        DeferredBackend deferred = new DeferredBackend("deferred", 512, true, false);
        deferred.opened(MemoryBackend.readOnlyZeroes(sizeBytes));
        return deferred;
    }

    private final DeferredBackend later = new DeferredBackend("later", 8192, false, true);

    private CompletableFuture<Optional<BlockError>> write() {
        return rig.start((lane, done) -> later.write(0, DirectMemory.dirty(512), Durability.CACHED, lane, done));
    }

    @Test
    void shouldCarryOutWhatCameBeforeItWasOpen() {
        CompletableFuture<Optional<BlockError>> write = write();
        CompletableFuture<Optional<BlockError>> flush = rig.start(later::flush);
        assertThat(later.sizeBytes()).isEqualTo(8192);
        assertThat(rig.run((lane, done) -> lane.execute(() -> done.done(null)))).isEmpty();
        assertThat(write).isNotDone();
        MemoryBackend memory = new MemoryBackend(4096);

        later.opened(memory);

        assertThat(write.join()).isEmpty();
        assertThat(flush.join()).isEmpty();
        assertThat(later.sizeBytes()).isEqualTo(4096);
        DirectMemory one = DirectMemory.of(new byte[1]);
        rig.run((lane, done) -> memory.read(0, one, lane, done));
        assertThat(one.content()[0]).isNotZero();
    }

    @Test
    void shouldTellOnceThatSomebodyWaits() {
        AtomicInteger told = new AtomicInteger();
        later.whenWanted(told::incrementAndGet);
        CompletableFuture<Optional<BlockError>> write = write();
        CompletableFuture<Optional<BlockError>> flush = rig.start(later::flush);
        assertThat(rig.run((lane, done) -> lane.execute(() -> done.done(null)))).isEmpty();
        assertThat(told).hasValue(1);

        later.opened(new MemoryBackend(4096));

        assertThat(write.join()).isEmpty();
        assertThat(flush.join()).isEmpty();
        assertThat(write().join()).isEmpty();
        assertThat(told).hasValue(1);
    }

    @Test
    void shouldFailEverythingWhileItCannotBeOpened() {
        CompletableFuture<Optional<BlockError>> waiting = write();
        later.failed(MISSING);
        assertThat(waiting.join()).hasValue(MISSING);
        assertThat(write().join()).hasValue(MISSING);

        later.opened(new MemoryBackend(4096));

        assertThat(write().join()).isEmpty();
    }
}
