package io.holdfast.management;

import io.holdfast.block.BlockError;
import io.holdfast.block.FileBackend;
import io.holdfast.block.IoPool;
import io.holdfast.block.StorageProbe;
import io.holdfast.control.ControlServer;
import io.holdfast.control.RaisedEvent;
import io.holdfast.scsi.StorageListener;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells agents when the storage of a logical unit fails or hangs, so that the VMs on it are frozen and no others, and when
 * it is well again.
 *
 * <pre>
 *   well ──(a failure, a command that hangs, an image that is gone)──► raised
 *     ▲──(no failure for a second, nothing hangs, a probe succeeds)──────┘
 * </pre>
 *
 * <p>Failures come from event loops and threads of the pool, the rest is done by a clock of its own.
 */
final class UnitWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(UnitWatch.class);
    private static final int LOOK_MS = 250;
    /** So long nothing may have failed before storage is believed to be well. */
    private static final int CALM_MS = 1_000;
    /** What a full file system must have before guests may go on, or they are stopped again at once. */
    private static final long SPACE_BYTES = 16L << 20;

    private final Supplier<@Nullable ControlServer> agents;
    private final List<Unit> units = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "holdfast-unit-watch");
        thread.setDaemon(true);
        return thread;
    });

    /** @param agents whom to tell; null while there is no control port yet */
    UnitWatch(Supplier<@Nullable ControlServer> agents) {
        this.agents = agents;
    }

    /** Watches one more. Its failures are to be told to what is returned. */
    StorageListener watch(String target, FileBackend backend, IoPool pool) {
        Unit unit = new Unit(target, backend, new StorageProbe(backend, pool));
        units.add(unit);
        return unit;
    }

    void start() {
        clock.scheduleWithFixedDelay(() -> units.forEach(Unit::look), LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }

    /** What an agent calls such a failure; null for one that is no fault of the storage. */
    static @Nullable String eventOf(BlockError.Kind kind) {
        return switch (kind) {
            case NO_SPACE -> RaisedEvent.STORAGE_FULL;
            case MEDIUM -> RaisedEvent.STORAGE_ERROR;
            case UNREACHABLE -> RaisedEvent.STORAGE_GONE;
            case READ_ONLY -> RaisedEvent.STORAGE_READ_ONLY;
            case OUT_OF_RANGE, UNSUPPORTED -> null;
        };
    }

    /** One logical unit. Thread-safe: its state is guarded by itself, and never held while something is asked. */
    private final class Unit implements StorageListener {
        private final String target;
        private final FileBackend backend;
        private final StorageProbe probe;
        private @Nullable RaisedEvent raised;
        private int overdue;
        private long lastFailureNs;

        Unit(String target, FileBackend backend, StorageProbe probe) {
            this.target = target;
            this.backend = backend;
            this.probe = probe;
        }

        @Override
        public void failed(BlockError failure) {
            String event = backend.lostWrites() ? RaisedEvent.STORAGE_LOST_WRITES : eventOf(failure.kind());
            if (event != null && !(failure.kind() == BlockError.Kind.READ_ONLY && backend.readOnly())) {
                raise(event, failure.detail());
            }
        }

        @Override
        public synchronized void overdue(int change) {
            overdue += change;
            if (change > 0) {
                raise(RaisedEvent.STORAGE_STALLED, backend.describe() + " has not answered a command for too long");
            }
        }

        private synchronized void raise(String event, String detail) {
            lastFailureNs = System.nanoTime();
            ControlServer to = agents.get();
            boolean worse =
                    raised == null || event.equals(RaisedEvent.STORAGE_LOST_WRITES) && !raised.is(event, target);
            if (worse && to != null) {
                RaisedEvent before = raised;
                RaisedEvent now = new RaisedEvent(event, target, detail);
                raised = now;
                LOG.warn("{}: {}: {}; agents are told", target, event, detail);
                to.raise(now);
                if (before != null) {
                    to.clear(before);
                }
            }
        }

        void look() {
            BlockError absent = backend.absent();
            if (absent != null) {
                raise(RaisedEvent.STORAGE_GONE, absent.detail());
            } else if (calm()) {
                probe.ask(SPACE_BYTES, failure -> {
                    if (failure == null) {
                        well();
                    } else {
                        stillWrong();
                    }
                });
            }
        }

        private synchronized boolean calm() {
            return raised != null
                    && overdue == 0
                    && System.nanoTime() - lastFailureNs > TimeUnit.MILLISECONDS.toNanos(CALM_MS);
        }

        private synchronized void stillWrong() {
            lastFailureNs = System.nanoTime();
        }

        private synchronized void well() {
            RaisedEvent was = raised;
            ControlServer to = agents.get();
            if (was != null && to != null && calm()) {
                raised = null;
                LOG.info("{}: {} is over; agents are told", target, was.event());
                to.clear(new RaisedEvent(was.event(), target, "the storage answers again"));
            }
        }
    }
}
