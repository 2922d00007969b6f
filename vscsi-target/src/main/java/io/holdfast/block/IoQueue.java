package io.holdfast.block;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The operations of one file, or of something else that may block on its own, that wait for a thread of the {@link IoPool}, in the order in which they came, and how many
 * threads are at them. A thread that has come here stays until nothing waits: several operations may cost one hand-over.
 *
 * <p>Any thread; its own lock, held for moments.
 */
public final class IoQueue {
    private final Queue<PooledOperation> waiting = new ArrayDeque<>();
    private int threads;

    /** What became of an operation that was added. */
    enum Added {
        /** A thread that is here already will come to it. */
        WAITS,
        /** The caller must send one more thread to {@link #run()}, or say {@link #threadMissing}. */
        NEEDS_THREAD,
        /** Too many wait. */
        FULL
    }

    synchronized Added add(PooledOperation operation, int maxThreads, int maxWaiting) {
        if (threads >= maxThreads && waiting.size() >= maxWaiting) {
            return Added.FULL;
        }
        waiting.add(operation);
        if (threads >= maxThreads) {
            return Added.WAITS;
        }
        threads++;
        return Added.NEEDS_THREAD;
    }

    /** On a thread of the pool: does what waits. */
    void run() {
        PooledOperation operation = next();
        while (operation != null) {
            // From its end on the operation belongs to its lane again.
            OffloadingLane lane = operation.lane();
            operation.run();
            lane.announceFinished();
            operation = next();
        }
    }

    private synchronized @Nullable PooledOperation next() {
        PooledOperation operation = waiting.poll();
        if (operation == null) {
            threads--;
        }
        return operation;
    }

    /**
     * The thread that {@link Added#NEEDS_THREAD} asked for cannot be had.
     *
     * @return those that no thread will ever come to
     */
    synchronized List<PooledOperation> threadMissing() {
        threads--;
        if (threads > 0) {
            return List.of();
        }
        List<PooledOperation> stranded = new ArrayList<>(waiting);
        waiting.clear();
        return stranded;
    }
}
