package io.holdfast.linux;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.OptionalLong;
import jnr.ffi.LastError;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;

/**
 * Calls on files, devices and descriptors. Any thread. The native library is bound by the first call that needs it (60 to
 * 150 ms); {@link #bind()} does that at a moment of the caller's choice.
 *
 * <p>Descriptors are plain {@code int}s and addresses plain {@code long}s, as in C and with the same duties: who uses a
 * descriptor after closing it may reach another file.
 */
public final class Linux {
    /** Flags of {@link #open} (open(2)). */
    public static final int O_RDONLY = 0;

    public static final int O_RDWR = 2;
    /** Of a block device without {@code O_CREAT}: claims it, and fails with EBUSY if anything else has. */
    public static final int O_EXCL = 0x80;

    /** Reading does not change the time of the last access. EPERM unless the file is the caller's. */
    public static final int O_NOATIME = 0x40000;

    public static final int O_NONBLOCK = 0x800;

    public static final int O_CLOEXEC = 0x80000;

    /** Past the page cache. The one flag here whose value differs: arm64 has its own (asm/fcntl.h). */
    public static final int O_DIRECT = System.getProperty("os.arch", "").equals("aarch64") ? 0x10000 : 0x4000;

    /** Durable when the write returns, as if followed by fdatasync (pwritev2(2)). */
    public static final int RWF_DSYNC = 0x2;
    /** Fail with EAGAIN rather than wait for the disk (preadv2(2)). */
    public static final int RWF_NOWAIT = 0x8;

    /** The same number on every architecture: newer than their common table. */
    private static final long SYS_PROCESS_MADVISE = 440;

    private static final int MADV_PAGEOUT = 21;

    private static final int MCL_CURRENT = 1;
    private static final int MCL_FUTURE = 2;
    private static final int MCL_ONFAULT = 4;

    /** Modes of {@link #fallocate} (fallocate(2)). */
    public static final int FALLOC_FL_KEEP_SIZE = 0x1;

    public static final int FALLOC_FL_PUNCH_HOLE = 0x2;
    public static final int FALLOC_FL_ZERO_RANGE = 0x10;

    /** What {@link #fileSystemType} says of file systems that live in memory (statfs(2)). */
    public static final long TMPFS_MAGIC = 0x0102_1994L;

    public static final long RAMFS_MAGIC = 0x8584_58f6L;

    /** Ways of {@link #shutdown} (shutdown(2)). */
    public static final int SHUT_RD = 0;

    public static final int SHUT_WR = 1;
    public static final int SHUT_RDWR = 2;

    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final long BLKGETSIZE64 = 0x8008_1272L;
    private static final long BLKDISCARD = 0x1277L;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PEERCRED = 17;
    /** sizeof(struct statfs) is 120; the kernel may grow its spare part. */
    private static final int STATFS_BYTES = 256;
    /** struct ucred: pid, uid, gid. */
    private static final int UCRED_BYTES = 12;

    private Linux() {}

    /** Binds the native library now, so that later calls are quick. */
    public static void bind() {
        strerror(Errno.EIO.number());
    }

    /** Opens an existing file; {@code O_CLOEXEC} is added. */
    public static int open(Path path, int flags) throws LinuxException {
        int fd = LibC.Bound.LIBC.open(path.toString(), flags | O_CLOEXEC, 0);
        if (fd < 0) {
            throw lastError("open " + path);
        }
        return fd;
    }

    public static void close(int fd) throws LinuxException {
        // Not repeated on EINTR: Linux has released the descriptor by then (close(2)).
        if (LibC.Bound.LIBC.close(fd) < 0) {
            throw lastError("close " + fd);
        }
    }

    /**
     * Reads at an offset into memory at an address. Allocates nothing and throws nothing, for the hot path.
     *
     * @param flags 0 or {@link #RWF_NOWAIT}
     * @return how many bytes were read, 0 at the end of the file, or minus the {@code errno}
     */
    public static long preadv2(int fd, long address, int lengthBytes, long offset, int flags) {
        long iovec = Iovec.of(address, lengthBytes);
        long n;
        int errno;
        do {
            n = LibC.Bound.LIBC.preadv2(fd, iovec, 1, offset, flags);
            errno = n < 0 ? errno() : 0;
        } while (errno == Errno.EINTR.number());
        return n < 0 ? -errno : n;
    }

    /**
     * Writes at an offset from memory at an address. Allocates nothing and throws nothing, for the hot path.
     *
     * @param flags 0, {@link #RWF_NOWAIT} or {@link #RWF_DSYNC}
     * @return how many bytes were written, or minus the {@code errno}
     */
    public static long pwritev2(int fd, long address, int lengthBytes, long offset, int flags) {
        long iovec = Iovec.of(address, lengthBytes);
        long n;
        int errno;
        do {
            n = LibC.Bound.LIBC.pwritev2(fd, iovec, 1, offset, flags);
            errno = n < 0 ? errno() : 0;
        } while (errno == Errno.EINTR.number());
        return n < 0 ? -errno : n;
    }

    /** The exception for a negative result of {@link #preadv2} or {@link #pwritev2}. */
    public static LinuxException failure(String call, long negativeErrno) {
        return failed(call, (int) -negativeErrno);
    }

    /** @param mode {@code FALLOC_FL_…}, or 0 to allocate */
    public static void fallocate(int fd, int mode, long offset, long lengthBytes) throws LinuxException {
        int errno;
        do {
            errno = LibC.Bound.LIBC.fallocate(fd, mode, offset, lengthBytes) < 0 ? errno() : 0;
        } while (errno == Errno.EINTR.number());
        if (errno != 0) {
            throw failed("fallocate", errno);
        }
    }

    /** The first offset at or after this one that holds data; empty if there is only a hole up to the end. */
    public static OptionalLong nextData(int fd, long offset) throws LinuxException {
        return seek(fd, offset, SEEK_DATA);
    }

    /** The first offset at or after this one in a hole; the end of the file counts as one. Empty beyond the end. */
    public static OptionalLong nextHole(int fd, long offset) throws LinuxException {
        return seek(fd, offset, SEEK_HOLE);
    }

    private static OptionalLong seek(int fd, long offset, int whence) throws LinuxException {
        long at = LibC.Bound.LIBC.lseek(fd, offset, whence);
        if (at >= 0) {
            return OptionalLong.of(at);
        }
        int errno = errno();
        if (errno == Errno.ENXIO.number()) {
            return OptionalLong.empty();
        }
        throw failed(whence == SEEK_DATA ? "lseek SEEK_DATA" : "lseek SEEK_HOLE", errno);
    }

    public static void fdatasync(int fd) throws LinuxException {
        int errno;
        do {
            errno = LibC.Bound.LIBC.fdatasync(fd) < 0 ? errno() : 0;
        } while (errno == Errno.EINTR.number());
        if (errno != 0) {
            throw failed("fdatasync", errno);
        }
    }

    /** The file system's magic number (statfs(2)). */
    public static long fileSystemType(int fd) throws LinuxException {
        Pointer result = allocate(STATFS_BYTES);
        try {
            if (LibC.Bound.LIBC.fstatfs(fd, result.address()) < 0) {
                throw lastError("fstatfs");
            }
            return result.getLong(0);
        } finally {
            Reference.reachabilityFence(result);
        }
    }

    /** The size of a block device, in bytes. ENOTTY if it is none. */
    public static long blockDeviceSizeBytes(int fd) throws LinuxException {
        Pointer size = allocate(Long.BYTES);
        try {
            if (LibC.Bound.LIBC.ioctl(fd, BLKGETSIZE64, size.address()) < 0) {
                throw lastError("ioctl BLKGETSIZE64");
            }
            return size.getLong(0);
        } finally {
            Reference.reachabilityFence(size);
        }
    }

    /** Tells a block device to forget a range, which need not read as zeroes afterwards. Both in multiples of its blocks. */
    public static void blockDeviceDiscard(int fd, long offset, long lengthBytes) throws LinuxException {
        Pointer range = allocate(2 * Long.BYTES);
        range.putLong(0, offset);
        range.putLong(Long.BYTES, lengthBytes);
        try {
            if (LibC.Bound.LIBC.ioctl(fd, BLKDISCARD, range.address()) < 0) {
                throw lastError("ioctl BLKDISCARD");
            }
        } finally {
            Reference.reachabilityFence(range);
        }
    }

    /** Where a direct buffer's first byte is, whatever its position. Valid for as long as the buffer is reachable. */
    public static long addressOf(ByteBuffer direct) {
        return Pointer.wrap(LibC.Bound.RUNTIME, direct.duplicate().clear()).address();
    }

    /** Calls on a descriptor fail with EAGAIN from now on where they would wait, for whoever else holds it too. */
    public static void dontBlock(int fd) throws LinuxException {
        int flags = LibC.Bound.LIBC.fcntl(fd, F_GETFL, 0);
        if (flags < 0 || LibC.Bound.LIBC.fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
            throw lastError("fcntl " + fd);
        }
    }

    /** Ends a socket's connection whoever else holds it. {@code how}: {@code SHUT_…}. */
    public static void shutdown(int fd, int how) throws LinuxException {
        if (LibC.Bound.LIBC.shutdown(fd, how) < 0) {
            throw lastError("shutdown");
        }
    }

    /**
     * Whatever this process has touched and will touch, of its own memory and of files it has mapped, stays in memory
     * (mlockall(2)); what it only reserves takes none. ENOMEM or EPERM where {@code RLIMIT_MEMLOCK} is smaller than all that the
     * process maps, unless it has CAP_IPC_LOCK.
     */
    public static void lockMemory() throws LinuxException {
        if (LibC.Bound.LIBC.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0) {
            throw lastError("mlockall");
        }
    }

    /** Who is at the other end of an AF_UNIX connection (SO_PEERCRED, unix(7)). */
    public static PeerCredentials peerCredentials(int fd) throws LinuxException {
        Pointer memory = allocate(UCRED_BYTES + Integer.BYTES);
        memory.putInt(UCRED_BYTES, UCRED_BYTES);
        try {
            long address = memory.address();
            if (LibC.Bound.LIBC.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, address, address + UCRED_BYTES) < 0) {
                throw lastError("getsockopt SO_PEERCRED");
            }
            return new PeerCredentials(memory.getInt(0), memory.getInt(4), memory.getInt(8));
        } finally {
            Reference.reachabilityFence(memory);
        }
    }

    /** A call by its number, for what the C library may lack. */
    static long syscall(String name, long number, long first, long second, long third) throws LinuxException {
        long result = LibC.Bound.LIBC.syscall(number, first, second, third);
        if (result < 0) {
            throw lastError(name);
        }
        return result;
    }

    /** process_madvise(2) of one range with MADV_PAGEOUT. */
    static long pageOut(int pidfd, long address, long lengthBytes) throws LinuxException {
        Pointer range = allocate(2 * Long.BYTES);
        range.putLong(0, address);
        range.putLong(Long.BYTES, lengthBytes);
        try {
            long result = LibC.Bound.LIBC.syscall(SYS_PROCESS_MADVISE, pidfd, range.address(), 1, MADV_PAGEOUT, 0);
            if (result < 0) {
                throw lastError("process_madvise");
            }
            return result;
        } finally {
            Reference.reachabilityFence(range);
        }
    }

    private static Pointer allocate(int sizeBytes) {
        return Memory.allocateDirect(LibC.Bound.RUNTIME, sizeBytes, true);
    }

    private static int errno() {
        return LastError.getLastError(LibC.Bound.RUNTIME);
    }

    private static LinuxException lastError(String call) {
        return failed(call, errno());
    }

    /** The one place where an {@code errno} becomes an exception. */
    private static LinuxException failed(String call, int errno) {
        String name = Errno.ofNumber(errno).map(Enum::name).orElse("errno " + errno);
        return new LinuxException(call, errno, strerror(errno) + " (" + name + ")");
    }

    private static String strerror(int errno) {
        return LibC.Bound.LIBC.strerror(errno);
    }

    /** One struct iovec per thread: pointer and length, 16 bytes. */
    private static final class Iovec {
        private static final ThreadLocal<Pointer> OF_THREAD = ThreadLocal.withInitial(() -> allocate(16));

        static long of(long address, int lengthBytes) {
            Pointer iovec = OF_THREAD.get();
            iovec.putLong(0, address);
            iovec.putLong(8, lengthBytes);
            return iovec.address();
        }
    }
}
