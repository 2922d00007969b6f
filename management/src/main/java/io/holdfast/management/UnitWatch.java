package io.holdfast.management;

import io.holdfast.block.BlockError;
import io.holdfast.block.FileBackend;
import io.holdfast.block.IoPool;
import io.holdfast.block.StorageProbe;
import io.holdfast.control.ControlServer;
import io.holdfast.control.RaisedEvent;
import io.holdfast.scsi.StorageListener;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
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
 *     ▲──(no failure for a moment, nothing hangs, a probe succeeds)──────┘
 * </pre>
 *
 * <p>Whoever is frozen waits for the end of it, so what is raised is looked at more often. That storage which fails again
 * does not flap its VMs is the agents' affair: they wait longer each time.
 *
 * <p>Failures come from event loops and threads of the pool, the rest is done by a clock of its own.
 */
final class UnitWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(UnitWatch.class);
    private static final int LOOK_MS = 250;
    /** The same while something is raised. */
    private static final int LOOK_AGAIN_MS = 50;
    /** How many are looked at then; more take turns. A file system that is gone may have thousands of images. */
    private static final int LOOKS_AGAIN = 20;
    /** So long no command may have failed before storage is believed to be well: those under way end one after the other. */
    private static final int CALM_MS = 100;
    /** What fails again sooner than this after it was well has to be calm for twice as long, up to {@link #MOST_CALM_MS}. */
    private static final int RELAPSE_MS = 10_000;

    private static final int MOST_CALM_MS = 1_600;
    /** What a full file system must have before guests may go on, or they are stopped again at once. */
    private static final long SPACE_BYTES = 16L << 20;

    /** Whom to tell. */
    interface Agents {
        void raise(RaisedEvent event);

        void clear(RaisedEvent event);
    }

    private final Supplier<@Nullable Agents> agents;
    private final Runnable resized;
    private final LongSupplier clockNs;
    private final Set<Unit> units = ConcurrentHashMap.newKeySet();
    private final ScheduledExecutorService clock = new ScheduledThreadPoolExecutor(
            1,
            task -> {
                Thread thread = new Thread(task, "holdfast-unit-watch");
                thread.setDaemon(true);
                return thread;
            },
            // Storage may still fail while the server closes.
            new ThreadPoolExecutor.DiscardPolicy());
    /** What is raised, each once, in the order of the next look. */
    private final Queue<Unit> again = new ConcurrentLinkedQueue<>();

    private final AtomicBoolean againDue = new AtomicBoolean();
    private volatile boolean started;

    /**
     * @param agents null while there is no control port yet
     * @param resized called by the clock's thread when images have other sizes than before
     */
    UnitWatch(Supplier<@Nullable Agents> agents, Runnable resized) {
        this(agents, resized, System::nanoTime);
    }

    UnitWatch(Supplier<@Nullable Agents> agents, Runnable resized, LongSupplier clockNs) {
        this.agents = agents;
        this.resized = resized;
        this.clockNs = clockNs;
    }

    /** Agents of a control port. */
    static Agents of(ControlServer server) {
        return new Agents() {
            @Override
            public void raise(RaisedEvent event) {
                server.raise(event);
            }

            @Override
            public void clear(RaisedEvent event) {
                server.clear(event);
            }
        };
    }

    /** Watches one more, under one target. Its failures are to be told to what is returned. */
    StorageListener watch(String target, FileBackend backend, IoPool pool) {
        return watch(() -> List.of(target), () -> backend, pool);
    }

    /**
     * The same for a unit that may be shown under several targets, or none, and whose image may not be open yet.
     *
     * @param targets those of this moment
     * @param backend null until it is open
     */
    StorageListener watch(Supplier<List<String>> targets, Supplier<@Nullable FileBackend> backend, IoPool pool) {
        Unit unit = new Unit(targets, backend, pool);
        units.add(unit);
        return unit;
    }

    /** It is not served any more. */
    void forget(StorageListener listener) {
        if (listener instanceof Unit unit && units.remove(unit)) {
            unit.over();
        }
    }

    void start() {
        started = true;
        clock.scheduleWithFixedDelay(this::look, LOOK_MS, LOOK_MS, TimeUnit.MILLISECONDS);
        lookAgainSoon();
    }

    /** Looks at every unit once. */
    void look() {
        boolean otherSize = false;
        for (Unit unit : units) {
            otherSize |= unit.look();
        }
        if (otherSize) {
            resized.run();
        }
    }

    private void lookAgainSoon() {
        if (started && !again.isEmpty() && againDue.compareAndSet(false, true)) {
            clock.schedule(this::lookAgain, LOOK_AGAIN_MS, TimeUnit.MILLISECONDS);
        }
    }

    private void lookAgain() {
        againDue.set(false);
        for (int left = Math.min(LOOKS_AGAIN, again.size()); left > 0; left--) {
            Unit unit = again.remove();
            try {
                if (unit.look()) {
                    resized.run();
                }
            } finally {
                if (unit.staysRaised()) {
                    again.add(unit);
                }
                lookAgainSoon();
            }
        }
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
        private final Supplier<List<String>> targets;
        private final Supplier<@Nullable FileBackend> backend;
        private final IoPool pool;
        private @Nullable StorageProbe probe;
        private String raised = "";
        private String detail = "";
        /** Under which targets agents have been told. */
        private final Set<String> told = new TreeSet<>();

        private int overdue;
        private long lastFailureNs;
        private long calmMs = CALM_MS;
        /** When it became well. */
        private long wellNs;

        private long seenBytes = -1;
        /** It is in {@link #again}. */
        private boolean queued;

        Unit(Supplier<List<String>> targets, Supplier<@Nullable FileBackend> backend, IoPool pool) {
            this.targets = targets;
            this.backend = backend;
            this.pool = pool;
            lastFailureNs = clockNs.getAsLong();
            wellNs = lastFailureNs - TimeUnit.MILLISECONDS.toNanos(RELAPSE_MS);
        }

        @Override
        public void failed(BlockError failure) {
            FileBackend file = backend.get();
            boolean lost = file != null && file.lostWrites();
            boolean readOnly = file != null && file.readOnly();
            String event = lost ? RaisedEvent.STORAGE_LOST_WRITES : eventOf(failure.kind());
            if (event != null && !(failure.kind() == BlockError.Kind.READ_ONLY && readOnly)) {
                commandFailed();
                raise(event, failure.detail());
            }
        }

        private synchronized void commandFailed() {
            lastFailureNs = clockNs.getAsLong();
        }

        @Override
        public synchronized void overdue(int change) {
            overdue += change;
            if (change > 0) {
                raise(RaisedEvent.STORAGE_STALLED, "its storage has not answered a command for too long");
            }
        }

        private synchronized void raise(String event, String why) {
            boolean worse = raised.isEmpty()
                    || event.equals(RaisedEvent.STORAGE_LOST_WRITES) && !raised.equals(RaisedEvent.STORAGE_LOST_WRITES);
            Agents to = agents.get();
            if (!worse || to == null) {
                return;
            }
            String before = raised;
            if (before.isEmpty()) {
                boolean relapse = clockNs.getAsLong() - wellNs < TimeUnit.MILLISECONDS.toNanos(RELAPSE_MS);
                calmMs = relapse ? Math.min(2 * calmMs, MOST_CALM_MS) : CALM_MS;
            }
            Set<String> toldBefore = Set.copyOf(told);
            raised = event;
            detail = why;
            told.clear();
            if (!queued) {
                queued = true;
                again.add(this);
                lookAgainSoon();
            }
            LOG.warn("{}: {}: {}; agents are told", targets.get(), event, why);
            tell(to);
            toldBefore.forEach(target -> to.clear(new RaisedEvent(before, target, why)));
        }

        /** Under every target it has now: a client may have been given it since, or lost it. */
        private void tell(Agents to) {
            Set<String> now = new TreeSet<>(targets.get());
            for (String target : now) {
                if (told.add(target)) {
                    to.raise(new RaisedEvent(raised, target, detail));
                }
            }
            for (String gone : Set.copyOf(told)) {
                if (!now.contains(gone)) {
                    told.remove(gone);
                    to.clear(new RaisedEvent(raised, gone, "it is not shown there any more"));
                }
            }
        }

        /** @return true if its size is another than at the last look */
        boolean look() {
            FileBackend file = backend.get();
            BlockError absent = file == null ? null : file.absent();
            if (absent != null) {
                raise(RaisedEvent.STORAGE_GONE, absent.detail());
            }
            if (file != null && calm()) {
                probeOf(file).ask(SPACE_BYTES, failure -> {
                    if (failure == null) {
                        well("the storage answers again");
                    }
                });
            }
            tellIfRaised();
            return file != null && hasOtherSize(file.sizeBytes());
        }

        private synchronized boolean hasOtherSize(long sizeBytes) {
            boolean other = seenBytes >= 0 && sizeBytes != seenBytes;
            seenBytes = sizeBytes;
            return other;
        }

        /** To be looked at again soon? If not, it has left {@link #again}. */
        synchronized boolean staysRaised() {
            queued = !raised.isEmpty() && units.contains(this);
            return queued;
        }

        private synchronized StorageProbe probeOf(FileBackend file) {
            StorageProbe made = probe;
            if (made == null) {
                made = new StorageProbe(file, pool);
                probe = made;
            }
            return made;
        }

        private synchronized void tellIfRaised() {
            Agents to = agents.get();
            if (!raised.isEmpty() && to != null) {
                tell(to);
            }
        }

        private synchronized boolean calm() {
            return !raised.isEmpty()
                    && overdue == 0
                    && clockNs.getAsLong() - lastFailureNs > TimeUnit.MILLISECONDS.toNanos(calmMs);
        }

        private synchronized void well(String why) {
            if (calm()) {
                LOG.info("{}: {} is over; agents are told", told, raised);
                wellNs = clockNs.getAsLong();
                clear(why);
            }
        }

        synchronized void over() {
            if (!raised.isEmpty()) {
                clear("it is not served any more");
            }
        }

        private synchronized void clear(String why) {
            Agents to = agents.get();
            if (to != null) {
                told.forEach(target -> to.clear(new RaisedEvent(raised, target, why)));
                told.clear();
                raised = "";
            }
        }
    }
}
