package io.holdfast.management;

import io.holdfast.block.IoLane;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.UnitProver;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.UnitProof;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Proves units for agents whom these do not let in, such as those of clients with a port name of their own. Nothing of it blocks:
 * commands go the way of initiators' commands. Thread-safe.
 */
final class ServedProofs implements UnitProver {

    /** What is served. */
    @FunctionalInterface
    interface Units {
        /** The logical unit at a target's LUN; null if there is none, and whatever is asked. */
        @Nullable
        LogicalUnit at(String target, int lun);
    }

    private final Supplier<@Nullable IoLane> lanes;
    private final Units units;
    // Both guarded by this.
    private int running;
    private boolean closed;

    /** @param lanes where they are carried out; null while nothing is served */
    ServedProofs(Supplier<@Nullable IoLane> lanes, Units units) {
        this.lanes = lanes;
        this.units = units;
    }

    @Override
    public Runnable prove(ExportedUnit unit, Set<String> initiators, Consumer<String> answer) {
        IoLane lane = lanes.get();
        if (lane == null || !enter()) {
            return refuse("the server does not serve", answer);
        }
        LogicalUnit there = units.at(unit.target(), unit.lun());
        if (there == null) {
            leave();
            return refuse("the server has no such unit", answer);
        }
        UnitProof.Wanted wanted;
        try {
            wanted = new UnitProof.Wanted(UUID.fromString(unit.uuid()), unit.sizeBytes(), unit.readOnly(), initiators);
        } catch (IllegalArgumentException e) {
            leave();
            return refuse("that is another unit, " + there.identity().uuid(), answer);
        }
        UnitProof proof = UnitProof.begin(there, wanted, lane, objection -> {
            leave();
            answer.accept(objection);
        });
        return proof::giveUp;
    }

    private static Runnable refuse(String objection, Consumer<String> answer) {
        answer.accept(objection);
        return () -> {};
    }

    private synchronized boolean enter() {
        if (closed) {
            return false;
        }
        running++;
        return true;
    }

    private synchronized void leave() {
        running--;
        notifyAll();
    }

    /** Begins none any more. */
    synchronized void close() {
        closed = true;
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
}
