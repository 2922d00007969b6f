package io.holdfast.block;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import java.util.concurrent.Executor;

/**
 * The lane that needs nothing from its event loop but to run tasks. What the page cache holds is read inline with
 * {@code preadv2(RWF_NOWAIT)}; what would have to wait for a disk is read on the pool.
 */
public final class PortableLane extends OffloadingLane {

    public PortableLane(Executor thread, IoPool pool) {
        this(thread, pool, () -> {});
    }

    /** @param afterBatch see {@link OffloadingLane#OffloadingLane} */
    public PortableLane(Executor thread, IoPool pool, Runnable afterBatch) {
        super(thread, pool, afterBatch);
    }

    @Override
    public void read(OpenFile file, long offset, IoMemory into, IoCallback done) {
        int fd = file.descriptor();
        boolean inline = fd != OpenFile.NO_DESCRIPTOR && (file.nowaitReads() || file.inMemory());
        int length = into.length();
        long n = inline ? readNow(file, fd, offset, into) : 0;
        if (n == length) {
            done.done(null);
        } else if (n >= 0 || n == -Errno.EAGAIN.number()) {
            // Also at the end of the file: the pool's second try tells a short page cache from a short file.
            readInPool(file, offset, into, (int) Math.max(n, 0), done);
        } else {
            done.done(BlockErrors.of(
                    "read " + length + " bytes at " + offset + " of " + file.name(), Linux.failure("preadv2", n)));
        }
    }

    private static long readNow(OpenFile file, int fd, long offset, IoMemory into) {
        if (file.nowaitReads()) {
            long n = Linux.preadv2(fd, into.address(), into.length(), offset, Linux.RWF_NOWAIT);
            if (n != -Errno.EOPNOTSUPP.number()) {
                return n;
            }
            file.refusedNowaitReads();
        }
        // tmpfs does not know the flag, but has nothing to wait for either.
        return file.inMemory() ? Linux.preadv2(fd, into.address(), into.length(), offset, 0) : -Errno.EAGAIN.number();
    }
}
