package io.holdfast.drills;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Several drills in one table, one row for each kind of drill, and one line for all. */
final class Summary {
    private final List<Verdict> verdicts;

    Summary(List<Verdict> verdicts) {
        this.verdicts = List.copyOf(verdicts);
    }

    /** The table; the times are median/p95/p99/max in milliseconds. */
    List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add(row("", "runs", "survived", "freeze ms", "thaw ms", "acked", "lost"));
        lines.add(row("", "", "", "median/p95/p99/max", "median/p95/p99/max", "", ""));
        Map<String, List<Verdict>> kinds = new LinkedHashMap<>();
        for (Verdict verdict : verdicts) {
            kinds.computeIfAbsent(kind(verdict.plan()), unused -> new ArrayList<>())
                    .add(verdict);
        }
        kinds.forEach((kind, group) -> lines.add(row(kind, group)));
        if (kinds.size() > 1) {
            lines.add(row("all", verdicts));
        }
        return lines;
    }

    /** Such as {@code virtio-blk kill 6 s}. */
    private static String kind(DrillPlan plan) {
        return plan.device().label() + " " + plan.fault().label() + " " + plan.outageSeconds() + " s"
                + (plan.route() == Route.THROUGH_AGENT ? "" : ", no agent");
    }

    private static String row(String kind, List<Verdict> group) {
        long survived = group.stream().filter(Verdict::survived).count();
        return row(
                kind,
                String.valueOf(group.size()),
                String.valueOf(survived),
                spread(group, Findings::freezeMs),
                spread(group, Findings::thawMs),
                String.valueOf(acked(group)),
                lost(group));
    }

    private static String row(
            String kind, String runs, String survived, String freeze, String thaw, String acked, String lost) {
        return String.format(
                        Locale.ROOT,
                        "%-34s %5s %9s  %-27s  %-27s  %8s %5s",
                        kind,
                        runs,
                        survived,
                        freeze,
                        thaw,
                        acked,
                        lost)
                .stripTrailing();
    }

    private static String spread(List<Verdict> group, Function<Findings, OptionalDouble> value) {
        List<Double> values = values(group, value);
        if (values.isEmpty()) {
            return "none";
        }
        Spread spread = Spread.of(values);
        return String.join(
                "/",
                Numbers.ms(spread.median()),
                Numbers.ms(spread.p95()),
                Numbers.ms(spread.p99()),
                Numbers.ms(spread.max()));
    }

    private static List<Double> values(List<Verdict> group, Function<Findings, OptionalDouble> value) {
        return group.stream()
                .map(verdict -> value.apply(verdict.findings()))
                .filter(OptionalDouble::isPresent)
                .map(OptionalDouble::getAsDouble)
                .toList();
    }

    private static long acked(List<Verdict> group) {
        return group.stream().mapToLong(verdict -> verdict.findings().acked()).sum();
    }

    private static String lost(List<Verdict> group) {
        boolean unknown =
                group.stream().anyMatch(verdict -> verdict.findings().lost().isEmpty());
        long sum = group.stream()
                .map(verdict -> verdict.findings().lost())
                .filter(OptionalLong::isPresent)
                .mapToLong(OptionalLong::getAsLong)
                .sum();
        return unknown && sum == 0 ? "unknown" : String.valueOf(sum);
    }

    boolean survived() {
        return verdicts.stream().allMatch(Verdict::survived);
    }

    /** The line of {@link Verdict#line} for all drills together: the worst times, the sums of the counts. */
    String line() {
        StringBuilder line = new StringBuilder(survived() ? "survived=yes" : "survived=no");
        line.append(" device=").append(distinct(plan -> plan.device().label()));
        line.append(" outage_s=").append(distinct(DrillPlan::outageSeconds));
        line.append(" freeze_ms=").append(worst(Findings::freezeMs));
        line.append(" thaw_ms=").append(worst(Findings::thawMs));
        line.append(" guest_errors=")
                .append(verdicts.stream()
                        .mapToInt(verdict -> verdict.findings().guestErrors())
                        .sum());
        line.append(" acked=").append(acked(verdicts));
        line.append(" lost=").append(lost(verdicts));
        line.append(" fault=").append(distinct(plan -> plan.fault().label()));
        line.append(" runs=").append(verdicts.size());
        long died = verdicts.stream().filter(verdict -> !verdict.survived()).count();
        if (died > 0) {
            line.append(" reason=\"")
                    .append(died)
                    .append(" of ")
                    .append(verdicts.size())
                    .append(" guests did not survive\"");
        }
        return line.toString();
    }

    private String distinct(Function<DrillPlan, String> value) {
        return verdicts.stream()
                .map(verdict -> value.apply(verdict.plan()))
                .distinct()
                .collect(Collectors.joining(","));
    }

    private String worst(Function<Findings, OptionalDouble> value) {
        List<Double> values = values(verdicts, value);
        return values.isEmpty() ? "none" : Numbers.ms(Spread.of(values).max());
    }
}
