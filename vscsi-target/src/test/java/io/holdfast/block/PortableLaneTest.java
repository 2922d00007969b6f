package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PortableLaneTest {
    private static final long SIZE = 64L << 20;

    private final LaneRig inlineOnly = LaneRig.withClosedPool();
    private Path path;
    private FileBackend backend;

    @BeforeEach
    void open() throws Exception {
        path = Files.createDirectories(Path.of("target")).resolve("lane-" + System.nanoTime() + ".img");
        backend = FileBackend.open(path, FileOptions.sized(SIZE));
        backend.bindNative();
    }

    @AfterEach
    void close() throws Exception {
        inlineOnly.close();
        backend.close();
        Files.delete(path);
    }

    @Test
    void shouldWriteAndReadCachedBytesWithoutThePool() {
        DirectMemory bytes = DirectMemory.random(4096, 1);
        assertThat(inlineOnly.run((lane, done) -> backend.write(8192, bytes, Durability.CACHED, lane, done)))
                .isEmpty();
        DirectMemory read = DirectMemory.dirty(4096);
        assertThat(inlineOnly.run((lane, done) -> backend.read(8192, read, lane, done)))
                .isEmpty();
        assertThat(read.content()).isEqualTo(bytes.content());
    }

    @Test
    void shouldGoToThePoolForWhatIsNotCached() throws Exception {
        assumeOnDisk();
        DirectMemory bytes = writeColdly(1 << 20);
        assertThat(inlineOnly.run((lane, done) -> backend.read(0, DirectMemory.dirty(1 << 20), lane, done)))
                .hasValueSatisfying(PortableLaneTest::neededThePool);
        evict();
        DirectMemory read = DirectMemory.dirty(1 << 20);
        try (LaneRig rig = LaneRig.portable()) {
            assertThat(rig.run((lane, done) -> backend.read(0, read, lane, done)))
                    .isEmpty();
        }
        assertThat(read.content()).isEqualTo(bytes.content());
    }

    @Test
    void shouldReadTheCachedStartInlineAndTheRestOnThePool() throws Exception {
        assumeOnDisk();
        writeColdly(16 << 20);
        DirectMemory start = DirectMemory.random(65_536, 2);
        inlineOnly.run((lane, done) -> backend.write(0, start, Durability.CACHED, lane, done));
        DirectMemory read = DirectMemory.dirty(16 << 20);
        assertThat(inlineOnly.run((lane, done) -> backend.read(0, read, lane, done)))
                .hasValueSatisfying(PortableLaneTest::neededThePool);
        assertThat(read.content()).as("what was read inline").startsWith(start.content());
        try (LaneRig rig = LaneRig.portable()) {
            assertThat(rig.run((lane, done) -> backend.read(0, read, lane, done)))
                    .isEmpty();
        }
        assertThat(read.content()).startsWith(start.content());
    }

    private DirectMemory writeColdly(int length) throws Exception {
        DirectMemory bytes = DirectMemory.random(length, 3);
        try (LaneRig rig = LaneRig.portable()) {
            assertThat(rig.run((lane, done) -> backend.write(0, bytes, Durability.DURABLE, lane, done)))
                    .isEmpty();
        }
        evict();
        return bytes;
    }

    /** Empties the page cache of the file: what dd's manual gives this call for. */
    private void evict() throws Exception {
        Process dd = new ProcessBuilder("dd", "of=" + path, "oflag=nocache", "conv=notrunc,fdatasync", "count=0")
                .redirectErrorStream(true)
                .start();
        String said = new String(dd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(dd.waitFor()).as(said).isZero();
    }

    @Test
    void shouldGoToThePoolForPartsOfPagesAndForMuch() {
        assumeOnDisk();
        for (int length : new int[] {512, InlineWrites.MAX_INLINE_BYTES + 4096}) {
            assertThat(inlineOnly.run((lane, done) ->
                            backend.write(0, DirectMemory.dirty(length), Durability.CACHED, lane, done)))
                    .hasValueSatisfying(PortableLaneTest::neededThePool);
        }
    }

    @Test
    void shouldGoToThePoolForWritesAfterOneThatWaited() {
        backend.file().inlineWrites().waited(System.nanoTime());
        assertThat(inlineOnly.run(
                        (lane, done) -> backend.write(0, DirectMemory.dirty(4096), Durability.CACHED, lane, done)))
                .hasValueSatisfying(PortableLaneTest::neededThePool);
    }

    private static void neededThePool(BlockError failure) {
        assertThat(failure).isEqualTo(new BlockError(BlockError.Kind.UNREACHABLE, "the I/O pool is closed"));
    }

    private void assumeOnDisk() {
        Assumptions.assumeFalse(backend.file().inMemory(), "skipped: the build directory is in memory");
    }

    @Test
    void shouldBringCompletionsBackInOneBatch() {
        Queue<Runnable> loop = new ConcurrentLinkedQueue<>();
        AtomicInteger batches = new AtomicInteger();
        AtomicInteger answered = new AtomicInteger();
        AtomicInteger called = new AtomicInteger();
        try (IoPool pool = new IoPool(4, 100)) {
            PortableLane lane = new PortableLane(loop::add, pool, batches::incrementAndGet);
            for (int i = 0; i < 20; i++) {
                lane.offload(called::incrementAndGet, failure -> answered.incrementAndGet());
            }
            assertThat(pool.close(Duration.ofSeconds(30))).isTrue();
        }
        assertThat(called).hasValue(20);
        assertThat(answered).hasValue(0);
        assertThat(loop).hasSize(1);
        loop.remove().run();
        assertThat(answered).hasValue(20);
        assertThat(batches).hasValue(1);
    }

    @Test
    void shouldAnswerTheOthersWhenOneCallbackFails() {
        Queue<Runnable> loop = new ConcurrentLinkedQueue<>();
        AtomicInteger answered = new AtomicInteger();
        try (IoPool pool = new IoPool(1, 100)) {
            PortableLane lane = new PortableLane(loop::add, pool);
            for (int i = 0; i < 3; i++) {
                lane.offload(() -> {}, failure -> {
                    if (answered.incrementAndGet() == 2) {
                        throw new IllegalStateException("thrown on purpose by a test");
                    }
                });
            }
            assertThat(pool.close(Duration.ofSeconds(30))).isTrue();
        }
        loop.remove().run();
        assertThat(answered).hasValue(3);
    }

    @Test
    void shouldAnswerACallThatFailsInAnUnexpectedWay() {
        try (LaneRig rig = LaneRig.portable()) {
            assertThat(rig.run((lane, done) -> lane.offload(
                            () -> {
                                throw new IllegalStateException("thrown on purpose by a test");
                            },
                            done)))
                    .hasValueSatisfying(failure -> assertThat(failure.detail()).contains("thrown on purpose"));
        }
    }

    @Test
    void shouldRefuseInWordsWhenThePoolIsFull() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Semaphore running = new Semaphore(0);
        Queue<Runnable> loop = new ConcurrentLinkedQueue<>();
        List<BlockError> failures = new ArrayList<>();
        AtomicInteger answered = new AtomicInteger();
        try (IoPool pool = new IoPool(1, 1)) {
            PortableLane lane = new PortableLane(loop::add, pool);
            IoCallback done = failure -> {
                answered.incrementAndGet();
                if (failure != null) {
                    failures.add(failure);
                }
            };
            lane.offload(
                    () -> {
                        running.release();
                        awaitQuietly(release);
                    },
                    done);
            assertThat(running.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
            lane.offload(() -> {}, done);
            lane.offload(() -> {}, done);
            assertThat(failures)
                    .containsExactly(new BlockError(
                            BlockError.Kind.UNREACHABLE, "the I/O pool is full: 1 operations wait for its 1 threads"));
            release.countDown();
            Awaitility.await("the others are answered")
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> {
                        while (!loop.isEmpty()) {
                            loop.remove().run();
                        }
                        return answered.get() == 3;
                    });
        }
        assertThat(failures).hasSize(1);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
