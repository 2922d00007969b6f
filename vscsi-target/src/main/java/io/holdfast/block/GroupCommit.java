package io.holdfast.block;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the flushes of a file share fdatasyncs. Those that arrive while one runs wait for the next, never for the running
 * one: it may have passed their writes already.
 *
 * <pre>
 *           flush                    batch empty
 *   IDLE ──────────► RUNNING ──────────────────────► IDLE
 *                     │   ▲
 *                     └───┘ batch: all that waited; one fdatasync; answer them
 * </pre>
 *
 * <p>A failure stays: after a failed fdatasync Linux takes the pages for clean, so the next one would succeed although the
 * bytes are lost. Every later flush fails too, until the file is opened anew.
 *
 * <p>Any lane's thread; the sync runs on the pool.
 */
final class GroupCommit {
    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

    private final OpenFile file;
    private final IoLane.BlockingCall sync;
    private final Object lock = new Object();
    // Both guarded by lock.
    private List<Waiter> waiting = new ArrayList<>();
    private boolean running;
    private volatile @Nullable BlockError broken;

    private record Waiter(IoLane lane, IoCallback done) {}

    GroupCommit(OpenFile file, IoLane.BlockingCall sync) {
        this.file = file;
        this.sync = sync;
    }

    void flush(IoLane lane, IoCallback done) {
        BlockError lost = broken;
        if (lost != null) {
            done.done(lost);
            return;
        }
        synchronized (lock) {
            waiting.add(new Waiter(lane, done));
            if (running) {
                return;
            }
            running = true;
        }
        lane.offload(file, this::syncUntilNobodyWaits, this::offloaded);
    }

    /** Why data that was written may be lost, or null. */
    @Nullable
    BlockError broken() {
        return broken;
    }

    /** Acknowledged data may be lost: from now on flushes fail. */
    void breakFor(BlockError cause) {
        synchronized (lock) {
            if (broken != null) {
                return;
            }
            broken = new BlockError(
                    BlockError.Kind.MEDIUM,
                    "data of " + file.name() + " may not be durable since an earlier failure (" + cause.detail()
                            + "); flushes fail until it is opened again");
        }
        LOG.error(
                "data of {} could not be made durable: {}; its flushes fail until it is opened again",
                file.name(),
                cause.detail());
    }

    private void syncUntilNobodyWaits() {
        List<Waiter> batch = nextBatch();
        while (!batch.isEmpty()) {
            answer(batch, syncOnce());
            batch = nextBatch();
        }
    }

    private List<Waiter> nextBatch() {
        synchronized (lock) {
            List<Waiter> batch = waiting;
            waiting = new ArrayList<>();
            running = !batch.isEmpty();
            return batch;
        }
    }

    private @Nullable BlockError syncOnce() {
        BlockError before = broken;
        if (before != null) {
            return before;
        }
        try {
            sync.run();
        } catch (IOException e) {
            breakFor(BlockErrors.of("flush", e));
        } catch (RuntimeException | Error e) {
            breakFor(BlockErrors.of("flush", new IOException(e.toString(), e)));
        }
        // Not only the outcome of this call: a durable write may have failed while it ran.
        return broken;
    }

    private static void answer(List<Waiter> batch, @Nullable BlockError failure) {
        for (Waiter waiter : batch) {
            try {
                waiter.lane.execute(() -> waiter.done.done(failure));
            } catch (RuntimeException e) {
                LOG.debug("a flush is not answered: its lane's thread has ended", e);
            }
        }
    }

    /** The pool had no room: nothing runs, so nothing but this answers those who wait. */
    private void offloaded(@Nullable BlockError refusal) {
        if (refusal == null) {
            return;
        }
        List<Waiter> batch = nextBatch();
        while (!batch.isEmpty()) {
            answer(batch, refusal);
            batch = nextBatch();
        }
    }
}
