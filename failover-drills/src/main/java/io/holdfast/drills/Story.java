package io.holdfast.drills;

import io.holdfast.drills.FactLog.Fact;
import io.holdfast.drills.Timeline.Tone;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/** Tells the evidence of a drill as a timeline. */
final class Story {
    /** More of the agent's lines than this would bury what happened. */
    private static final int MAX_AGENT_LINES = 12;

    /** The agent's lines shortly after the guest's progress are still about it. */
    private static final long AFTERWARDS_NS = 200_000_000;

    /** Time, level and class of a log line; the timeline has times of its own. */
    private static final Pattern LOG_PREFIX = Pattern.compile("^\\d{4}-\\d\\d-\\d\\dT\\S+\\s+[A-Z]+\\s+\\S+\\s+");

    private final Evidence evidence;
    private final Timeline timeline = new Timeline();

    private Story(Evidence evidence) {
        this.evidence = evidence;
    }

    /** All that happened from the fault to the guest's progress, by time. */
    static List<Timeline.Moment> of(Evidence evidence) {
        Story story = new Story(evidence);
        story.tellLoss();
        story.tellShelter();
        story.tellProbes();
        story.tellReturn();
        story.tellAgentLines();
        return story.timeline.moments();
    }

    private void tellLoss() {
        Fault fault = evidence.plan().fault();
        add(
                OptionalLong.of(evidence.faultNs()),
                Tone.LOSS,
                fault == Fault.KILL ? "server killed" : "server told to stop",
                fault.signal());
        add(evidence.hungUpNs(), Tone.LOSS, "its connections are closed", "");
        add(evidence.serverEndedNs(), Tone.LOSS, "its process has ended", "");
    }

    private void tellShelter() {
        long faultNs = evidence.faultNs();
        OptionalLong frozen = evidence.frozenNs();
        if (frozen.isPresent()) {
            add(evidence.clock().lastTickBefore(frozen.getAsLong()), Tone.NOTE, "guest's last tick", "");
        }
        add(evidence.standstillNs(), Tone.SHELTER, "vCPU threads last ran", "by the host's scheduler");
        add(evidence.stoppedNs(), Tone.SHELTER, "vCPUs are paused", "by QEMU's trace");
        add(evidence.event("BLOCK_IO_ERROR", faultNs), Tone.NOTE, "QEMU parks requests", "BLOCK_IO_ERROR event");
        OptionalLong stop = evidence.event("STOP", faultNs);
        add(stop, Tone.SHELTER, "guest is frozen", "STOP event");
        add(
                evidence.facts().firstFrom(Fact.QEMU_AT_PORTAL, faultNs),
                Tone.SHELTER,
                "QEMU is at the agent's portal",
                "");
        evidence.events().stream()
                .filter(event -> event.name().equals("STOP") && stop.isPresent() && event.atNs() > stop.getAsLong())
                .forEach(event -> add(OptionalLong.of(event.atNs()), Tone.LOSS, "guest is frozen again", "STOP event"));
    }

    private void tellProbes() {
        List<Observer.Probe> probes = evidence.probes();
        if (probes.isEmpty()) {
            return;
        }
        List<Double> answersMs = probes.stream()
                .filter(probe -> probe.answerMs().isPresent())
                .map(probe -> probe.answerMs().getAsDouble())
                .toList();
        String counts = answersMs.size() + " of " + probes.size() + " times";
        long atNs = probes.get(0).atNs();
        if (answersMs.isEmpty()) {
            add(OptionalLong.of(atNs), Tone.LOSS, "QMP does not answer", counts);
            return;
        }
        Spread spread = Spread.of(answersMs);
        String detail = String.format(
                Locale.ROOT,
                "%s, median %s ms, slowest %s ms, \"%s\"",
                counts,
                Numbers.ms(spread.median()),
                Numbers.ms(spread.max()),
                probes.get(probes.size() - 1).status());
        boolean always = answersMs.size() == probes.size();
        add(
                OptionalLong.of(atNs),
                always ? Tone.NOTE : Tone.LOSS,
                always ? "QMP answers" : "QMP does not always answer",
                detail);
    }

    private void tellReturn() {
        if (evidence.restartedNs().isEmpty()) {
            return;
        }
        long restartedNs = evidence.restartedNs().getAsLong();
        add(evidence.restartedNs(), Tone.RETURN, "next server is started", "");
        OptionalLong listens = evidence.listensNs();
        add(listens, Tone.RETURN, "it listens", after(restartedNs, listens, "after its start"));
        add(evidence.servingNs(), Tone.RETURN, "it says that it serves", "");
        add(evidence.facts().firstFrom(Fact.QEMU_AT_SERVER, restartedNs), Tone.RETURN, "QEMU is at the server", "");
        evidence.events().stream()
                .filter(event -> event.name().equals("RESUME") && event.atNs() >= evidence.faultNs())
                .forEach(event -> add(OptionalLong.of(event.atNs()), Tone.RETURN, "guest runs on", "RESUME event"));
        OptionalLong progress = evidence.progressNs();
        String thaw = listens.isPresent() ? after(listens.getAsLong(), progress, "after the server listened") : "";
        add(progress, Tone.RETURN, "guest's first durable write", thaw);
    }

    private void tellAgentLines() {
        long untilNs = evidence.progressNs().orElse(evidence.endNs()) + AFTERWARDS_NS;
        evidence.agentLines().stream()
                .filter(line -> line.atNs() >= evidence.faultNs() && line.atNs() <= untilNs)
                .limit(MAX_AGENT_LINES)
                .forEach(line -> add(
                        OptionalLong.of(line.atNs()),
                        Tone.NOTE,
                        "agent says",
                        LOG_PREFIX.matcher(line.text()).replaceFirst("")));
    }

    private static String after(long fromNs, OptionalLong toNs, String what) {
        return toNs.isEmpty() ? "" : Numbers.span(Numbers.msBetween(fromNs, toNs.getAsLong())) + " " + what;
    }

    private void add(OptionalLong atNs, Tone tone, String what, String detail) {
        if (atNs.isPresent()) {
            timeline.add(atNs.getAsLong(), tone, what, detail);
        }
    }
}
