package io.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path dir;

    /** A field, so that it lives as long as the test. */
    private final Pointer memory = Memory.allocateDirect(LibC.Bound.RUNTIME, 4 * MIB);

    private Path file;
    private int fd;

    @BeforeEach
    void openFile() throws IOException {
        file = Files.createFile(dir.resolve("disk.img"));
        fd = Linux.open(file, Linux.O_RDWR);
    }

    @AfterEach
    void closeFile() throws IOException {
        Linux.close(fd);
    }

    @Test
    void shouldReadWhatWasWrittenPastFourGigabytes() throws IOException {
        long offset = (5L << 30) + 123;
        assertThat(write("far away", offset, 0)).isEqualTo(8);
        assertThat(read(8, offset, 0)).isEqualTo("far away");
        assertThat(Files.size(file)).isEqualTo(offset + 8);
    }

    @Test
    void shouldReadZeroBytesAtTheEndOfTheFile() {
        assertThat(Linux.preadv2(fd, memory.address(), 16, 0, 0)).isZero();
    }

    @Test
    void shouldReadCachedBytesWithoutWaitingOrSayWhyNot() {
        write("cached", 0, 0);
        long n = Linux.preadv2(fd, memory.address(), 6, 0, Linux.RWF_NOWAIT);
        // tmpfs does not know the flag; every other file system has the page in its cache.
        assertThat(n).isIn(6L, (long) -Errno.EOPNOTSUPP.number());
    }

    @Test
    void shouldWriteDurably() {
        assertThat(write("durable", 0, Linux.RWF_DSYNC)).isEqualTo(7);
        assertThat(read(7, 0, 0)).isEqualTo("durable");
    }

    @Test
    void shouldGiveTheErrnoOfAFailedReadOrWriteAsANegativeNumber() throws IOException {
        int readOnly = Linux.open(file, Linux.O_RDONLY);
        assertThat(Linux.pwritev2(readOnly, memory.address(), 16, 0, 0)).isEqualTo(-Errno.EBADF.number());
        assertThat(Linux.preadv2(readOnly, memory.address(), 16, -1, 0x4000_0000))
                .isEqualTo(-Errno.EOPNOTSUPP.number());
        assertThat(Linux.failure("write disk.img", -28))
                .hasMessage("write disk.img: No space left on device (ENOSPC)")
                .matches(e -> e.is(Errno.ENOSPC));
        Linux.close(readOnly);
    }

    @Test
    void shouldNameThePathAndTheReasonWhenAFileCannotBeOpened() {
        Path missing = dir.resolve("missing.img");
        assertThatThrownBy(() -> Linux.open(missing, Linux.O_RDONLY))
                .isInstanceOf(LinuxException.class)
                .hasMessage("open " + missing + ": No such file or directory (ENOENT)")
                .extracting(e -> ((LinuxException) e).errno())
                .isEqualTo(2);
    }

    @Test
    void shouldRefuseToCloseADescriptorThatIsNotOpen() {
        assertThatThrownBy(() -> Linux.close(1_000_000)).hasMessageContaining("EBADF");
    }

    @Test
    void shouldPunchHolesAndFindThem() throws IOException {
        write("x".repeat(3 * MIB), 0, 0);
        Linux.fallocate(fd, Linux.FALLOC_FL_PUNCH_HOLE | Linux.FALLOC_FL_KEEP_SIZE, MIB, MIB);
        assertThat(Files.size(file)).isEqualTo(3 * MIB);
        assertThat(read(1, MIB, 0)).isEqualTo("\0");
        assertThat(Linux.nextHole(fd, 0)).hasValue(MIB);
        assertThat(Linux.nextData(fd, MIB)).hasValue(2 * MIB);
        assertThat(Linux.nextHole(fd, 2 * MIB)).hasValue(3 * MIB);
        assertThat(Linux.nextData(fd, 3 * MIB)).isEmpty();
        assertThat(Linux.nextHole(fd, 4 * MIB)).isEmpty();
    }

    @Test
    void shouldZeroARangeInPlace() throws IOException {
        write("abcdef", 0, 0);
        Linux.fallocate(fd, Linux.FALLOC_FL_ZERO_RANGE, 2, 2);
        assertThat(read(6, 0, 0)).isEqualTo("ab\0\0ef");
    }

    @Test
    void shouldAllocateSpace() throws IOException {
        Linux.fallocate(fd, 0, 0, MIB);
        assertThat(Files.size(file)).isEqualTo(MIB);
    }

    @Test
    void shouldNotAllocateMoreThanThereCanBe() {
        assertThatThrownBy(() -> Linux.fallocate(fd, 0, 0, Long.MAX_VALUE))
                .hasMessageMatching("fallocate: .*\\(EFBIG\\)");
        assertThatThrownBy(() -> Linux.fallocate(fd, 0, 0, -1)).hasMessageContaining("EINVAL");
        assertThatThrownBy(() -> Linux.nextData(1_000_000, 0)).hasMessageContaining("EBADF");
    }

    @Test
    void shouldSyncData() throws IOException {
        write("x", 0, 0);
        Linux.fdatasync(fd);
        assertThatThrownBy(() -> Linux.fdatasync(1_000_000)).hasMessage("fdatasync: Bad file descriptor (EBADF)");
    }

    @Test
    void shouldTellAFileSystemInMemory() throws IOException {
        Path shm = Path.of("/dev/shm");
        assumeTrue(Files.isDirectory(shm), "skipped: there is no /dev/shm");
        int memory = Linux.open(shm, Linux.O_RDONLY);
        assertThat(Linux.fileSystemType(memory)).isEqualTo(Linux.TMPFS_MAGIC);
        Linux.close(memory);
        assertThatThrownBy(() -> Linux.fileSystemType(1_000_000)).hasMessageContaining("EBADF");
    }

    @Test
    void shouldSayThatAFileIsNoBlockDevice() {
        assertThatThrownBy(() -> Linux.blockDeviceSizeBytes(fd))
                .hasMessage("ioctl BLKGETSIZE64: Inappropriate ioctl for device (ENOTTY)");
        assertThatThrownBy(() -> Linux.blockDeviceDiscard(fd, 0, MIB)).hasMessageContaining("ENOTTY");
    }

    @Test
    void shouldMeasureAndDiscardABlockDevice() throws Exception {
        write("x".repeat(4 * MIB), 0, 0);
        try (LoopDevice loop = LoopDevice.over(file)) {
            int device = Linux.open(loop.path(), Linux.O_RDWR);
            try {
                assertThat(Linux.blockDeviceSizeBytes(device)).isEqualTo(4 * MIB);
                Linux.blockDeviceDiscard(device, MIB, MIB);
            } finally {
                Linux.close(device);
            }
        }
        assertThat(Linux.nextHole(fd, 0)).hasValue(MIB);
    }

    @Test
    void shouldKeepTheNumbersAndTextsOfTheCLibrary() {
        for (Errno errno : Errno.values()) {
            assertThat(LibC.Bound.LIBC.strerror(errno.number()))
                    .as(errno.name())
                    .isEqualTo(errno.text());
            assertThat(Errno.ofText(errno.text())).hasValue(errno);
        }
        assertThat(Linux.failure("x", -4242)).hasMessage("x: Unknown error 4242 (errno 4242)");
    }

    private long write(String text, long offset, int flags) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        memory.put(0, bytes, 0, bytes.length);
        long n = Linux.pwritev2(fd, memory.address(), bytes.length, offset, flags);
        return n;
    }

    private String read(int length, long offset, int flags) {
        assertThat(Linux.preadv2(fd, memory.address(), length, offset, flags)).isEqualTo(length);
        byte[] bytes = new byte[length];
        memory.get(0, bytes, 0, length);
        return StandardCharsets.ISO_8859_1.decode(ByteBuffer.wrap(bytes)).toString();
    }
}
