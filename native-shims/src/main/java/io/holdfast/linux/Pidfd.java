package io.holdfast.linux;

/**
 * A process held by a descriptor (pidfd_open(2)): unlike its number it cannot come to mean another process. Not
 * thread-safe.
 */
public final class Pidfd implements AutoCloseable {
    // The same numbers on every architecture (they are newer than the common table).
    private static final long SYS_PIDFD_OPEN = 434;
    private static final long SYS_PIDFD_GETFD = 438;

    private static final int CLOSED = -1;

    private final long pid;
    private int fd;

    private Pidfd(long pid, int fd) {
        this.pid = pid;
        this.fd = fd;
    }

    /** ESRCH if there is no such process. */
    public static Pidfd open(long pid) throws LinuxException {
        return new Pidfd(pid, (int) Linux.syscall("pidfd_open " + pid, SYS_PIDFD_OPEN, pid, 0, 0));
    }

    public long pid() {
        return pid;
    }

    /**
     * A descriptor of ours for what the process knows under a number of its own (pidfd_getfd(2)); the caller closes it.
     * EPERM unless we could trace the process.
     */
    public int duplicate(int theirFd) throws LinuxException {
        return (int) Linux.syscall("pidfd_getfd " + pid + " " + theirFd, SYS_PIDFD_GETFD, fd, theirFd, 0);
    }

    /**
     * Has the kernel write a range of the process's memory to where it came from, or to swap, and forget it
     * (process_madvise(2), MADV_PAGEOUT). EPERM unless we could trace the process, and without CAP_SYS_NICE.
     *
     * @return how many bytes were advised
     */
    public long pageOut(long address, long lengthBytes) throws LinuxException {
        return Linux.pageOut(fd, address, lengthBytes);
    }

    @Override
    public void close() throws LinuxException {
        if (fd != CLOSED) {
            int closing = fd;
            fd = CLOSED;
            Linux.close(closing);
        }
    }
}
