package io.holdfast.block;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The threads on which calls that may block are made. Any thread.
 *
 * <p>Each file has its share of threads and no file can take another's: an image whose storage hangs keeps its own threads
 * in the kernel for as long as that lasts, and nobody else waits for them. So there are at most as many threads as the
 * files have shares; they come when they are needed, and go when they have been idle for a while.
 *
 * <p>How much waits is bounded by the callers: each connection has a window of commands. The limit for a file is the net
 * below that, and hitting it fails operations instead of growing without end.
 */
public final class IoPool implements AutoCloseable {
    /** Enough to keep a disk busy beside long calls (fdatasync, hole punching); they sleep most of the time. */
    public static final int DEFAULT_THREADS_OF_A_FILE = 8;

    /** Operations of one file that may wait for a thread: hundreds of connections with full command windows. */
    public static final int MAX_WAITING = 65_536;

    private static final String CLOSED = "the I/O pool is closed";
    private static final long IDLE_THREAD_LIFE_S = 30;

    private final ThreadPoolExecutor threads;
    private final int threadsOfAFile;
    private final int maxWaiting;

    public IoPool() {
        this(DEFAULT_THREADS_OF_A_FILE, MAX_WAITING);
    }

    /**
     * @param threadsOfAFile how many calls of one file may block at the same time, 1 or more
     * @param maxWaiting how many operations of one file may wait for a thread, 1 or more
     */
    public IoPool(int threadsOfAFile, int maxWaiting) {
        this.threadsOfAFile = threadsOfAFile;
        this.maxWaiting = maxWaiting;
        AtomicInteger number = new AtomicInteger();
        // No queue of its own: what waits, waits at its file.
        threads = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, IDLE_THREAD_LIFE_S, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
                    Thread thread = new Thread(task, "holdfast-io-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    /** Runs an operation that may block for as long as the file's storage likes, or tells it why it cannot be. */
    void run(PooledOperation operation) {
        if (threads.isShutdown()) {
            operation.refused(unreachable(CLOSED));
            return;
        }
        IoQueue queue = operation.calls();
        switch (queue.add(operation, threadsOfAFile, maxWaiting)) {
            case WAITS -> {}
            case NEEDS_THREAD ->
                sendThread(queue::run, why -> queue.threadMissing().forEach(task -> task.refused(why)));
            case FULL -> operation.refused(tooMany(threadsOfAFile));
        }
    }

    /** Runs a write that is expected only to copy into the page cache. */
    void runCachedWrite(PooledOperation write) {
        if (threads.isShutdown()) {
            write.refused(unreachable(CLOSED));
            return;
        }
        CachedWrites writes = write.file().cachedWrites();
        if (writes.size() >= maxWaiting) {
            write.refused(tooMany(1));
        } else if (writes.add(write)) {
            sendThread(writes, writes::threadMissing);
        }
    }

    private void sendThread(Runnable work, Consumer<BlockError> ifThereIsNone) {
        try {
            threads.execute(work);
        } catch (RejectedExecutionException e) {
            ifThereIsNone.accept(unreachable(CLOSED));
        } catch (OutOfMemoryError e) {
            // What Java says when the system gives no more threads. Those that are there go on.
            ifThereIsNone.accept(unreachable("this machine gives no more threads: " + e.getMessage()));
        }
    }

    private BlockError tooMany(int maxThreads) {
        return unreachable(maxWaiting + " operations wait for the " + maxThreads + " threads of this file");
    }

    private static BlockError unreachable(String why) {
        return new BlockError(BlockError.Kind.UNREACHABLE, why);
    }

    /**
     * Takes nothing more, and waits for what it has taken.
     *
     * @return false if that was not done in time; what is left goes on, on daemon threads. Never interrupted: an interrupt
     *     would close the file channel for everybody.
     */
    public boolean close(Duration patience) {
        threads.shutdown();
        try {
            return threads.awaitTermination(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Takes nothing more, and does not wait. */
    @Override
    public void close() {
        threads.shutdown();
    }
}
