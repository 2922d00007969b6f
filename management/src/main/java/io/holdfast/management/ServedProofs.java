package io.holdfast.management;

import io.holdfast.block.IoLane;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.UnitProver;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.UnitProof;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proves units for agents whom these do not let in, such as those of clients with a port name of their own. Nothing of it blocks:
 * commands go the way of initiators' commands. Thread-safe.
 *
 * <p>So many of a unit, and of all, are carried out at a time. The others wait in the order in which they were asked for, each until it
 * is given up: who asks says how long, and bounds how many. One unit whose storage hangs takes up no more than its own places, however
 * often it is asked about.
 */
final class ServedProofs implements UnitProver {
    private static final Logger log = LoggerFactory.getLogger(ServedProofs.class);

    /** More would only stand in each other's way, and in initiators': each writes the same block. */
    static final int MAX_OF_A_UNIT = 2;
    /** Each holds a few blocks of memory. It takes half as many units whose storage hangs to leave no place for others. */
    static final int MAX_RUNNING = 1024;

    /** What is served. */
    @FunctionalInterface
    interface Units {
        /** The logical unit at a target's LUN; null if there is none, and whatever is asked. */
        @Nullable
        LogicalUnit at(String target, int lun);
    }

    private final Supplier<@Nullable IoLane> lanes;
    private final Units units;
    private final int maxRunning;
    // All guarded by this, as is what a line holds.
    private final Map<LogicalUnit, Line> lines = new HashMap<>();
    /** Those with somebody in front who need not wait for a place at the unit. */
    private final Set<Line> ready = new LinkedHashSet<>();

    private int running;
    private boolean beginning;
    private boolean closed;

    /** @param lanes where they are carried out; null while nothing is served */
    ServedProofs(Supplier<@Nullable IoLane> lanes, Units units) {
        this(lanes, units, MAX_RUNNING);
    }

    ServedProofs(Supplier<@Nullable IoLane> lanes, Units units, int maxRunning) {
        this.lanes = lanes;
        this.units = units;
        this.maxRunning = maxRunning;
    }

    @Override
    public Runnable prove(ExportedUnit unit, Set<String> initiators, Consumer<String> answer) {
        IoLane lane = lanes.get();
        if (lane == null) {
            return refuse("the server does not serve", answer);
        }
        LogicalUnit there = units.at(unit.target(), unit.lun());
        if (there == null) {
            return refuse("the server has no such unit", answer);
        }
        UnitProof.Wanted wanted;
        try {
            wanted = new UnitProof.Wanted(UUID.fromString(unit.uuid()), unit.sizeBytes(), unit.readOnly(), initiators);
        } catch (IllegalArgumentException e) {
            return refuse("that is another unit, " + there.identity().uuid(), answer);
        }
        Asked asked = new Asked(there, wanted, lane, answer);
        if (!queue(asked)) {
            return refuse("the server does not serve", answer);
        }
        beginWhatMay();
        return asked::giveUp;
    }

    private static Runnable refuse(String objection, Consumer<String> answer) {
        answer.accept(objection);
        return () -> {};
    }

    private synchronized boolean queue(Asked asked) {
        if (closed) {
            return false;
        }
        Line line = lines.computeIfAbsent(asked.unit, unit -> new Line());
        line.waiting.add(asked);
        settle(asked.unit, line);
        return true;
    }

    /** Guarded by this: after each change of a line. */
    private void settle(LogicalUnit unit, Line line) {
        if (line.waiting.isEmpty() || line.running >= MAX_OF_A_UNIT) {
            ready.remove(line);
        } else {
            ready.add(line);
        }
        if (line.waiting.isEmpty() && line.running == 0) {
            lines.remove(unit);
        }
    }

    /** One thread at a time, which sees what others make possible meanwhile: one that ends at once makes no stack grow. */
    private void beginWhatMay() {
        synchronized (this) {
            if (beginning) {
                return;
            }
            beginning = true;
        }
        for (Asked next = next(); next != null; next = next()) {
            next.begin();
        }
    }

    private synchronized @Nullable Asked next() {
        if (ready.isEmpty() || running >= maxRunning) {
            beginning = false;
            return null;
        }
        Line line = ready.iterator().next();
        Asked first = line.waiting.iterator().next();
        line.waiting.remove(first);
        line.running++;
        running++;
        // Behind the other units.
        ready.remove(line);
        settle(first.unit, line);
        return first;
    }

    private synchronized void leave(LogicalUnit unit) {
        Line line = lines.get(unit);
        if (line != null) {
            line.running--;
            settle(unit, line);
        }
        running--;
        notifyAll();
    }

    /** True if it was still waiting. */
    private synchronized boolean leaveLine(Asked asked) {
        Line line = lines.get(asked.unit);
        if (line == null || !line.waiting.remove(asked)) {
            return false;
        }
        settle(asked.unit, line);
        return true;
    }

    /** Begins none any more; those that wait are answered. */
    void close() {
        List<Asked> left = new ArrayList<>();
        synchronized (this) {
            closed = true;
            List.copyOf(lines.entrySet()).forEach(line -> {
                left.addAll(line.getValue().waiting);
                line.getValue().waiting.clear();
                settle(line.getKey(), line.getValue());
            });
        }
        left.forEach(asked -> asked.answer.accept("the server does not serve"));
    }

    /** @return false if some still run when the limit has passed */
    synchronized boolean awaitEnd(Duration limit) {
        long deadline = System.nanoTime() + limit.toNanos();
        try {
            while (running > 0) {
                long leftNs = deadline - System.nanoTime();
                if (leftNs <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(this, leftNs);
            }
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Who asks about one unit. */
    private static final class Line {
        private final Set<Asked> waiting = new LinkedHashSet<>();
        private int running;
    }

    private final class Asked {
        private final LogicalUnit unit;
        private final UnitProof.Wanted wanted;
        private final IoLane lane;
        private final Consumer<String> answer;
        private final AtomicBoolean ended = new AtomicBoolean();
        private volatile boolean givenUp;
        private volatile @Nullable UnitProof proof;

        Asked(LogicalUnit unit, UnitProof.Wanted wanted, IoLane lane, Consumer<String> answer) {
            this.unit = unit;
            this.wanted = wanted;
            this.lane = lane;
            this.answer = answer;
        }

        void begin() {
            try {
                UnitProof begun = UnitProof.begin(unit, wanted, lane, this::ended);
                proof = begun;
                if (givenUp) {
                    begun.giveUp();
                }
            } catch (RuntimeException | Error e) {
                log.error("{} cannot be proved", unit, e);
                ended("the server fails to prove it: " + e);
            }
        }

        /** Its place is free before anybody hears of it. */
        private void ended(String objection) {
            if (ended.compareAndSet(false, true)) {
                leave(unit);
                try {
                    answer.accept(objection);
                } catch (RuntimeException e) {
                    log.error("{}: that it was proved is not taken", unit, e);
                }
                beginWhatMay();
            }
        }

        void giveUp() {
            givenUp = true;
            UnitProof begun = proof;
            if (begun != null) {
                begun.giveUp();
            } else if (leaveLine(this)) {
                answer.accept("nobody waits for it any more");
            }
        }
    }
}
