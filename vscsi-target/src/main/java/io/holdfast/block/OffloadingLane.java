package io.holdfast.block;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all lanes have in common: writes that are inline while they are quick, calls on the pool, and completions that come
 * back to the lane's thread in batches. How it reads is a lane's own.
 */
public abstract class OffloadingLane implements IoLane {
    private static final Logger LOG = LoggerFactory.getLogger(OffloadingLane.class);

    /** The chunk in which the queue of completions grows. */
    private static final int QUEUE_CHUNK = 256;

    /** More idle operations than this are left to the garbage collector after a burst. */
    private static final int MAX_IDLE = 1024;

    private static final long PAGE_MASK = 4096 - 1;

    private final Executor thread;
    private final IoPool pool;
    private final Runnable afterBatch;
    private final Queue<PooledOperation> finished = new MpscUnboundedArrayQueue<>(QUEUE_CHUNK);
    private final AtomicBoolean drainScheduled = new AtomicBoolean();
    private final Runnable drain = this::drain;
    private @Nullable PooledOperation idle;
    private int idleCount;

    /**
     * @param thread runs tasks on the lane's thread: its event loop
     * @param afterBatch runs on the lane's thread after a batch of completions, to flush sockets once
     */
    protected OffloadingLane(Executor thread, IoPool pool, Runnable afterBatch) {
        this.thread = thread;
        this.pool = pool;
        this.afterBatch = afterBatch;
    }

    @Override
    public void write(OpenFile file, long offset, IoMemory from, IoCallback done) {
        int fd = file.descriptor();
        long startNs = System.nanoTime();
        InlineWrites inline = file.inlineWrites();
        if (fd == OpenFile.NO_DESCRIPTOR
                || !inline.allows(from.length(), startNs)
                || mayReadFirst(file, offset, from.length())) {
            writeInPool(file, offset, from, 0, done);
            return;
        }
        boolean watched = inline.watching(startNs);
        long waitsBefore = watched ? Linux.voluntaryContextSwitches() : 0;
        int length = from.length();
        long n = writeNow(file, fd, offset, from);
        long endNs = System.nanoTime();
        // In memory there is nothing to wait for, and no better way than this one.
        if (InlineWrites.isSlow(startNs, endNs) && !file.inMemory()) {
            judgeSlow(inline, watched, waitsBefore, endNs);
        }
        if (n == length) {
            done.done(null);
        } else if (n >= 0 || n == -Errno.EAGAIN.number()) {
            writeInPool(file, offset, from, (int) Math.max(n, 0), done);
        } else {
            done.done(BlockErrors.of(
                    "write " + length + " bytes at " + offset + " of " + file.name(), Linux.failure("pwritev2", n)));
        }
    }

    private static void judgeSlow(InlineWrites inline, boolean watched, long waitsBefore, long endNs) {
        if (!watched) {
            inline.slow(endNs);
        } else if (Linux.voluntaryContextSwitches() != waitsBefore) {
            inline.waited(endNs);
        }
    }

    /**
     * True if the kernel may have to read a page from the disk before it can write a part of it, and cannot be asked not
     * to wait for that.
     */
    private static boolean mayReadFirst(OpenFile file, long offset, int length) {
        return ((offset | length) & PAGE_MASK) != 0 && !file.inMemory() && !file.nowaitWrites();
    }

    private static long writeNow(OpenFile file, int fd, long offset, IoMemory from) {
        if (file.nowaitWrites()) {
            long n = Linux.pwritev2(fd, from.address(), from.length(), offset, Linux.RWF_NOWAIT);
            // Some file systems take the flag for direct writes only and say EINVAL (generic_write_checks in
            // fs/read_write.c);
            // an EINVAL that has another reason comes again below.
            if (n != -Errno.EOPNOTSUPP.number() && n != -Errno.EINVAL.number()) {
                return n;
            }
            file.refusedNowaitWrites();
            if (mayReadFirst(file, offset, from.length())) {
                return -Errno.EAGAIN.number();
            }
        }
        return Linux.pwritev2(fd, from.address(), from.length(), offset, 0);
    }

    /** Reads here and now what needs no waiting, and the rest on the pool. On the lane's thread. */
    protected final void readInPlace(OpenFile file, long offset, IoMemory into, IoCallback done) {
        int fd = file.descriptor();
        boolean inline = fd != OpenFile.NO_DESCRIPTOR && (file.nowaitReads() || file.inMemory());
        int length = into.length();
        long n = inline ? readNow(file, fd, offset, into) : 0;
        if (n == length) {
            done.done(null);
        } else if (n >= 0 || mustWait(n)) {
            // Also at the end of the file: the pool's second try tells a short page cache from a short file.
            readInPool(file, offset, into, (int) Math.max(n, 0), done);
        } else {
            done.done(readFailure(file, offset, into, "preadv2", n));
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

    @Override
    public final void offload(BlockingCall call, IoCallback done) {
        PooledOperation operation = take();
        operation.call(call, done);
        submit(operation, done);
    }

    @Override
    public final void execute(Runnable task) {
        thread.execute(task);
    }

    /** Reads what is left after {@code doneBytes} on the pool. On the lane's thread. */
    protected final void readInPool(OpenFile file, long offset, IoMemory into, int doneBytes, IoCallback done) {
        PooledOperation operation = take();
        operation.transfer(PooledOperation.Work.READ, file, offset, into, doneBytes, done);
        submit(operation, done);
    }

    /** True if a result of the kernel says: not here and now, but perhaps in the pool. */
    protected static boolean mustWait(long result) {
        return result == -Errno.EAGAIN.number() || result == -Errno.EINTR.number();
    }

    /** What a read's negative result means. */
    protected static BlockError readFailure(OpenFile file, long offset, IoMemory into, String call, long result) {
        return BlockErrors.of(
                "read " + into.length() + " bytes at " + offset + " of " + file.name(), Linux.failure(call, result));
    }

    /** Writes what is left after {@code doneBytes} on the pool. On the lane's thread. */
    protected final void writeInPool(OpenFile file, long offset, IoMemory from, int doneBytes, IoCallback done) {
        PooledOperation operation = take();
        operation.transfer(PooledOperation.Work.WRITE, file, offset, from, doneBytes, done);
        submit(operation, done);
    }

    private void submit(PooledOperation operation, IoCallback done) {
        if (!pool.offer(operation)) {
            done.done(pool.refusal());
        }
    }

    private PooledOperation take() {
        PooledOperation first = idle;
        if (first == null) {
            return new PooledOperation(this);
        }
        idle = first.nextIdle;
        first.nextIdle = null;
        idleCount--;
        return first;
    }

    /** On the lane's thread: the operation may be used again. */
    final void idle(PooledOperation operation) {
        if (idleCount < MAX_IDLE) {
            operation.nextIdle = idle;
            idle = operation;
            idleCount++;
        }
    }

    /** On a pool thread: the operation is to be completed on the lane's. */
    final void finished(PooledOperation operation) {
        finished.add(operation);
        if (drainScheduled.compareAndSet(false, true)) {
            try {
                thread.execute(drain);
            } catch (RejectedExecutionException e) {
                // The loop has ended, and the connections with it: nobody is left to be told.
                LOG.debug("completions are dropped: the lane's thread has ended", e);
            }
        }
    }

    private void drain() {
        // Cleared before the queue is emptied: what is added from now on schedules another drain, so nothing is
        // stranded.
        drainScheduled.set(false);
        PooledOperation operation = finished.poll();
        if (operation == null) {
            return;
        }
        do {
            try {
                operation.complete();
            } catch (RuntimeException | Error e) {
                // One callback's fault must not keep the others from hearing of theirs.
                LOG.error("a callback failed", e);
            }
            operation = finished.poll();
        } while (operation != null);
        afterBatch.run();
    }
}
