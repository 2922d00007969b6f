package io.holdfast.iscsi;

import io.holdfast.block.IoCallback;
import io.holdfast.block.IoMemory;
import io.holdfast.block.IoPool;
import io.holdfast.block.OffloadingLane;
import io.holdfast.block.OpenFile;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.uring.IoUringIoEvent;
import io.netty.channel.uring.IoUringIoHandle;
import io.netty.channel.uring.IoUringIoOps;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The lane whose file reads go on the event loop's own io_uring, beside its sockets: one system call submits both and
 * waits for both, and a read that has to wait for the disk holds up nobody. Everything else is as in every
 * {@link OffloadingLane}: buffered writes on a ring are punted to a kernel worker and cost more than writing in place.
 */
final class RingLane extends OffloadingLane implements IoUringIoHandle {
    /** Reads in flight on one loop; more go to the pool. */
    static final int MAX_READS = 4096;

    /** IORING_OP_READ (linux/io_uring.h). */
    private static final byte OP_READ = 22;

    private final Read[] reads = new Read[MAX_READS];
    private final int[] free = new int[MAX_READS];
    private int freeCount = MAX_READS;
    private @Nullable IoRegistration registration;

    /** One read in flight. */
    private static final class Read {
        private @Nullable OpenFile file;
        private @Nullable IoMemory into;
        private @Nullable IoCallback done;
        private long offset;
        private int doneBytes;
    }

    private RingLane(IoEventLoop loop, IoPool pool) {
        super(loop, pool, () -> {});
        for (int i = 0; i < MAX_READS; i++) {
            free[i] = MAX_READS - 1 - i;
        }
    }

    /** Makes the lane of an event loop that runs on io_uring. */
    static RingLane on(IoEventLoop loop, IoPool pool) {
        RingLane lane = new RingLane(loop, pool);
        lane.registration = loop.register(lane).syncUninterruptibly().getNow();
        return lane;
    }

    @Override
    public void read(OpenFile file, long offset, IoMemory into, IoCallback done) {
        if (file.inMemory()) {
            // The kernel hands reads of a file system without RWF_NOWAIT to a worker: two more thread switches each.
            readInPlace(file, offset, into, done);
            return;
        }
        // Without RWF_NOWAIT the ring reads on a few workers of its own, and one file's storage that hangs would have
        // them all.
        if (file.descriptor() == OpenFile.NO_DESCRIPTOR
                || !file.nowaitReads()
                || !file.takesAsItIs(offset, into)
                || freeCount == 0) {
            readInPool(file, offset, into, 0, done);
            return;
        }
        int slot = free[--freeCount];
        Read read = reads[slot];
        if (read == null) {
            read = new Read();
            reads[slot] = read;
        }
        read.file = file;
        read.into = into;
        read.done = done;
        read.offset = offset;
        read.doneBytes = 0;
        submit(slot, read, file, into);
    }

    private void submit(int slot, Read read, OpenFile file, IoMemory into) {
        long at = read.offset + read.doneBytes;
        long address = into.address() + read.doneBytes;
        int length = into.length() - read.doneBytes;
        Objects.requireNonNull(registration)
                .submit(new IoUringIoOps(
                        OP_READ,
                        (byte) 0,
                        (short) 0,
                        file.descriptor(),
                        at,
                        address,
                        length,
                        0,
                        (long) slot,
                        (short) 0,
                        (short) 0,
                        0,
                        0L));
    }

    @Override
    public void handle(IoRegistration from, IoEvent event) {
        IoUringIoEvent completion = (IoUringIoEvent) event;
        int slot = (int) completion.userData();
        Read read = reads[slot];
        OpenFile file = Objects.requireNonNull(read.file);
        IoMemory into = Objects.requireNonNull(read.into);
        int result = completion.res();
        if (result > 0 && read.doneBytes + result < into.length()) {
            // Short: a signal, or the end of what was cached. The ring is asked for the rest.
            read.doneBytes += result;
            submit(slot, read, file, into);
            return;
        }
        IoCallback done = Objects.requireNonNull(read.done);
        long offset = read.offset;
        int doneBytes = read.doneBytes;
        read.file = null;
        read.into = null;
        read.done = null;
        free[freeCount++] = slot;
        if (result > 0) {
            done.done(null);
        } else if (result == 0 || mustWait(result)) {
            // At the end of the file the pool's try says in words what is wrong.
            readInPool(file, offset, into, doneBytes, done);
        } else {
            done.done(readFailure(file, offset, into, "io_uring read", result));
        }
    }

    @Override
    public void close() {
        // The loop closes its ring, and the kernel ends what is in flight.
    }
}
