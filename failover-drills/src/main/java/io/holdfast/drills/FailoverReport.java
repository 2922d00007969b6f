package io.holdfast.drills;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * The results of failover drills: as CSV, a line for each outage, and as one HTML page that needs nothing else. Figures are
 * of drills with the agent that had the machine to themselves; the others are judged, and not counted among them.
 */
final class FailoverReport {
    private static final String CSV_HEADING = "began,fault,disks,load,outage_s,number,agent,seed,passed,detect_ms,"
            + "freeze_ms,last_freeze_ms,thaw_ms,last_thaw_ms,freezes,acked,together,reason";

    private final String title;
    private final List<FailoverResult> results;

    /** @param title how they were chosen: the command line that does it again */
    FailoverReport(String title, List<FailoverResult> results) {
        this.title = title;
        this.results = List.copyOf(results);
    }

    // ------------------------------------------------------------------ figures

    /**
     * One row of the table of figures. Empty spreads were never seen.
     *
     * @param count outages that were played
     * @param outages those of them that were played alone
     */
    private record Row(FailoverFault fault, int count, int failed, List<OutageFigures> outages) {
        List<Double> values(Function<OutageFigures, OptionalDouble> of) {
            return outages.stream()
                    .map(of)
                    .filter(OptionalDouble::isPresent)
                    .map(OptionalDouble::getAsDouble)
                    .toList();
        }
    }

    private List<Row> rows() {
        List<Row> rows = new ArrayList<>();
        for (FailoverFault fault : FailoverFault.values()) {
            List<FailoverResult> own = results.stream()
                    .filter(result -> result.played()
                            && result.plan().fault() == fault
                            && result.plan().route() == Route.THROUGH_AGENT)
                    .toList();
            if (!own.isEmpty()) {
                rows.add(new Row(
                        fault,
                        outagesOf(own),
                        (int) own.stream().filter(result -> !result.passed()).count(),
                        own.stream()
                                .filter(result -> result.company() == Company.ALONE)
                                .flatMap(result -> result.outages().stream())
                                .toList()));
            }
        }
        return rows;
    }

    int outages() {
        return outagesOf(results);
    }

    private static int outagesOf(List<FailoverResult> some) {
        return some.stream().mapToInt(result -> result.outages().size()).sum();
    }

    private int outagesTogether() {
        return outagesOf(results.stream()
                .filter(result -> result.company() == Company.TOGETHER)
                .toList());
    }

    /** The table of figures as text: p50, p99 and the largest in milliseconds. */
    List<String> table() {
        List<List<String>> cells = new ArrayList<>();
        cells.add(List.of("fault", "outages", "failed", "noticed", "frozen", "progress"));
        for (Row row : rows()) {
            cells.add(List.of(
                    String.valueOf(row.fault()),
                    String.valueOf(row.count()),
                    String.valueOf(row.failed()),
                    spread(row.values(OutageFigures::detectMs)),
                    spread(row.values(OutageFigures::lastFreezeMs)),
                    spread(row.values(OutageFigures::lastThawMs))));
        }
        List<String> lines = new ArrayList<>(List.of("In ms: median / 99th percentile / largest." + ofWhich()));
        cells.forEach(row -> lines.add(aligned(row, cells)));
        return lines;
    }

    private String ofWhich() {
        int others = outagesTogether();
        return others == 0
                ? ""
                : " Outages that were played several at a time, and are not in the figures: " + others + ".";
    }

    /** The name to the left, figures to the right, each column as wide as its widest cell. */
    private static String aligned(List<String> row, List<List<String>> all) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < row.size(); i++) {
            int column = i;
            int width = all.stream()
                    .mapToInt(other -> other.get(column).length())
                    .max()
                    .orElse(0);
            String form = i == 0 ? "%-" + width + "s" : "  %" + width + "s";
            line.append(String.format(Locale.ROOT, form, row.get(i)));
        }
        return line.toString().stripTrailing();
    }

    private static String spread(List<Double> values) {
        if (values.isEmpty()) {
            return "-";
        }
        Spread spread = Spread.of(values);
        return Numbers.ms(spread.median()) + " / " + Numbers.ms(spread.p99()) + " / " + Numbers.ms(spread.max());
    }

    // ------------------------------------------------------------------ files

    void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.write(folder.resolve("failover.csv"), csv());
        Files.writeString(folder.resolve("failover.html"), html());
    }

    List<String> csv() {
        List<String> lines = new ArrayList<>(List.of(CSV_HEADING));
        for (FailoverResult result : results) {
            if (result.outages().isEmpty()) {
                lines.add(csvLine(result, null));
            }
            result.outages().forEach(outage -> lines.add(csvLine(result, outage)));
        }
        return lines;
    }

    private static String csvLine(FailoverResult result, @org.jspecify.annotations.Nullable OutageFigures outage) {
        FailoverPlan plan = result.plan();
        List<String> cells = new ArrayList<>(List.of(
                result.began().toString(),
                plan.fault().label(),
                plan.disks().label(),
                plan.load().label(),
                plan.outageSeconds(),
                outage == null ? "" : "" + outage.number(),
                plan.route() == Route.THROUGH_AGENT ? "yes" : "no",
                "" + plan.seed(),
                result.played() ? (result.passed() ? "yes" : "no") : "skipped"));
        if (outage == null) {
            cells.addAll(List.of("", "", "", "", "", ""));
        } else {
            cells.addAll(List.of(
                    cell(outage.detectMs()),
                    cell(outage.freezeMs()),
                    cell(outage.lastFreezeMs()),
                    cell(outage.thawMs()),
                    cell(outage.lastThawMs()),
                    "" + outage.freezes()));
        }
        cells.add("" + result.acked());
        cells.add(result.company() == Company.TOGETHER ? "yes" : "no");
        cells.add(quoted(result.played() ? String.join("; ", result.reasons()) : result.skipped()));
        return String.join(",", cells);
    }

    private static String cell(OptionalDouble ms) {
        return ms.isPresent() ? Numbers.ms(ms) : "";
    }

    private static String quoted(String text) {
        return text.isEmpty() ? "" : '"' + Verdict.oneLine(text) + '"';
    }

    String html() {
        StringBuilder out = new StringBuilder("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                + "<title>Holdfast: failover drills</title>\n<style>\n"
                + "body{font:15px/1.5 sans-serif;max-width:62em;margin:2em auto;padding:0 1em;color:#222}\n"
                + "table{border-collapse:collapse;margin:1em 0}th,td{padding:.2em .7em;border-bottom:1px solid #ddd;"
                + "text-align:right}th:first-child,td:first-child,td.text{text-align:left}\n"
                + ".bad{color:#c0392b}code{background:#f3f3f3}pre{overflow:auto;background:#f3f3f3;padding:.7em}\n"
                + String.join("\n", StripPlot.style())
                + "\n</style></head><body>\n<h1>Failover drills</h1>\n");
        long failed = results.stream().filter(result -> !result.passed()).count();
        long skipped = results.stream().filter(result -> !result.played()).count();
        out.append("<p>").append(results.size()).append(" drills, ").append(outages());
        out.append(" outages; <span").append(failed > 0 ? " class=\"bad\"" : "").append('>');
        out.append(failed).append(" failed</span>, ").append(skipped).append(" skipped. Again: <code>");
        out.append(StripPlot.escaped(title)).append("</code></p>\n");
        addTable(out);
        addPlots(out);
        addList(out, "Failed", result -> !result.passed(), result -> String.join("; ", result.reasons()));
        addList(out, "Skipped", result -> !result.played(), FailoverResult::skipped);
        addWords(out);
        return out.append("</body></html>\n").toString();
    }

    private void addTable(StringBuilder out) {
        out.append("<table><tr><th>fault</th><th>outages</th><th>failed</th>");
        out.append("<th>noticed, ms</th><th>frozen, ms</th><th>budget</th><th>progress, ms</th><th>budget</th></tr>\n");
        for (Row row : rows()) {
            FailoverShape shape = row.fault().shape();
            out.append("<tr><td>").append(row.fault());
            out.append("</td><td>").append(row.count());
            out.append("</td><td")
                    .append(row.failed() > 0 ? " class=\"bad\">" : ">")
                    .append(row.failed());
            out.append("</td><td>")
                    .append(spread(row.values(OutageFigures::detectMs)))
                    .append("</td>");
            addBudgeted(
                    out, row.values(OutageFigures::lastFreezeMs), shape.budget().freezeMs());
            addBudgeted(
                    out, row.values(OutageFigures::lastThawMs), shape.budget().thawMs());
            out.append("</tr>\n");
        }
        out.append(
                "</table>\n<p>From the fault, and for progress from the end of the fault, to the last guest concerned:"
                        + " median / 99th percentile / largest. A figure over its budget is red; that is no failure of a drill."
                        + ofWhich() + "</p>\n");
    }

    private static void addBudgeted(StringBuilder out, List<Double> values, double budgetMs) {
        boolean late = !values.isEmpty() && Spread.of(values).p99() > budgetMs;
        out.append(late ? "<td class=\"bad\">" : "<td>").append(spread(values)).append("</td><td>");
        out.append(Double.isInfinite(budgetMs) ? "" : Numbers.trimmed(budgetMs)).append("</td>");
    }

    private void addPlots(StringBuilder out) {
        StripPlot frozen = new StripPlot("from the fault to the stop of the vCPUs, last guest");
        StripPlot progress = new StripPlot("from the end of the fault to the guest's progress, last guest");
        for (Row row : rows()) {
            FailoverShape shape = row.fault().shape();
            String name = row.fault().label();
            frozen.add(
                    name,
                    row.values(OutageFigures::lastFreezeMs),
                    shape.budget().freezeMs());
            progress.add(
                    name, row.values(OutageFigures::lastThawMs), shape.budget().thawMs());
        }
        out.append(frozen.svg()).append(progress.svg());
    }

    private interface Choice {
        boolean takes(FailoverResult result);
    }

    private void addList(StringBuilder out, String heading, Choice choice, Function<FailoverResult, String> why) {
        List<FailoverResult> chosen = results.stream().filter(choice::takes).toList();
        if (chosen.isEmpty()) {
            return;
        }
        out.append("<h2>").append(heading).append("</h2>\n<ul>\n");
        for (FailoverResult result : chosen) {
            out.append("<li>").append(StripPlot.escaped(result.plan().words())).append(": ");
            out.append(StripPlot.escaped(why.apply(result))).append("<br><code>scripts/failover.sh ");
            out.append(StripPlot.escaped(result.plan().again())).append("</code></li>\n");
        }
        out.append("</ul>\n");
    }

    private static void addWords(StringBuilder out) {
        out.append("<h2>The faults</h2>\n<table>\n");
        for (FailoverFault fault : FailoverFault.values()) {
            out.append("<tr><td>").append(fault).append("</td><td class=\"text\">");
            out.append(StripPlot.escaped(fault.words())).append("</td></tr>\n");
        }
        out.append("</table>\n");
    }
}
