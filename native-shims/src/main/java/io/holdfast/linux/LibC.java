package io.holdfast.linux;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import jnr.ffi.annotations.Variadic;

/**
 * The C library's functions, as jnr-ffi binds them. Addresses are plain {@code long}s: what they point to is laid out by
 * the callers, because jnr's {@code Struct} does not pad its tail.
 *
 * <p>Public only because jnr-ffi's generated classes must see it; call {@link Linux} instead.
 */
public interface LibC {

    @Variadic(fixedCount = 2)
    int open(String path, int flags, int mode);

    int close(int fd);

    long preadv2(int fd, long iovecs, int count, long offset, int flags);

    long pwritev2(int fd, long iovecs, int count, long offset, int flags);

    int fallocate(int fd, int mode, long offset, long length);

    long lseek(int fd, long offset, int whence);

    int fdatasync(int fd);

    int fstatfs(int fd, long result);

    @Variadic(fixedCount = 2)
    int ioctl(int fd, long request, long argument);

    @Variadic(fixedCount = 2)
    int fcntl(int fd, int command, long argument);

    int shutdown(int fd, int how);

    int mlockall(int flags);

    int getsockopt(int fd, int level, int name, long value, long length);

    @Variadic(fixedCount = 1)
    long syscall(long number, long first, long second, long third);

    @Variadic(fixedCount = 1)
    long syscall(long number, long first, long second, long third, long fourth, long fifth);

    String strerror(int errno);

    /** The one instance, bound at first use. */
    final class Bound {
        static final LibC LIBC;
        static final Runtime RUNTIME;

        static {
            JnrSettings.apply();
            LIBC = LibraryLoader.create(LibC.class).load("libc.so.6");
            RUNTIME = Runtime.getRuntime(LIBC);
        }

        private Bound() {}
    }
}
