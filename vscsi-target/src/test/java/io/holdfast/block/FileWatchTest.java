package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FileWatchTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path dir;

    private Path path;
    private FileBackend backend;
    private LaneRig rig;
    private IoPool pool;
    private FileWatch watch;

    @BeforeEach
    void open() throws Exception {
        path = dir.resolve("disk.img");
        rig = LaneRig.portable();
        pool = new IoPool();
        backend = FileBackend.open(path, FileOptions.sized(4 * MIB));
        backend.bindNative();
        watch = FileWatch.start(() -> List.of(backend), pool);
    }

    @AfterEach
    void close() throws Exception {
        watch.close();
        assertThat(pool.close(Duration.ofSeconds(10))).isTrue();
        rig.close();
        backend.close();
    }

    @Test
    void shouldServeWhatAFileHasGrownBy() throws Exception {
        resize(8 * MIB + 700);
        await(() -> assertThat(backend.sizeBytes()).as("whole sectors").isEqualTo(8 * MIB + 512));
        DirectMemory bytes = DirectMemory.random(4096, 1);
        assertThat(rig.run((lane, done) -> backend.write(8 * MIB - 4096, bytes, Durability.DURABLE, lane, done)))
                .isEmpty();
    }

    @Test
    void shouldRefuseWhatIsBeyondTheEndOfAFileThatHasShrunk() throws Exception {
        resize(2 * MIB);
        await(() -> assertThat(backend.sizeBytes()).isEqualTo(2 * MIB));
        for (long offset : new long[] {2 * MIB, 3 * MIB}) {
            DirectMemory bytes = DirectMemory.dirty(4096);
            assertThat(rig.run((lane, done) -> backend.write(offset, bytes, Durability.CACHED, lane, done)))
                    .hasValueSatisfying(refusal -> assertThat(refusal.kind()).isEqualTo(BlockError.Kind.OUT_OF_RANGE));
        }
        assertThat(Files.size(path)).as("nothing made it grow again").isEqualTo(2 * MIB);
    }

    @Test
    void shouldNotServeAFileOfWhichNothingIsLeft() throws Exception {
        resize(0);
        await(() -> assertNotServed("has 0 bytes left"));
        assertThat(backend.sizeBytes()).as("a disk without blocks is none").isEqualTo(4 * MIB);
        resize(4 * MIB);
        await(this::assertServed);
    }

    /** What is acknowledged would be gone with the server: its successor opens the path. */
    @Test
    void shouldServeNothingWhileTheFileIsNotAtItsPath() throws Exception {
        Path moved = dir.resolve("moved.img");
        Files.move(path, moved);
        await(() -> assertNotServed("is not there any more"));
        resize(4 * MIB);
        await(() -> assertNotServed("is another file than the one that was opened"));
        Files.move(moved, path, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        await(this::assertServed);
    }

    private void assertServed() {
        DirectMemory bytes = DirectMemory.random(4096, 2);
        assertThat(rig.run((lane, done) -> backend.write(0, bytes, Durability.DURABLE, lane, done)))
                .isEmpty();
        assertThat(rig.run(backend::flush)).isEmpty();
    }

    private void assertNotServed(String why) {
        DirectMemory bytes = DirectMemory.dirty(4096);
        assertThat(rig.run((lane, done) -> backend.read(0, bytes, lane, done)))
                .hasValueSatisfying(refusal -> isUnreachable(refusal, why));
        assertThat(rig.run((lane, done) -> backend.write(0, bytes, Durability.CACHED, lane, done)))
                .hasValueSatisfying(refusal -> isUnreachable(refusal, why));
        assertThat(rig.run((lane, done) -> backend.discard(0, 4096, lane, done)))
                .hasValueSatisfying(refusal -> isUnreachable(refusal, why));
        assertThat(rig.run(backend::flush)).hasValueSatisfying(refusal -> isUnreachable(refusal, why));
    }

    private static void isUnreachable(BlockError refusal, String why) {
        assertThat(refusal.kind()).isEqualTo(BlockError.Kind.UNREACHABLE);
        assertThat(refusal.detail()).contains("disk.img").contains(why);
    }

    private void resize(long sizeBytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
    }

    private static void await(org.awaitility.core.ThrowingRunnable assertion) {
        Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(assertion);
    }
}
