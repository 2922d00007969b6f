package io.holdfast.block;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all lanes have in common: writes, calls on the pool, and completions that come back to the lane's thread in batches.
 * How it reads is a lane's own.
 */
public abstract class OffloadingLane implements IoLane {
    private static final Logger LOG = LoggerFactory.getLogger(OffloadingLane.class);

    /** The chunk in which the queue of completions grows. */
    private static final int QUEUE_CHUNK = 256;

    /** More idle operations than this are left to the garbage collector after a burst. */
    private static final int MAX_IDLE = 1024;

    /** Longer writes always go to the pool: the copy alone would hold up the other connections of the loop. */
    static final int MAX_INLINE_BYTES = 256 * 1024;

    /** Writes that are collected, until the end of the loop's turn, before a thread is woken for them. */
    private static final int MAX_COLLECTED = 32;

    private static final long PAGE_MASK = 4096 - 1;

    private final Executor thread;
    private final IoPool pool;
    private final Runnable afterBatch;
    private final Queue<PooledOperation> finished = new MpscUnboundedArrayQueue<>(QUEUE_CHUNK);
    private final AtomicBoolean drainScheduled = new AtomicBoolean();
    private final Runnable drain = this::drain;
    private final Queue<PooledOperation> collected = new ArrayDeque<>();
    private final Runnable handOver = this::handOver;
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

    /**
     * Inline only where the file lives in memory and the copy is short. Nowhere else does anything promise that a write
     * into the page cache does not wait: the kernel makes writers pause when too much is dirty (balance_dirty_pages), reads
     * the rest of a page that is written in part, waits for room in a journal, for pages under write-back, and for a frozen
     * file system, RWF_NOWAIT or not (sb_start_write comes before the flag is looked at). On a disk that hangs that is for
     * ever, and a loop that waits serves nobody.
     */
    @Override
    public void write(OpenFile file, long offset, IoMemory from, IoCallback done) {
        int length = from.length();
        if (length > MAX_INLINE_BYTES || !takesNow(file)) {
            writeInPool(file, offset, from, 0, done);
            return;
        }
        long n = Linux.pwritev2(file.descriptor(), from.address(), length, offset, 0);
        if (n == length) {
            done.done(null);
        } else if (n >= 0) {
            writeInPool(file, offset, from, (int) n, done);
        } else {
            done.done(BlockErrors.of(
                    "write " + length + " bytes at " + offset + " of " + file.name(), Linux.failure("pwritev2", n)));
        }
    }

    private static boolean takesNow(OpenFile file) {
        return file.descriptor() != OpenFile.NO_DESCRIPTOR && file.inMemory();
    }

    @Override
    public int writeNow(OpenFile file, long offset, IoMemory from, int lengthBytes) {
        if (!takesNow(file)) {
            return 0;
        }
        int length = Math.min(lengthBytes, MAX_INLINE_BYTES);
        return (int) Math.max(0, Linux.pwritev2(file.descriptor(), from.address(), length, offset, 0));
    }

    /** Reads here and now what needs no waiting, and the rest on the pool. On the lane's thread. */
    protected final void readInPlace(OpenFile file, long offset, IoMemory into, IoCallback done) {
        int fd = file.descriptor();
        boolean inline =
                fd != OpenFile.NO_DESCRIPTOR && file.direct() == null && (file.nowaitReads() || file.inMemory());
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
    public final void offload(IoQueue calls, BlockingCall call, IoCallback done) {
        PooledOperation operation = take();
        operation.call(calls, call, done);
        pool.run(operation);
    }

    @Override
    public final void execute(Runnable task) {
        thread.execute(task);
    }

    /** Reads what is left after {@code doneBytes} on the pool. On the lane's thread. */
    protected final void readInPool(OpenFile file, long offset, IoMemory into, int doneBytes, IoCallback done) {
        PooledOperation operation = take();
        operation.transfer(PooledOperation.Work.READ, file, offset, into, doneBytes, done);
        pool.run(operation);
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
    private void writeInPool(OpenFile file, long offset, IoMemory from, int doneBytes, IoCallback done) {
        PooledOperation operation = take();
        operation.transfer(PooledOperation.Work.WRITE, file, offset, from, doneBytes, done);
        if (file.direct() != null || mayReadFirst(offset, from.length())) {
            pool.run(operation);
            return;
        }
        // A loop that has read commands has mostly read several. Waking a thread for each write would cost as much
        // again.
        collected.add(operation);
        if (collected.size() == MAX_COLLECTED) {
            handOver();
        } else if (collected.size() == 1) {
            thread.execute(handOver);
        }
    }

    private void handOver() {
        PooledOperation operation = collected.poll();
        while (operation != null) {
            pool.runCachedWrite(operation);
            operation = collected.poll();
        }
    }

    /** True if the kernel may have to read a page from the disk before it can write a part of it. */
    private static boolean mayReadFirst(long offset, int length) {
        return ((offset | length) & PAGE_MASK) != 0;
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

    /** On any thread: the operation is to be completed on the lane's, once {@link #announceFinished} has been called. */
    final void finished(PooledOperation operation) {
        finished.add(operation);
    }

    /** On any thread: has the lane complete what is finished. */
    final void announceFinished() {
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
