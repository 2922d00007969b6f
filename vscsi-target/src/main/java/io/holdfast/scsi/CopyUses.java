package io.holdfast.scsi;

import java.util.ArrayList;
import java.util.List;

/**
 * What reads or writes a logical unit at this moment and is not among its tasks: copies on behalf of commands to any logical
 * unit, and, each counted by itself, {@linkplain UnitProof proofs}, and sanitizing, which outlives its command. Whoever takes the
 * unit away asks here too.
 *
 * <p>A copy {@linkplain #enter enters}, then looks whether its nexus still sees the unit, for each piece; who takes the unit
 * away hides it first and then waits. So one of the two sees the other. Thread-safe.
 */
final class CopyUses {
    // Both guarded by this.
    private int inside;
    private List<Runnable> waiting = new ArrayList<>();

    synchronized void enter() {
        inside++;
    }

    void leave() {
        List<Runnable> idle;
        synchronized (this) {
            if (--inside > 0) {
                return;
            }
            idle = waiting;
            waiting = new ArrayList<>();
        }
        idle.forEach(Runnable::run);
    }

    /** Runs {@code done} when no copy is inside, on any thread, perhaps before this method returns. */
    void awaitIdle(Runnable done) {
        synchronized (this) {
            if (inside > 0) {
                waiting.add(done);
                return;
            }
        }
        done.run();
    }
}
