package io.holdfast.block;

import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jctools.queues.MpscUnboundedArrayQueue;

/**
 * The writes of one file that are expected only to copy into the page cache, and wait for the one thread that makes them.
 * One, because the kernel takes them one at a time for each file; it finds many waiting when it comes, and answers many at
 * once. Without locks: loop and thread are at it at the same time.
 *
 * <pre>
 *          pending 0 → 1                       pending → 0
 *   IDLE ─────────────────► a thread is sent ───────────────► IDLE
 * </pre>
 */
final class CachedWrites implements Runnable {
    /** The chunk in which the queue grows. */
    private static final int QUEUE_CHUNK = 64;

    /** Writes that end before their lane is woken: they take microseconds, and waking it for each costs as much. */
    private static final int ANNOUNCE_EVERY = 16;

    private final Queue<PooledOperation> waiting = new MpscUnboundedArrayQueue<>(QUEUE_CHUNK);
    // Those that wait, and those that the thread has taken since it last counted.
    private final AtomicInteger pending = new AtomicInteger();

    /** How many wait. */
    int size() {
        return pending.get();
    }

    /** @return true if the caller must send a thread to {@link #run}, or say {@link #threadMissing} */
    boolean add(PooledOperation write) {
        waiting.add(write);
        return pending.getAndIncrement() == 0;
    }

    /** On a thread of the pool: does what waits. */
    @Override
    public void run() {
        takeAll(PooledOperation::run);
    }

    /** The thread that was needed cannot be had: nobody else will come to what waits. */
    void threadMissing(BlockError why) {
        takeAll(write -> write.refused(why));
    }

    private void takeAll(Consumer<PooledOperation> action) {
        int count = pending.get();
        while (count > 0) {
            take(count, action);
            count = pending.addAndGet(-count);
        }
    }

    private void take(int count, Consumer<PooledOperation> action) {
        int unannounced = 0;
        PooledOperation write = waiting.poll();
        for (int i = 1; write != null; i++) {
            // From its end on the operation belongs to its lane again.
            OffloadingLane lane = write.lane();
            action.accept(write);
            unannounced++;
            write = i < count ? waiting.poll() : null;
            if (write == null || write.lane() != lane || unannounced == ANNOUNCE_EVERY) {
                lane.announceFinished();
                unannounced = 0;
            }
        }
    }
}
