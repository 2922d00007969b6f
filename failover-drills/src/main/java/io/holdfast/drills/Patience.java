package io.holdfast.drills;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Waiting with a limit, while the processes that must live are watched. Times are never taken here: what happens is
 * stamped by the thread that sees it happen, so the pace of this loop is not in any result.
 */
final class Patience {
    private static final long LOOK_EVERY_NS = 2_000_000;
    private static final Duration LAST_WORDS = Duration.ofSeconds(1);

    private Patience() {}

    /**
     * Waits until {@code condition} holds.
     *
     * @param what completes the sentence "waited 30 s for …"
     * @param mustLive processes whose end makes further waiting pointless
     * @throws DrillFailure if the limit passes or one of the processes ends first
     */
    static void await(String what, Duration limit, List<Child> mustLive, BooleanSupplier condition)
            throws DrillFailure, InterruptedException {
        long deadlineNs = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            for (Child child : mustLive) {
                if (!child.alive()) {
                    // The reader may not have had the last words yet.
                    child.awaitEnd(LAST_WORDS);
                    throw new DrillFailure("while waiting for " + what + ": " + child.obituary());
                }
            }
            if (System.nanoTime() - deadlineNs > 0) {
                throw new DrillFailure("waited " + Numbers.trimmed(limit.toMillis() / 1000.0) + " s for " + what);
            }
            pause();
        }
    }

    /** Lets {@code span} pass, or less if one of the processes ends, which is a failure. */
    static void letPass(Duration span, List<Child> mustLive) throws DrillFailure, InterruptedException {
        long untilNs = System.nanoTime() + span.toNanos();
        await("the time to pass", span.plusSeconds(1), mustLive, () -> System.nanoTime() - untilNs >= 0);
    }

    private static void pause() throws InterruptedException {
        LockSupport.parkNanos(LOOK_EVERY_NS);
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted while waiting");
        }
    }
}
