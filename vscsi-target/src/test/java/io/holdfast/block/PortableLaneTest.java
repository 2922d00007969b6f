package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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
    void shouldReadCachedBytesWithoutThePool() {
        DirectMemory bytes = DirectMemory.random(4096, 1);
        write(8192, bytes);
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
        write(0, start);
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

    /** Nothing promises that a write does not wait for a disk, however short it is and whatever is cached. */
    @Test
    void shouldWriteNothingOnTheLoopThatMightWait() {
        assumeOnDisk();
        write(0, DirectMemory.random(1 << 20, 4));
        for (int length : new int[] {512, 4096, OffloadingLane.MAX_INLINE_BYTES + 4096}) {
            assertThat(inlineOnly.run((lane, done) ->
                            backend.write(0, DirectMemory.dirty(length), Durability.CACHED, lane, done)))
                    .hasValueSatisfying(PortableLaneTest::neededThePool);
        }
    }

    @Test
    void shouldWriteInPlaceWhereTheFileLivesInMemory() throws Exception {
        Path shm = Path.of("/dev/shm");
        Assumptions.assumeTrue(Files.isWritable(shm), "skipped: /dev/shm is not there or not writable");
        Path file = shm.resolve("holdfast-lane-" + System.nanoTime() + ".img");
        try (FileBackend inMemory = FileBackend.open(file, FileOptions.sized(SIZE))) {
            inMemory.bindNative();
            for (int length : new int[] {1, 4096, OffloadingLane.MAX_INLINE_BYTES}) {
                assertThat(inlineOnly.run((lane, done) ->
                                inMemory.write(7, DirectMemory.dirty(length), Durability.CACHED, lane, done)))
                        .isEmpty();
            }
            assertThat(inlineOnly.run((lane, done) -> inMemory.write(
                            0, DirectMemory.dirty(OffloadingLane.MAX_INLINE_BYTES + 1), Durability.CACHED, lane, done)))
                    .as("the copy alone would hold up the loop")
                    .hasValueSatisfying(PortableLaneTest::neededThePool);
        } finally {
            Files.delete(file);
        }
    }

    private void write(long offset, DirectMemory bytes) {
        try (LaneRig rig = LaneRig.portable()) {
            assertThat(rig.run((lane, done) -> backend.write(offset, bytes, Durability.CACHED, lane, done)))
                    .isEmpty();
        }
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
                lane.offload(backend.file(), called::incrementAndGet, failure -> answered.incrementAndGet());
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
                lane.offload(backend.file(), () -> {}, failure -> {
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
                            backend.file(),
                            () -> {
                                throw new IllegalStateException("thrown on purpose by a test");
                            },
                            done)))
                    .hasValueSatisfying(failure -> assertThat(failure.detail()).contains("thrown on purpose"));
        }
    }

    @Test
    void shouldRefuseInWordsWhenTooMuchWaitsForOneFile() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        Semaphore running = new Semaphore(0);
        List<CompletableFuture<Optional<BlockError>>> answers = new ArrayList<>();
        try (LaneRig rig = LaneRig.portable(new IoPool(1, 1))) {
            answers.add(rig.start((lane, done) -> lane.offload(
                    backend.file(),
                    () -> {
                        running.release();
                        awaitQuietly(release);
                    },
                    done)));
            assertThat(running.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
            answers.add(rig.start((lane, done) -> lane.offload(backend.file(), () -> {}, done)));
            assertThat(rig.run((lane, done) -> lane.offload(backend.file(), () -> {}, done)))
                    .contains(new BlockError(
                            BlockError.Kind.UNREACHABLE, "1 operations wait for the 1 threads of this file"));
            release.countDown();
            assertThat(answers)
                    .allSatisfy(answer ->
                            assertThat(answer.get(30, TimeUnit.SECONDS)).isEmpty());
        }
    }

    /** Storage that hangs: every call of one file waits until the test lets go. */
    @Test
    void shouldServeOtherFilesWhileTheStorageOfSomeHangs() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        OpenFile[] hung = {
            new OpenFile(backend.file().channel()), new OpenFile(backend.file().channel())
        };
        List<CompletableFuture<Optional<BlockError>>> waiting = new ArrayList<>();
        try (LaneRig rig = LaneRig.portable()) {
            for (int i = 0; i < 200; i++) {
                OpenFile file = hung[i % 2];
                waiting.add(rig.start((lane, done) -> lane.offload(file, () -> awaitQuietly(release), done)));
            }
            for (int i = 0; i < 20; i++) {
                DirectMemory bytes = DirectMemory.random(4096, i);
                assertThat(rig.run((lane, done) -> backend.write(8192, bytes, Durability.DURABLE, lane, done)))
                        .isEmpty();
                assertThat(rig.run(backend::flush)).isEmpty();
            }
            assertThat(waiting).noneMatch(CompletableFuture::isDone);
            release.countDown();
            assertThat(waiting)
                    .allSatisfy(answer ->
                            assertThat(answer.get(30, TimeUnit.SECONDS)).isEmpty());
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
