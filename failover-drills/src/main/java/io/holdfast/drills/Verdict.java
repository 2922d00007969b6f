package io.holdfast.drills;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * Whether the guest survived, and why not.
 *
 * @param reasons empty if it survived; the first is the one to say
 */
record Verdict(DrillPlan plan, Findings findings, List<String> reasons) {
    /**
     * Far more than a freeze takes on a busy machine, and less than an agent needs that notices the loss by silence only: a
     * drill must fail when the quick way does not work.
     */
    static final double FREEZE_LIMIT_MS = 500;

    /** The guest must not live through the outage. */
    static final double CLOCK_JUMP_LIMIT_MS = 500;

    /**
     * Judges a drill. The same for the control run without an agent, except that nobody is there to freeze the guest.
     *
     * @param mishap why the drill could not go on; empty if it went to its end
     */
    static Verdict judge(DrillPlan plan, Findings findings, Optional<String> mishap) {
        List<String> reasons = new ArrayList<>();
        mishap.ifPresent(reasons::add);
        addGuestReasons(findings, reasons);
        addDiskReasons(findings, reasons);
        if (mishap.isEmpty()) {
            addCourseReasons(plan, findings, reasons);
        }
        return new Verdict(plan, findings, List.copyOf(reasons));
    }

    private static void addGuestReasons(Findings findings, List<String> reasons) {
        if (findings.guestErrors() > 0) {
            reasons.add("the guest saw " + Numbers.count(findings.guestErrors(), "I/O error")
                    + first(findings.errorTexts()));
        }
        if (findings.kernelComplaintCount() > 0) {
            reasons.add("the guest's kernel complained in " + Numbers.count(findings.kernelComplaintCount(), "line")
                    + first(findings.kernelComplaints()));
        }
        if (findings.remountedReadOnly()) {
            reasons.add("the guest's root was remounted read-only");
        }
    }

    private static void addDiskReasons(Findings findings, List<String> reasons) {
        if (findings.lost().orElse(0) > 0) {
            reasons.add(
                    findings.lost().getAsLong() + " acknowledged writes are lost" + first(findings.diskComplaints()));
        } else if (!findings.diskComplaints().isEmpty()) {
            reasons.add("the guest's disk is damaged" + first(findings.diskComplaints()));
        }
    }

    private static void addCourseReasons(DrillPlan plan, Findings findings, List<String> reasons) {
        if (findings.acked() == 0) {
            reasons.add("the guest had no write acknowledged: the drill shows nothing");
        }
        if (findings.thawMs().isEmpty()) {
            reasons.add("the guest made no progress after the server was back");
        }
        if (plan.route() == Route.THROUGH_AGENT) {
            addAgentReasons(findings, reasons);
        }
        if (findings.lost().isEmpty()) {
            reasons.add("the guest's disk was not checked");
        }
    }

    private static void addAgentReasons(Findings findings, List<String> reasons) {
        if (findings.freezeMs().isEmpty()) {
            reasons.add("the vCPUs were never stopped: the guest stalled unprotected");
        }
        addLate("the vCPUs stopped after", findings.freezeMs(), FREEZE_LIMIT_MS, reasons);
        addLate("the guest's clock leapt by", findings.clockJumpMs(), CLOCK_JUMP_LIMIT_MS, reasons);
        if (!findings.frozenFirst().orElse(true)) {
            reasons.add("the server closed its connections before the guest was frozen, though its stop was planned");
        }
        if (findings.pauses() > 1) {
            reasons.add("the guest was paused " + findings.pauses() + " times in one outage");
        }
        int unanswered = findings.probes() - findings.probesAnswered();
        // One may fall into the instant of the loss.
        if (unanswered > 1 || unanswered > 0 && findings.probesAnswered() == 0) {
            reasons.add("QEMU's monitor was blocked while the server was away: " + unanswered + " of "
                    + findings.probes() + " questions found no answer in time");
        }
    }

    private static void addLate(String what, OptionalDouble ms, double limitMs, List<String> reasons) {
        if (ms.isPresent() && ms.getAsDouble() > limitMs) {
            reasons.add(what + " " + Numbers.ms(ms) + " ms, more than " + Numbers.trimmed(limitMs) + " ms");
        }
    }

    private static String first(List<String> texts) {
        return texts.isEmpty() ? "" : ", first: " + texts.get(0);
    }

    boolean survived() {
        return reasons.isEmpty();
    }

    /** The drill's last line, for people and scripts alike. New keys go to the end. */
    String line() {
        StringBuilder line = new StringBuilder(survived() ? "survived=yes" : "survived=no");
        line.append(" device=").append(plan.device().label());
        line.append(" outage_s=").append(plan.outageSeconds());
        line.append(" freeze_ms=").append(Numbers.ms(findings.freezeMs()));
        line.append(" thaw_ms=").append(Numbers.ms(findings.thawMs()));
        line.append(" guest_errors=").append(findings.guestErrors());
        line.append(" acked=").append(findings.acked());
        line.append(" lost=").append(lostText(findings.lost()));
        line.append(" fault=").append(plan.fault().label());
        line.append(" agent=").append(plan.route() == Route.THROUGH_AGENT ? "yes" : "no");
        line.append(" stall_ms=").append(Numbers.ms(findings.stallMs()));
        line.append(" clock_jump_ms=").append(Numbers.ms(findings.clockJumpMs()));
        line.append(String.format(Locale.ROOT, " qmp=%d/%d", findings.probesAnswered(), findings.probes()));
        findings.frozenFirst().ifPresent(first -> line.append(" frozen_first=").append(first ? "yes" : "no"));
        if (!survived()) {
            line.append(" reason=\"").append(oneLine(reasons.get(0))).append('"');
        }
        return line.toString();
    }

    private static String lostText(OptionalLong lost) {
        return lost.isPresent() ? String.valueOf(lost.getAsLong()) : "unknown";
    }

    /** For messages of tools, which may have several lines. */
    static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", "; ").replace('"', '\'');
    }
}
