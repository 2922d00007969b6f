package io.holdfast.scsi;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the commands that read and then write (COMPARE AND WRITE, ORWRITE) and the atomic writes apart from everything
 * else in the blocks they work on (SBC-3 §4.25, §5.2): they claim their range exclusively. All other commands share, as
 * their order among themselves is nobody's promise.
 *
 * <p>Nobody blocks: who cannot enter is told so, and is granted the range later by whoever leaves it. First come, first
 * served, so nothing starves.
 *
 * <p>Exclusive claims are rare, so sharing costs next to nothing while there are none: one counter says how many commands
 * share. The first exclusive claim turns tracking on. It waits for those that are merely counted, whatever their range,
 * and newcomers are kept in a list with their range, until the last claim of either kind is gone.
 *
 * <pre>
 *             exclusive claim                        last tracked claim leaves
 *   COUNTING ─────────────────► TRACKING (draining, then drained) ─────────────► COUNTING
 * </pre>
 *
 * <p>Thread-safe. The lock is held for one walk over the claims: those of the connections' command windows, and of them
 * only the some {@value #MAX_EXCLUSIVE} exclusive ones for a command that shares.
 */
final class RangeLock {
    /** Exclusive claims at one time, waiting or not. */
    static final int MAX_EXCLUSIVE = 256;

    /** How a claim fares. */
    enum Outcome {
        /** The range is the claim's. */
        ENTERED,
        /** {@link Claim#granted()} will be called. */
        WAITING,
        /** Too many exclusive claims at once. */
        REFUSED
    }

    // The sign bit of the counter says that claims are tracked.
    private static final long TRACKING = Long.MIN_VALUE;

    private final AtomicLong counted = new AtomicLong();

    // All guarded by this.
    private final ClaimList shared = new ClaimList();
    private final ClaimList exclusive = new ClaimList();
    private boolean drained;
    private long nextNumber;

    /** One command's claim to a range. Re-used; belongs to one command at a time. */
    abstract static class Claim {
        private enum State {
            NONE,
            COUNTED,
            TRACKED
        }

        private State state = State.NONE;
        private boolean isExclusive;
        private long start;
        private long end;
        private long number;
        private int blockers;
        private boolean awaitsDrain;
        private @Nullable Claim previous;
        private @Nullable Claim next;
        /** The next of those that one leaver grants their range to. */
        private @Nullable Claim alsoGranted;

        /** The range is this claim's now. Called on the thread of whoever left it: not the place for work. */
        abstract void granted();

        private boolean conflictsWith(Claim other) {
            return (isExclusive || other.isExclusive) && start < other.end && other.start < end;
        }
    }

    /** Claims to bytes {@code start} to {@code end} (exclusive) beside others that share. Allocates nothing. */
    Outcome share(Claim claim, long start, long end) {
        if (counted.incrementAndGet() >= 0) {
            claim.state = Claim.State.COUNTED;
            return Outcome.ENTERED;
        }
        uncount();
        synchronized (this) {
            if (counted.get() >= 0) {
                // Tracking has ended in between, and can only begin again under this lock.
                counted.incrementAndGet();
                claim.state = Claim.State.COUNTED;
                return Outcome.ENTERED;
            }
            return track(claim, start, end, false);
        }
    }

    /**
     * The same without waiting, for a moment's work.
     *
     * @return false if it would have to wait, or perhaps would: nothing is claimed then
     */
    boolean shareNow(Claim claim) {
        if (counted.incrementAndGet() >= 0) {
            claim.state = Claim.State.COUNTED;
            return true;
        }
        uncount();
        return false;
    }

    /** Claims a range for this command alone. */
    Outcome exclude(Claim claim, long start, long end) {
        synchronized (this) {
            return exclusive.size >= MAX_EXCLUSIVE ? Outcome.REFUSED : trackExclusive(claim, start, end);
        }
    }

    /** Claims everything, also when there is no room for further exclusive claims: for what comes one at a time. */
    Outcome excludeAll(Claim claim) {
        synchronized (this) {
            return trackExclusive(claim, 0, Long.MAX_VALUE);
        }
    }

    private Outcome trackExclusive(Claim claim, long start, long end) {
        if (counted.get() >= 0) {
            drained = counted.getAndAdd(TRACKING) == 0;
        }
        return track(claim, start, end, true);
    }

    /** Gives the range back, if there is one. */
    void leave(Claim claim) {
        Claim.State state = claim.state;
        if (state == Claim.State.NONE) {
            return;
        }
        claim.state = Claim.State.NONE;
        if (state == Claim.State.COUNTED) {
            uncount();
        } else {
            grant(untrack(claim));
        }
    }

    private Outcome track(Claim claim, long start, long end, boolean isExclusive) {
        claim.state = Claim.State.TRACKED;
        claim.isExclusive = isExclusive;
        claim.start = start;
        claim.end = end;
        claim.number = nextNumber++;
        claim.blockers = exclusive.conflictsBefore(claim) + (isExclusive ? shared.conflictsBefore(claim) : 0);
        claim.awaitsDrain = isExclusive && !drained;
        if (claim.awaitsDrain) {
            claim.blockers++;
        }
        (isExclusive ? exclusive : shared).add(claim);
        return claim.blockers == 0 ? Outcome.ENTERED : Outcome.WAITING;
    }

    private synchronized @Nullable Claim untrack(Claim claim) {
        (claim.isExclusive ? exclusive : shared).remove(claim);
        Claim granted = exclusive.unblockBehind(claim, null);
        if (claim.isExclusive) {
            granted = shared.unblockBehind(claim, granted);
        }
        if (exclusive.size == 0 && shared.size == 0) {
            counted.getAndAdd(TRACKING);
        }
        return granted;
    }

    private void uncount() {
        if (counted.decrementAndGet() == TRACKING) {
            grant(drain());
        }
    }

    private synchronized @Nullable Claim drain() {
        // Also reached by a newcomer that was counted for a moment; asked again, because it may be late.
        if (counted.get() != TRACKING || drained) {
            return null;
        }
        drained = true;
        return exclusive.drained();
    }

    /** Outside the lock. */
    private static void grant(@Nullable Claim first) {
        Claim claim = first;
        while (claim != null) {
            // Read first: once granted, it may be somebody else's already.
            Claim behind = claim.alsoGranted;
            claim.alsoGranted = null;
            claim.granted();
            claim = behind;
        }
    }

    /** For tests: true while nothing is claimed. */
    synchronized boolean isIdle() {
        return counted.get() == 0 && exclusive.size == 0 && shared.size == 0;
    }

    /** Claims in the order they came, linked through themselves. */
    private static final class ClaimList {
        private @Nullable Claim first;
        private @Nullable Claim last;
        private int size;

        void add(Claim claim) {
            claim.previous = last;
            claim.next = null;
            if (last == null) {
                first = claim;
            } else {
                last.next = claim;
            }
            last = claim;
            size++;
        }

        void remove(Claim claim) {
            Claim before = claim.previous;
            Claim behind = claim.next;
            if (before == null) {
                first = behind;
            } else {
                before.next = behind;
            }
            if (behind == null) {
                last = before;
            } else {
                behind.previous = before;
            }
            claim.previous = null;
            claim.next = null;
            size--;
        }

        int conflictsBefore(Claim claim) {
            int conflicts = 0;
            for (Claim each = first; each != null; each = each.next) {
                if (each.conflictsWith(claim)) {
                    conflicts++;
                }
            }
            return conflicts;
        }

        /** @return those that nothing stands in the way of any more, before {@code granted} */
        @Nullable
        Claim unblockBehind(Claim gone, @Nullable Claim granted) {
            Claim head = granted;
            for (Claim each = last; each != null && each.number > gone.number; each = each.previous) {
                if (each.conflictsWith(gone)) {
                    head = unblock(each, head);
                }
            }
            return head;
        }

        @Nullable
        Claim drained() {
            Claim head = null;
            for (Claim each = last; each != null; each = each.previous) {
                if (each.awaitsDrain) {
                    each.awaitsDrain = false;
                    head = unblock(each, head);
                }
            }
            return head;
        }

        private static @Nullable Claim unblock(Claim claim, @Nullable Claim granted) {
            if (--claim.blockers > 0) {
                return granted;
            }
            claim.alsoGranted = granted;
            return claim;
        }
    }
}
