package io.holdfast.block;

import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads on which calls that may block are made, shared by all lanes. Any thread.
 *
 * <p>How much waits in it is bounded by the callers: each connection has a window of commands. The limit of the queue is
 * the net below that, and hitting it fails operations instead of growing without end.
 */
public final class IoPool implements AutoCloseable {
    /** Enough to keep a few disks busy beside long calls (fdatasync, hole punching); they sleep most of the time. */
    public static final int DEFAULT_THREADS = 8;

    /** Operations that may wait for a thread: hundreds of connections with full command windows. */
    public static final int MAX_WAITING = 65_536;

    private static final long IDLE_THREAD_LIFE_S = 30;

    private final ThreadPoolExecutor threads;
    private final int maxWaiting;

    public IoPool() {
        this(DEFAULT_THREADS, MAX_WAITING);
    }

    /**
     * @param threadCount 1 or more
     * @param maxWaiting how many operations may wait for a thread, 1 or more
     */
    public IoPool(int threadCount, int maxWaiting) {
        this.maxWaiting = maxWaiting;
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(
                threadCount,
                threadCount,
                IDLE_THREAD_LIFE_S,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(maxWaiting),
                task -> {
                    Thread thread = new Thread(task, "holdfast-io-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /** @return false if the task was refused; {@link #refusal} says why */
    boolean offer(Runnable task) {
        try {
            threads.execute(task);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    BlockError refusal() {
        String why = threads.isShutdown()
                ? "the I/O pool is closed"
                : "the I/O pool is full: " + maxWaiting + " operations wait for its " + threads.getCorePoolSize()
                        + " threads";
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
