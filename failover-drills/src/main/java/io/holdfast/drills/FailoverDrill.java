package io.holdfast.drills;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * Plays one {@link FailoverPlan}: sets the scene, takes the server away and brings it back as often as asked for, and judges
 * from inside the guests and from outside. What fails a drill is what the guests could notice, or a freeze too many; how long
 * things took is told, and judged by nobody here. Belongs to one thread.
 */
final class FailoverDrill {
    /** After the last outage: late consequences show, such as a second pause. */
    private static final Duration AFTERWARDS = Duration.ofMillis(1_500);

    private static final Duration FREEZE_LIMIT = Duration.ofSeconds(30);
    private static final Duration PROGRESS_LIMIT = Duration.ofSeconds(60);
    /** How long a guest that must stay frozen is watched. */
    private static final Duration STAYS = Duration.ofSeconds(4);
    /** What both clocks may differ by: a tick that came late at either end. */
    private static final double CLOCK_LIMIT_MS = 1_000;
    /** A VM changes between running and paused at most once a second; QEMU's record is a little later than the agent's act. */
    private static final double FLIP_LIMIT_MS = 950;

    private static final int ACKS_BEFORE = 30;
    private static final int ACKS_AFTER = 3;

    private final FailoverPlan plan;
    private final Drill.Setting setting;
    private final Narrator narrator;
    private final Judgement judgement;
    private final List<OutageFigures> outages = new ArrayList<>();
    private final List<String> reasons = new ArrayList<>();

    FailoverDrill(FailoverPlan plan, Drill.Setting setting, Narrator narrator, Judgement judgement) {
        this.plan = plan;
        this.setting = setting;
        this.narrator = narrator;
        this.judgement = judgement;
    }

    FailoverResult run() throws InterruptedException {
        Instant began = Instant.now();
        long beganNs = System.nanoTime();
        String skipped = "";
        long acked = 0;
        List<String> logs = List.of();
        try (FailoverStage stage = FailoverStage.set(plan, setting)) {
            try {
                play(stage);
                end(stage);
            } catch (DrillFailure | IOException e) {
                reasons.add(oneLine(e));
            } catch (NotHere e) {
                skipped = String.valueOf(e.getMessage());
            }
            acked = stage.vms().stream().mapToLong(Scene.Vm::acked).sum();
            if (!reasons.isEmpty()) {
                logs = stage.scene().story().lines().toList();
            }
        } catch (NotHere e) {
            skipped = String.valueOf(e.getMessage());
        } catch (DrillFailure | IOException e) {
            reasons.add(oneLine(e));
            logs = String.valueOf(e.getMessage()).lines().toList();
        }
        double seconds = Numbers.msBetween(beganNs, System.nanoTime()) / 1000;
        return new FailoverResult(
                plan, began, seconds, List.copyOf(outages), acked, List.copyOf(reasons), skipped, logs, Company.ALONE);
    }

    private static String oneLine(Exception e) {
        String message = e.getMessage() == null ? e.toString() : e.getMessage();
        return message.lines().findFirst().orElse(message);
    }

    // ------------------------------------------------------------------ the outages

    private void play(FailoverStage stage) throws DrillFailure, NotHere, IOException, InterruptedException {
        for (int i = 1; i <= plan.outages(); i++) {
            awaitMoreAcks(stage, ACKS_BEFORE);
            // At any moment of what the guests do.
            stage.passUpTo(Duration.ofMillis(500));
            outage(stage, i);
        }
    }

    private void awaitMoreAcks(FailoverStage stage, int count) throws DrillFailure, InterruptedException {
        for (Scene.Vm vm : stage.vms()) {
            long before = vm.acked();
            // With the light load that takes seconds; a guest that is slow is no failure of the server's.
            int wanted = plan.load() == GuestLoad.LIGHT ? ACKS_AFTER : count;
            stage.scene().await(vm.name() + " to write", PROGRESS_LIMIT, () -> vm.acked() >= before + wanted);
        }
    }

    private void outage(FailoverStage stage, int number)
            throws DrillFailure, NotHere, IOException, InterruptedException {
        stage.forgetOutage();
        long fromNs = System.nanoTime();
        FailoverShape shape = plan.fault().shape();
        List<Scene.Vm> before = stage.vms();
        plan.fault().strike(stage);
        boolean freezes = plan.route() == Route.THROUGH_AGENT && shape.freezes().least() > 0;
        if (freezes) {
            for (Scene.Vm vm : before) {
                stage.scene()
                        .await(
                                vm.name() + " to be frozen",
                                FREEZE_LIMIT,
                                () -> !vm.changesFrom(fromNs).isEmpty());
            }
        }
        long outageEndNs = stage.struckNs() + plan.outage().toNanos();
        stage.pass(Duration.ofNanos(Math.max(0, outageEndNs - System.nanoTime())));
        plan.fault().mend(stage);
        if (shape.ending() == FailoverShape.Ending.FROZEN) {
            stage.pass(STAYS);
        } else {
            awaitProgress(stage);
            stage.pass(AFTERWARDS);
        }
        Map<Scene.Vm, OutageFigures.Course> courses = new LinkedHashMap<>();
        stage.vms().forEach(vm -> courses.put(vm, course(vm, fromNs, stage.backNs())));
        OutageFigures figures = OutageFigures.of(
                number,
                stage.struckNs(),
                stage.backNs(),
                before.stream().map(courses::get).toList(),
                stage.agentLines());
        outages.add(figures);
        tell(figures);
        judge(number, before, courses);
    }

    private void awaitProgress(FailoverStage stage) throws DrillFailure, InterruptedException {
        for (Scene.Vm vm : stage.vms()) {
            long before = vm.acked();
            stage.scene()
                    .await(
                            vm.name() + " to go on",
                            PROGRESS_LIMIT,
                            () -> !vm.paused() && vm.acked() >= before + ACKS_AFTER);
        }
    }

    private static OutageFigures.Course course(Scene.Vm vm, long fromNs, OptionalLong backNs) {
        List<QemuTrace.Change> changes = vm.changesFrom(fromNs);
        OptionalLong stopped = changes.stream()
                .filter(change -> !change.running())
                .mapToLong(QemuTrace.Change::atNs)
                .findFirst();
        OptionalLong progress = backNs.isEmpty()
                ? OptionalLong.empty()
                : vm.channel().clock().firstProgress(stopped, backNs.getAsLong());
        return new OutageFigures.Course(changes, progress);
    }

    private void tell(OutageFigures figures) {
        narrator.say(
                "outage " + figures.number(),
                String.format(
                        Locale.ROOT,
                        "noticed after %s, frozen after %s, progress after %s; frozen %d times",
                        span(figures.detectMs()),
                        span(figures.lastFreezeMs()),
                        span(figures.lastThawMs()),
                        figures.freezes()));
    }

    private static String span(OptionalDouble ms) {
        return ms.isPresent() ? Numbers.span(ms.getAsDouble()) : "(never)";
    }

    private void judge(int number, List<Scene.Vm> before, Map<Scene.Vm, OutageFigures.Course> courses) {
        if (plan.route() == Route.STRAIGHT_TO_SERVER) {
            return;
        }
        FailoverShape shape = plan.fault().shape();
        courses.forEach((vm, course) -> {
            boolean exact = judgement == Judgement.EXACT;
            int least = before.contains(vm) ? Math.min(shape.freezes().least(), exact ? Integer.MAX_VALUE : 1) : 0;
            int most = exact ? shape.freezes().most() : Integer.MAX_VALUE;
            String who = "outage " + number + ": " + vm.name();
            if (course.freezes() < least || course.freezes() > most) {
                reasons.add(who + " was frozen " + course.freezes() + " times, and " + least
                        + (least == most ? "" : exact ? " to " + most : " or more") + " are right");
            }
            boolean mustStay = shape.ending() == FailoverShape.Ending.FROZEN;
            if (course.frozen() != mustStay) {
                reasons.add(who + (mustStay ? " was resumed, and must not be" : " is still frozen"));
            }
            if (exact) {
                addFlips(who, course.changes());
            }
        });
    }

    private void addFlips(String who, List<QemuTrace.Change> changes) {
        long lastNs = Long.MIN_VALUE;
        for (QemuTrace.Change change : changes) {
            if (change.running()) {
                if (lastNs != Long.MIN_VALUE && Numbers.msBetween(lastNs, change.atNs()) < FLIP_LIMIT_MS) {
                    reasons.add(who + " was resumed twice within "
                            + Numbers.span(Numbers.msBetween(lastNs, change.atNs())));
                }
                lastNs = change.atNs();
            }
        }
    }

    // ------------------------------------------------------------------ the end

    private void end(FailoverStage stage) throws DrillFailure, IOException, InterruptedException {
        stage.tidyUp();
        for (Scene.Vm vm : stage.vms()) {
            if (plan.route() == Route.STRAIGHT_TO_SERVER) {
                judgeUnprotected(vm);
            } else if (judgement == Judgement.EXACT) {
                judgeClock(vm);
            }
            if (vm.paused()) {
                vm.qemu().child().kill();
                stage.scene()
                        .await(
                                "QEMU to end",
                                PROGRESS_LIMIT,
                                () -> !vm.qemu().child().alive());
                stage.scene().diskHarm(vm).forEach(harm -> reasons.add(vm.name() + ": " + harm));
            } else {
                List<String> harm = stage.scene().harm(vm);
                if (plan.route() == Route.THROUGH_AGENT) {
                    harm.forEach(what -> reasons.add(vm.name() + ": " + what));
                }
            }
        }
    }

    /** The guest's clock went on for as long as it ran, and stood for as long as it was frozen. */
    private void judgeClock(Scene.Vm vm) {
        OptionalDouble unaccounted =
                vm.channel().clock().unaccountedMs(vm.qemu().trace().changes());
        if (unaccounted.isPresent() && Math.abs(unaccounted.getAsDouble()) > CLOCK_LIMIT_MS) {
            reasons.add(vm.name() + ": its clock and its pauses differ from the host's clock by "
                    + Numbers.span(unaccounted.getAsDouble()));
        }
    }

    /** The control run: a drill that did not see an unprotected guest stall could not fail. */
    private void judgeUnprotected(Scene.Vm vm) {
        OptionalDouble stall = vm.channel().clock().longestStallMs(0, System.nanoTime());
        if (stall.orElse(0) < plan.outage().toMillis()) {
            reasons.add("without an agent the guest stalled for " + span(stall) + " only: this drill cannot fail");
        }
    }
}
