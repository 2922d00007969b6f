package io.holdfast.block;

import java.util.ArrayList;
import java.util.List;

/**
 * Keeps writers of the same bytes apart. For the few threads of one file: whoever comes waits until nobody holds a range that
 * overlaps his. A thread holds one range at a time, so nobody waits in a circle.
 */
final class RangeLocks {
    private final List<Held> held = new ArrayList<>();

    /** A range that is held until it is released. */
    final class Held {
        private final long start;
        private final long end;

        private Held(long start, long end) {
            this.start = start;
            this.end = end;
        }

        void release() {
            giveBack(this);
        }
    }

    /** Waits for the range; not to be interrupted. */
    Held lock(long start, long end) {
        Held range = new Held(start, end);
        boolean interrupted = false;
        synchronized (this) {
            while (held.stream().anyMatch(other -> other.start < end && start < other.end)) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            held.add(range);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return range;
    }

    private synchronized void giveBack(Held range) {
        held.remove(range);
        notifyAll();
    }
}
