package io.holdfast.drills;

import java.time.Instant;
import java.util.List;

/**
 * A failover drill that is over.
 *
 * @param acked writes that were acknowledged to its guests
 * @param reasons why it failed; empty if it did not
 * @param skipped what this machine lacks for it; empty if it was played
 * @param logs of a failed one: the ends of its programs' logs
 * @param company whether others were played meanwhile
 */
record FailoverResult(
        FailoverPlan plan,
        Instant began,
        double seconds,
        List<OutageFigures> outages,
        long acked,
        List<String> reasons,
        String skipped,
        List<String> logs,
        Company company) {

    FailoverResult in(Company other) {
        return new FailoverResult(plan, began, seconds, outages, acked, reasons, skipped, logs, other);
    }

    boolean passed() {
        return reasons.isEmpty();
    }

    boolean played() {
        return skipped.isEmpty();
    }
}
