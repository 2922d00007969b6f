package io.holdfast.drills;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What became of the guests of an {@link UpgradeDrill}.
 *
 * @param restarts each of them
 * @param stallsMs of each guest in each restart: the longest time in which the host heard of no acknowledged write
 * @param beforeMs the same of as many times in which nothing happened
 * @param reasons why they did not survive; empty if they did
 * @param logs of the programs, if they did not
 */
record UpgradeResult(
        UpgradeDrill.Plan plan,
        List<UpgradeDrill.Restart> restarts,
        List<Double> stallsMs,
        List<Double> beforeMs,
        int guestErrors,
        long acked,
        long lost,
        List<String> reasons,
        List<String> logs) {

    boolean survived() {
        return reasons.isEmpty();
    }

    /** Of all guests and restarts; empty if there was none. */
    OptionalDouble longestStallMs() {
        return stallsMs.stream().mapToDouble(Double::doubleValue).max();
    }

    UpgradeResult withLogs(List<String> lines) {
        return new UpgradeResult(
                plan, restarts, stallsMs, beforeMs, guestErrors, acked, lost, reasons, List.copyOf(lines));
    }

    /** Why it failed although every guest lived: too slow for whoever asked. */
    UpgradeResult failed(String reason) {
        List<String> more = new ArrayList<>(reasons);
        more.add(reason);
        return new UpgradeResult(plan, restarts, stallsMs, beforeMs, guestErrors, acked, lost, List.copyOf(more), logs);
    }

    /** The verdict, for scripts: {@code key=value} with spaces between. */
    String line() {
        StringBuilder line = new StringBuilder("survived=" + (survived() ? "yes" : "no"));
        line.append(" guests=").append(plan.guests()).append(" restarts=").append(restarts.size());
        add(
                line,
                "stop_to_serving",
                restarts.stream().map(UpgradeDrill.Restart::stopToServingMs).toList());
        add(line, "stall", stallsMs);
        add(line, "stall_before", beforeMs);
        line.append(" guest_errors=").append(guestErrors).append(" acked=").append(acked);
        line.append(" lost=").append(lost);
        if (!survived()) {
            line.append(" reason=\"").append(Verdict.oneLine(reasons.get(0))).append('"');
        }
        return line.toString();
    }

    private static void add(StringBuilder line, String what, List<Double> ms) {
        if (!ms.isEmpty()) {
            Spread spread = Spread.of(ms);
            line.append(' ').append(what).append("_median_ms=").append(Numbers.ms(spread.median()));
            line.append(' ').append(what).append("_max_ms=").append(Numbers.ms(spread.max()));
        }
    }

    /** Filled while the drill goes on. */
    static final class Builder {
        private final UpgradeDrill.Plan plan;
        private final Judgement judgement;
        private final List<UpgradeDrill.Restart> restarts = new ArrayList<>();
        private final List<Double> stallsMs = new ArrayList<>();
        private final List<Double> beforeMs = new ArrayList<>();
        private final List<String> reasons = new ArrayList<>();
        private int guestErrors;
        private long acked;
        private long lost;

        Builder(UpgradeDrill.Plan plan, Judgement judgement) {
            this.plan = plan;
            this.judgement = judgement;
        }

        void restart(UpgradeDrill.Restart restart) {
            restarts.add(restart);
        }

        void stall(double ms) {
            stallsMs.add(ms);
        }

        void before(double ms) {
            beforeMs.add(ms);
        }

        void mishap(String why) {
            reasons.add(why);
        }

        /** What a guest and its disk said in the end. */
        void guest(String name, Evidence.Aftermath after, long pauses) {
            guestErrors += after.guestErrors();
            acked += after.acked();
            if (after.guestErrors() > 0) {
                reasons.add(name + " saw " + after.guestErrors() + " I/O errors: " + after.errorTexts());
            }
            if (after.kernelComplaintCount() > 0) {
                reasons.add("the kernel of " + name + " complained: " + after.kernelComplaints());
            }
            if (after.remountedReadOnly()) {
                reasons.add("the root file system of " + name + " was remounted read-only");
            }
            after.disk().ifPresent(disk -> {
                lost += disk.lost();
                if (!disk.intact()) {
                    reasons.add("the disk of " + name + " is damaged: " + disk);
                }
            });
            if (pauses < restarts.size() || judgement == Judgement.EXACT && pauses > restarts.size()) {
                reasons.add(name + " was paused " + pauses + " times by " + restarts.size() + " restarts");
            }
        }

        UpgradeResult judged() {
            return new UpgradeResult(
                    plan,
                    List.copyOf(restarts),
                    List.copyOf(stallsMs),
                    List.copyOf(beforeMs),
                    guestErrors,
                    acked,
                    lost,
                    List.copyOf(reasons),
                    List.of());
        }
    }
}
