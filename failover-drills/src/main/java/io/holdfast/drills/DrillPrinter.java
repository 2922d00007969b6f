package io.holdfast.drills;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** What a person sees of the drills, as they run and when they are over. */
final class DrillPrinter implements Narrator {
    private static final int WHO_WIDTH = 8;

    private final PrintWriter out;
    private final Palette palette;

    DrillPrinter(PrintWriter out, Palette palette) {
        this.out = out;
        this.palette = palette;
    }

    /** Says which drill begins. */
    void heading(DrillPlan plan, int number, int total) {
        String count = total > 1 ? "Drill " + number + " of " + total + ": " : "Drill: ";
        String route = plan.route() == Route.THROUGH_AGENT ? "" : ", without agent (control run)";
        print("");
        print(palette.bold(count + plan.device().label() + ", server ends by "
                + plan.fault().signal() + ", is away for " + plan.outageSeconds() + " s" + route));
        print("");
    }

    @Override
    public void say(String who, String what) {
        print("  " + palette.dim(who + " ".repeat(Math.max(1, WHO_WIDTH + 1 - who.length()))) + what);
    }

    /** The timeline, what the guest noticed, and the verdict. */
    void result(DrillResult result) {
        Verdict verdict = result.verdict();
        result.logs().forEach(this::print);
        if (!result.moments().isEmpty()) {
            print("");
            new TimelinePrinter(palette)
                    .lines(result.moments(), result.faultNs())
                    .forEach(this::print);
            print("");
            sentences(verdict.findings()).forEach(sentence -> print("  " + sentence));
        }
        for (String reason : verdict.reasons()) {
            print("  " + palette.bad("why not: ") + reason);
        }
        print("");
        verdictLine(verdict.line(), verdict.survived());
    }

    /** What happened when, from the fault on. */
    void timeline(List<Timeline.Moment> moments, long faultNs) {
        print("");
        new TimelinePrinter(palette).lines(moments, faultNs).forEach(this::print);
    }

    private static List<String> sentences(Findings findings) {
        List<String> sentences = new ArrayList<>();
        findings.freezeMs()
                .ifPresent(ms -> sentences.add("The vCPUs had stopped " + Numbers.span(ms) + " after the fault"
                        + (findings.pauses() > 1 ? ", and were stopped " + findings.pauses() + " times." : ".")));
        findings.thawMs()
                .ifPresent(ms -> sentences.add(
                        "The guest made progress " + Numbers.span(ms) + " after the server listened again."));
        findings.stallMs()
                .ifPresent(ms -> sentences.add("By the guest's own clock its writes stalled for " + Numbers.span(ms)
                        + " at the longest" + clock(findings) + "."));
        return sentences;
    }

    private static String clock(Findings findings) {
        String jump = findings.clockJumpMs().isPresent()
                ? "; that clock leapt by " + Numbers.span(findings.clockJumpMs().getAsDouble()) + " at most"
                : "";
        String behind = findings.behindMs().isPresent()
                ? " and is now " + Numbers.span(Math.abs(findings.behindMs().getAsDouble()))
                        + (findings.behindMs().getAsDouble() < 0 ? " ahead of the host's" : " behind the host's")
                : "";
        return jump + behind;
    }

    /** The table and the line of several drills. */
    void summary(Summary summary) {
        print("");
        summary.table().forEach(this::print);
        print("");
        verdictLine(summary.line(), summary.survived());
    }

    private void verdictLine(String line, boolean survived) {
        print(survived ? palette.good(line) : palette.bad(line));
    }

    void print(String line) {
        out.println(line);
        out.flush();
    }
}
