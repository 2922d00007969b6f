package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.linux.Linux;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Block devices, full file systems and failing disks, for real. Needs root. */
@Timeout(60)
class FileBackendTroubleTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path dir;

    private final RootRig root = new RootRig();
    private LaneRig rig;

    @BeforeEach
    void openLane() {
        rig = LaneRig.portable();
    }

    @AfterEach
    void close() throws IOException {
        rig.close();
        root.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldSayThatThereIsNoSpaceAndGoOnWhenThereIs(boolean bound) throws Exception {
        Path mount = root.smallFileSystem(dir.resolve("full"), "1m");
        try (FileBackend backend = FileBackend.open(mount.resolve("disk.img"), FileOptions.sized(8 * MIB))) {
            if (bound) {
                backend.bindNative();
            }
            assertThat(write(backend, 0, 512 << 10)).isEmpty();
            for (Durability durability : Durability.values()) {
                DirectMemory bytes = DirectMemory.random(MIB, 1);
                assertThat(rig.run((lane, done) -> backend.write(4 * MIB, bytes, durability, lane, done)))
                        .hasValueSatisfying(FileBackendTroubleTest::isNoSpace);
            }
            for (int i = 0; i < 256; i++) {
                // Small ones too: these are written inline.
                Optional<BlockError> full = write(backend, MIB + i * 4096L, 4096);
                assertThat(full.isEmpty() || full.get().kind() == BlockError.Kind.NO_SPACE)
                        .isTrue();
            }
            assertThat(write(backend, 2 * MIB, 4096)).hasValueSatisfying(FileBackendTroubleTest::isNoSpace);
            assertThat(rig.run(backend::flush))
                    .as("what was acknowledged is safe")
                    .isEmpty();
            assertThat(rig.run((lane, done) -> backend.discard(0, 512 << 10, lane, done)))
                    .isEmpty();
            assertThat(write(backend, 2 * MIB, 4096)).isEmpty();
            assertThat(rig.run(backend::flush)).isEmpty();
        }
    }

    @Test
    void shouldWriteAtOnceAsMuchAsThereIsSpaceFor() throws Exception {
        Path mount = root.smallFileSystem(dir.resolve("full"), "1m");
        try (FileBackend backend = FileBackend.open(mount.resolve("disk.img"), FileOptions.sized(8 * MIB))) {
            backend.bindNative();
            DirectMemory bytes = DirectMemory.random(MIB, 1);
            int[] written = new int[2];
            rig.run((lane, done) -> {
                for (int i = 0; i < 8; i++) {
                    written[0] += backend.writeNow(written[0], bytes, 192 << 10, lane);
                }
                written[1] = backend.writeNow(4 * MIB, bytes, 4096, lane);
                done.done(null);
            });
            assertThat(written[0]).isBetween(192 << 10, 1 << 20);
            assertThat(written[1]).isZero();
            assertThat(write(backend, 4 * MIB, 4096)).hasValueSatisfying(FileBackendTroubleTest::isNoSpace);
            byte[] expected = new byte[192 << 10];
            System.arraycopy(bytes.content(), 0, expected, 0, expected.length);
            DirectMemory first = DirectMemory.dirty(192 << 10);
            assertThat(rig.run((lane, done) -> backend.read(0, first, lane, done)))
                    .isEmpty();
            assertThat(first.content()).isEqualTo(expected);
        }
    }

    private static void isNoSpace(BlockError failure) {
        assertThat(failure.kind()).isEqualTo(BlockError.Kind.NO_SPACE);
        assertThat(failure.detail()).contains("disk.img").contains("No space left on device");
    }

    @Test
    void shouldServeABlockDevice() throws Exception {
        Path file = sized("backing.img", 8 * MIB);
        Path device = root.blockDevice(file);
        try (FileBackend backend = FileBackend.open(device, FileOptions.READ_WRITE)) {
            assertThat(backend.sizeBytes()).isEqualTo(8 * MIB);
            backend.bindNative();
            DirectMemory bytes = DirectMemory.random(MIB, 2);
            assertThat(rig.run((lane, done) -> backend.write(MIB, bytes, Durability.DURABLE, lane, done)))
                    .isEmpty();
            assertThat(rig.run((lane, done) -> backend.discard(MIB, 512 << 10, lane, done)))
                    .isEmpty();
            // Not a multiple of the device's blocks: gets zeroes written.
            assertThat(rig.run((lane, done) -> backend.discard(2 * MIB - 100, 50, lane, done)))
                    .isEmpty();
            assertThat(backend.discards()).isTrue();
            assertThat(backend.file().inMemory())
                    .as("its node lies on devtmpfs")
                    .isFalse();
            assertThat(rig.run(backend::flush)).isEmpty();
            DirectMemory read = DirectMemory.dirty(MIB);
            assertThat(rig.run((lane, done) -> backend.read(MIB, read, lane, done)))
                    .isEmpty();
            byte[] expected = bytes.content();
            Arrays.fill(expected, 0, 512 << 10, (byte) 0);
            Arrays.fill(expected, MIB - 100, MIB - 50, (byte) 0);
            assertThat(read.content()).isEqualTo(expected);
            assertThatThrownBy(() -> FileBackend.open(device, FileOptions.READ_ONLY))
                    .hasMessage(device + " is exported already; export it once");
        }
    }

    @Test
    void shouldRefuseADeviceThatIsMounted() throws Exception {
        Path file = sized("fs.img", 8 * MIB);
        String made = RootRig.run("mke2fs", "-q", "-t", "ext4", file.toString());
        assumeTrue(made.isEmpty(), "skipped: mke2fs says: " + made);
        Path device = root.blockDevice(file);
        Path at = Files.createDirectories(dir.resolve("mounted"));
        String mounted = RootRig.run("mount", device.toString(), at.toString());
        assumeTrue(mounted.isEmpty(), "skipped: mount says: " + mounted);
        try {
            assertThatThrownBy(() -> FileBackend.open(device, FileOptions.READ_WRITE))
                    .hasMessage(device + " cannot be exported for writing: it is mounted at " + at.toRealPath()
                            + "; unmount it first");
        } finally {
            RootRig.run("umount", at.toString());
        }
    }

    @Test
    void shouldRefuseADiskWhilePartOfItIsMountedAndKeepItFromBeingMountedMeanwhile() throws Exception {
        Path disk = root.diskWithPartition(sized("parts.img", 64 * MIB));
        Path partition = Path.of(disk + "p1");
        String formatted = RootRig.run("mke2fs", "-q", "-t", "ext4", partition.toString());
        assumeTrue(formatted.isEmpty(), "skipped: mke2fs says: " + formatted);
        Path at = Files.createDirectories(dir.resolve("mounted"));
        assertThat(RootRig.run("mount", partition.toString(), at.toString())).isEmpty();
        try {
            assertThatThrownBy(() -> FileBackend.open(disk, FileOptions.READ_WRITE))
                    .hasMessage(disk + " cannot be exported for writing: its partition " + partition.getFileName()
                            + " is mounted at " + at.toRealPath() + "; unmount it first");
        } finally {
            assertThat(RootRig.run("umount", at.toString())).isEmpty();
        }
        try (FileBackend backend = FileBackend.open(disk, FileOptions.READ_WRITE)) {
            assertThat(RootRig.run("mount", partition.toString(), at.toString()))
                    .contains("busy");
            backend.bindNative();
            assertThat(write(backend, 0, 4096)).isEmpty();
            assertThat(RootRig.run("mount", partition.toString(), at.toString()))
                    .contains("busy");
        }
    }

    @Test
    void shouldRefuseADeviceThatAProgramHasClaimed() throws Exception {
        Path device = root.blockDevice(sized("claimed.img", 8 * MIB));
        int claim = Linux.open(device, Linux.O_RDWR | Linux.O_EXCL);
        try {
            assertThatThrownBy(() -> FileBackend.open(device, FileOptions.READ_WRITE))
                    .hasMessageStartingWith(device + " is in use by ")
                    .hasMessageEndingWith("or by the kernel; stop that first");
        } finally {
            Linux.close(claim);
        }
        FileBackend.open(device, FileOptions.READ_WRITE).close();
    }

    /**
     * A device that takes writes into its cache and then cannot keep them: its backing file lies on a full file system. The
     * kernel reports that once; without our memory of it the second flush would be GOOD.
     */
    @Test
    void shouldFailEveryFlushAfterOneThatLostWrites() throws Exception {
        Path mount = root.smallFileSystem(dir.resolve("thin"), "1m");
        Path file = mount.resolve("backing.img");
        try (RandomAccessFile backing = new RandomAccessFile(file.toFile(), "rw")) {
            backing.setLength(8 * MIB);
        }
        Path device = root.blockDevice(file);
        try (FileBackend backend = FileBackend.open(device, FileOptions.READ_WRITE)) {
            backend.bindNative();
            assertThat(write(backend, 0, 4 * MIB)).as("the cache takes it").isEmpty();
            assertThat(rig.run(backend::flush)).hasValueSatisfying(FileBackendTroubleTest::isLost);
            assertThat(rig.run(backend::flush)).hasValueSatisfying(FileBackendTroubleTest::isLost);
            DirectMemory bytes = DirectMemory.random(4096, 3);
            assertThat(rig.run((lane, done) -> backend.write(0, bytes, Durability.DURABLE, lane, done)))
                    .hasValueSatisfying(FileBackendTroubleTest::isLost);
        }
        try (FileBackend again = FileBackend.open(device, FileOptions.READ_WRITE)) {
            assertThat(rig.run(again::flush)).as("opened anew").isEmpty();
        }
    }

    private static void isLost(BlockError failure) {
        assertThat(failure.kind()).isEqualTo(BlockError.Kind.MEDIUM);
        assertThat(failure.detail()).contains("/dev/loop").contains("flushes fail until it is opened again");
    }

    /** A frozen file system is storage that hangs: whoever writes waits in the kernel, RWF_NOWAIT or not. */
    @Test
    void shouldHoldUpNeitherTheLoopNorOtherImagesWhileOnesStorageHangs() throws Exception {
        Path mount = root.diskFileSystem(sized("fs.img", 32 * MIB), dir.resolve("frozen"));
        try (FileBackend hung = FileBackend.open(mount.resolve("disk.img"), FileOptions.sized(8 * MIB));
                FileBackend other = FileBackend.open(dir.resolve("other.img"), FileOptions.sized(8 * MIB))) {
            hung.bindNative();
            other.bindNative();
            assertThat(write(hung, 0, MIB)).isEmpty();
            List<CompletableFuture<Optional<BlockError>>> waiting = new ArrayList<>();
            try (AutoCloseable thawed = root.freeze(mount)) {
                assertThat(thawed).isNotNull();
                for (int i = 0; i < 64; i++) {
                    DirectMemory bytes = DirectMemory.random(4096, i);
                    long offset = i * 4096L;
                    Durability durability = i % 2 == 0 ? Durability.CACHED : Durability.DURABLE;
                    waiting.add(rig.start((lane, done) -> hung.write(offset, bytes, durability, lane, done)));
                }
                for (int i = 0; i < 64; i++) {
                    assertThat(write(other, i * 4096L, 4096)).isEmpty();
                }
                assertThat(rig.run(other::flush)).isEmpty();
                assertThat(waiting).noneMatch(CompletableFuture::isDone);
                DirectMemory cached = DirectMemory.dirty(4096);
                assertThat(rig.run((lane, done) -> hung.read(512 << 10, cached, lane, done)))
                        .as("what is cached can be read meanwhile")
                        .isEmpty();
            }
            assertThat(waiting)
                    .allSatisfy(
                            write -> assertThat(write.get(30, TimeUnit.SECONDS)).isEmpty());
        }
    }

    @Test
    void shouldSayThatTheDiskCannotBeRead() throws Exception {
        Path file = sized("short.img", 8 * MIB);
        Path device = root.blockDevice(file);
        try (RandomAccessFile backing = new RandomAccessFile(file.toFile(), "rw");
                FileBackend backend = FileBackend.open(device, FileOptions.READ_WRITE)) {
            backend.bindNative();
            backing.setLength(MIB);
            DirectMemory bytes = DirectMemory.dirty(4096);
            assertThat(rig.run((lane, done) -> backend.read(4 * MIB, bytes, lane, done)))
                    .hasValueSatisfying(failure -> {
                        assertThat(failure.kind()).isEqualTo(BlockError.Kind.MEDIUM);
                        assertThat(failure.detail())
                                .isEqualTo("read 4096 bytes at 4194304 of " + device
                                        + ": preadv2: Input/output error (EIO)");
                    });
        }
    }

    @Test
    void shouldNotMistakeAnotherFileForTheOneItOpened() throws Exception {
        Path path = sized("disk.img", MIB);
        try (FileBackend backend = FileBackend.open(path, FileOptions.READ_WRITE)) {
            Files.move(path, dir.resolve("moved.img"));
            sized("disk.img", MIB);
            assertThatThrownBy(backend::bindNative).hasMessage(path + " is another file than the one that was opened");
            DirectMemory bytes = DirectMemory.random(4096, 4);
            assertThat(rig.run((lane, done) -> backend.write(0, bytes, Durability.CACHED, lane, done)))
                    .isEmpty();
            assertThat(rig.run((lane, done) -> backend.discard(512, 512, lane, done)))
                    .as("by writing zeroes")
                    .isEmpty();
            byte[] moved = Files.readAllBytes(dir.resolve("moved.img"));
            assertThat(moved[0]).isEqualTo(bytes.content()[0]);
            assertThat(moved[600]).isZero();
            assertThat(Files.readAllBytes(path)).containsOnly(0);
        }
    }

    private Optional<BlockError> write(BlockBackend backend, long offset, int length) {
        DirectMemory bytes = DirectMemory.random(length, offset);
        return rig.run((lane, done) -> backend.write(offset, bytes, Durability.CACHED, lane, done));
    }

    private Path sized(String name, long sizeBytes) throws IOException {
        Path path = dir.resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        return path;
    }
}
