package io.holdfast.drills;

import io.holdfast.testimages.DiskChecker;
import io.holdfast.testimages.DiskReport;
import io.holdfast.testimages.GuestImages;
import io.holdfast.testimages.GuestLine;
import io.holdfast.testimages.GuestReport;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.OperatingSystemMXBean;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One drill from the first process to the check of the disk. Belongs to one thread; what it watches is watched by threads
 * of the watchers. Every wait has a limit.
 */
final class Drill {
    /** What a user may set beside the plan. */
    record Setting(Path holdfast, GuestImages images, Path workParent, KeepLogs keepLogs) {}

    /** What becomes of the logs of a drill that failed. */
    enum KeepLogs {
        YES,
        NO
    }

    /** Called when the guest has progressed again and all is running; returns when the drill shall end. */
    interface Pause {
        /** Goes on at once. */
        Pause NONE = (place, evidence) -> {};

        void lookAround(Workplace place, Evidence evidence) throws InterruptedException;
    }

    private static final int WRITERS = 4;
    private static final int ACKS_BEFORE_FAULT = 100;
    private static final Duration BOOT_LIMIT = Duration.ofSeconds(90);
    private static final Duration ACKS_LIMIT = Duration.ofSeconds(30);
    private static final Duration PLANNED_END_LIMIT = Duration.ofSeconds(20);
    private static final Duration KILLED_END_LIMIT = Duration.ofSeconds(5);
    private static final Duration PROTECTED_PROGRESS_LIMIT = Duration.ofSeconds(30);

    /** Without an agent libiscsi backs off up to 30 s between two tries to reconnect. */
    private static final Duration UNPROTECTED_PROGRESS_LIMIT = Duration.ofSeconds(90);

    private static final Duration GUEST_STOP_LIMIT = Duration.ofSeconds(30);
    private static final Duration POWER_OFF_LIMIT = Duration.ofSeconds(30);

    /** Long enough for late consequences to show: flapping, time-outs of requests that were in flight. */
    private static final Duration AFTER_PROGRESS = Duration.ofMillis(1500);

    /** The sampler looks closely from here on, so that it is warm when it matters. */
    private static final Duration BEFORE_FAULT = Duration.ofMillis(300);

    /** Once the vCPUs stand still nothing is about to happen for the rest of the outage. */
    private static final Duration CLOSE_LOOK = Duration.ofMillis(500);

    /** The drill itself keeps about one CPU busy. */
    private static final double BUSY_LOAD_PER_CPU = 1.5;

    private static final int TAIL_LINES = 15;

    private final DrillPlan plan;
    private final Setting setting;
    private final Narrator narrator;
    private final Pause pause;
    private final FactLog facts = new FactLog();
    private final VcpuActivity vcpuActivity = new VcpuActivity();

    private @Nullable Evidence evidence;
    private @Nullable GuestReport report;
    private @Nullable GuestVm guest;
    private double loadAverage = -1;
    private OptionalLong stoppedNs = OptionalLong.empty();

    Drill(DrillPlan plan, Setting setting, Narrator narrator, Pause pause) {
        this.plan = plan;
        this.setting = setting;
        this.narrator = narrator;
        this.pause = pause;
    }

    /** Runs it; whatever goes wrong is in the result. */
    DrillResult run() throws InterruptedException {
        Optional<String> mishap = Optional.empty();
        Optional<DiskReport> disk = Optional.empty();
        List<String> logs = List.of();
        try (Workplace place = Workplace.below(setting.workParent())) {
            try {
                Path image = plan.boot().copyImage(setting.images(), place.file("disk.img"));
                play(place, image);
                disk = Optional.of(checkDisk(place, image));
            } catch (DrillFailure | IOException e) {
                mishap = Optional.of(mishap(e));
            }
            Verdict verdict = verdict(mishap, disk);
            if (!verdict.survived()) {
                logs = tails(place);
                if (setting.keepLogs() == KeepLogs.YES) {
                    place.keepFolder();
                    logs.add("logs kept in " + place.folder());
                }
            }
            return result(verdict, logs);
        } catch (DrillFailure e) {
            return result(Verdict.judge(plan, Findings.none(), Optional.of(String.valueOf(e.getMessage()))), logs);
        }
    }

    /** A broken monitor or port means most often that QEMU has ended, and QEMU says why. */
    private String mishap(Exception e) {
        GuestVm vm = guest;
        boolean qemuDied =
                vm != null && e instanceof IOException && vm.child().endedNs().isPresent();
        if (vm != null && qemuDied) {
            return vm.child().obituary();
        }
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private DrillResult result(Verdict verdict, List<String> logs) {
        Evidence seen = evidence;
        return seen == null
                ? new DrillResult(verdict, 0, loadAverage, List.of(), logs)
                : new DrillResult(verdict, seen.faultNs(), loadAverage, Story.of(seen), logs);
    }

    private Verdict verdict(Optional<String> mishap, Optional<DiskReport> disk) {
        Evidence seen = evidence;
        GuestReport said = report;
        if (seen == null || said == null) {
            return Verdict.judge(plan, Findings.none(), mishap);
        }
        return Verdict.judge(plan, Findings.from(seen, aftermath(said, disk)), mishap);
    }

    static Evidence.Aftermath aftermath(GuestReport said, Optional<DiskReport> disk) {
        Optional<GuestLine.Summary> summary = said.summary();
        long errorCount = summary.map(GuestLine.Summary::errors).orElse(0L);
        long complaintCount = summary.map(GuestLine.Summary::kernelMessages).orElse(0L);
        List<String> errors = said.errors().stream()
                .map(error -> "writer " + error.line().writer() + ", record "
                        + error.line().sequence() + ": " + error.line().text())
                .toList();
        List<String> complaints = said.kernelMessages().stream()
                .map(message -> message.line().text())
                .toList();
        return new Evidence.Aftermath(
                (int) Math.max(errorCount, errors.size()),
                errors,
                (int) Math.max(complaintCount, complaints.size()),
                complaints,
                summary.map(GuestLine.Summary::remountedReadOnly).orElse(false),
                disk,
                said.ledger().acked());
    }

    private void play(Workplace place, Path image) throws DrillFailure, IOException, InterruptedException {
        ServerProcess.Setting serverSetting = new ServerProcess.Setting(
                setting.holdfast(), FreePort.choose(), FreePort.choose(), image, place.file("server-state"));
        ServerProcess server = ServerProcess.start(place, serverSetting);
        ServerProcess.Lun lun = server.awaitServing();
        server.requireItIsTheListener();
        narrator.say(
                "server",
                lun.url()
                        + after(
                                Numbers.msBetween(
                                        server.child().startedNs(),
                                        server.servingNs().orElseThrow()),
                                "serving"));

        Optional<AgentProcess> agent = startAgent(place, serverSetting.controlPort());
        int portal = agent.isPresent() ? agent.get().awaitPortal() : serverSetting.iscsiPort();
        agent.ifPresent(process -> narrator.say("agent", "portal 127.0.0.1:" + portal));

        GuestVm vm = GuestVm.start(
                place,
                new GuestVm.Setting(
                        plan.device(),
                        plan.boot().qemuArguments(setting.images(), plan.device(), WRITERS),
                        portal,
                        lun.target(),
                        lun.number()));
        guest = vm;
        OptionalInt portalPort = agent.isPresent() ? OptionalInt.of(portal) : OptionalInt.empty();
        try (GuestChannel channel = GuestChannel.connect(vm.port());
                Observer observer = Observer.at(vm.observerMonitor());
                Sampler sampler = new Sampler(
                        new VcpuThreads(vm.child().pid(), observer.vcpuThreadIds(vm.child())),
                        vcpuActivity,
                        new ConnectionWatch(vm.child().pid(), serverSetting.iscsiPort(), portalPort, facts))) {
            report = channel.report();
            sampler.start();
            awaitWriting(vm, channel, observer);
            Fateful fateful = new Fateful(
                    place,
                    server,
                    serverSetting,
                    agent,
                    vm,
                    channel,
                    observer,
                    sampler,
                    new QemuTrace(GuestVm.traceFile(place)));
            ServerProcess next = takeAwayAndBringBack(fateful);
            pause.lookAround(place, Objects.requireNonNull(evidence));
            endGuest(vm, channel);
            agent.ifPresent(process -> endQuietly(process.child()));
            endQuietly(next.child());
        }
    }

    private Optional<AgentProcess> startAgent(Workplace place, int controlPort) throws DrillFailure {
        if (plan.route() == Route.STRAIGHT_TO_SERVER) {
            return Optional.empty();
        }
        return Optional.of(
                AgentProcess.start(place, setting.holdfast(), controlPort, "drill", GuestVm.agentMonitor(place)));
    }

    private void awaitWriting(GuestVm vm, GuestChannel channel, Observer observer)
            throws DrillFailure, InterruptedException {
        List<Child> needed = List.of(vm.child());
        GuestReport said = channel.report();
        Patience.await(
                "the guest to become ready",
                BOOT_LIMIT,
                needed,
                () -> said.ready().isPresent());
        GuestReport.Received<GuestLine.Ready> ready = said.ready().orElseThrow();
        narrator.say(
                "guest",
                "QEMU " + observer.awaitSession(vm.child()).version() + " (TCG), "
                        + ready.line().writers() + " writers on "
                        + ready.line().device() + " by " + plan.device()
                        + after(Numbers.msBetween(vm.child().startedNs(), ready.receivedNanos()), "ready"));
        Patience.await(
                "the guest's writes to be acknowledged",
                ACKS_LIMIT,
                needed,
                () -> said.ledger().acked() >= ACKS_BEFORE_FAULT);
    }

    /** Everything the fateful part works with. */
    private record Fateful(
            Workplace place,
            ServerProcess server,
            ServerProcess.Setting serverSetting,
            Optional<AgentProcess> agent,
            GuestVm vm,
            GuestChannel channel,
            Observer observer,
            Sampler sampler,
            QemuTrace trace) {

        List<Child> mustLive() {
            List<Child> children = new ArrayList<>(List.of(vm.child()));
            agent.ifPresent(process -> children.add(process.child()));
            return children;
        }
    }

    private ServerProcess takeAwayAndBringBack(Fateful fateful) throws DrillFailure, IOException, InterruptedException {
        fateful.sampler().lookClosely();
        long warmFromNs = System.nanoTime();
        Patience.letPass(BEFORE_FAULT, fateful.mustLive());
        narrator.say(
                "writing",
                String.format(
                        Locale.ROOT,
                        "%.0f durable writes a second; now %s to the server",
                        fateful.channel().clock().ackRate(warmFromNs, System.nanoTime()),
                        plan.fault().signal()));
        noteLoad();
        Child server = fateful.server().child();
        int port = fateful.serverSetting().iscsiPort();
        try (Canary canary = Canary.at(port)) {
            long faultNs = fateful.server().strike(plan.fault());
            Course course = new Course(faultNs, server, canary, Optional.empty());
            ListenProbe listenProbe = new ListenProbe(port, facts);
            try {
                fateful.observer().startProbing();
                endure(fateful, faultNs, server);
                fateful.sampler().lookClosely();
                ServerProcess next = ServerProcess.start(fateful.place(), fateful.serverSetting());
                listenProbe.start();
                course = new Course(faultNs, server, canary, Optional.of(next));
                awaitProgress(fateful, course, next);
                return next;
            } finally {
                listenProbe.stop();
                fateful.observer().stopProbing();
                evidence = evidence(fateful, course);
            }
        }
    }

    /** A busy machine makes every time longer, and no figure taken on one should be quoted without saying so. */
    private void noteLoad() {
        OperatingSystemMXBean machine = ManagementFactory.getOperatingSystemMXBean();
        loadAverage = machine.getSystemLoadAverage();
        int cpus = machine.getAvailableProcessors();
        if (loadAverage > BUSY_LOAD_PER_CPU * cpus) {
            narrator.say(
                    "note",
                    String.format(
                            Locale.ROOT,
                            "this machine is busy (load %.1f on %d CPUs): the times will be longer than they need be",
                            loadAverage,
                            cpus));
        }
    }

    /** What became of the server: the one that was struck, and the one that came after it. */
    private record Course(long faultNs, Child struck, Canary canary, Optional<ServerProcess> next) {
        OptionalLong restartedNs() {
            return next.isPresent() ? OptionalLong.of(next.get().child().startedNs()) : OptionalLong.empty();
        }

        OptionalLong servingNs() {
            return next.isPresent() ? next.get().servingNs() : OptionalLong.empty();
        }
    }

    /** Lives through the outage. */
    private void endure(Fateful fateful, long faultNs, Child server) throws DrillFailure, InterruptedException {
        Duration endLimit = plan.fault() == Fault.STOP ? PLANNED_END_LIMIT : KILLED_END_LIMIT;
        Patience.await(
                "the server's process to end",
                endLimit,
                fateful.mustLive(),
                () -> server.endedNs().isPresent());
        // The outage counts from the end: a planned stop takes its time before it.
        long outageFromNs = plan.fault() == Fault.STOP ? server.endedNs().orElseThrow() : faultNs;
        long outageEndNs = outageFromNs + plan.outage().toNanos();
        long closeLookEndNs = Math.min(faultNs + CLOSE_LOOK.toNanos(), outageEndNs);
        letPassUntil(closeLookEndNs, fateful.mustLive());
        fateful.sampler().relax();
        letPassUntil(outageEndNs, fateful.mustLive());
    }

    private static void letPassUntil(long untilNs, List<Child> mustLive) throws DrillFailure, InterruptedException {
        long leftNs = untilNs - System.nanoTime();
        if (leftNs > 0) {
            Patience.letPass(Duration.ofNanos(leftNs), mustLive);
        }
    }

    private void awaitProgress(Fateful fateful, Course course, ServerProcess next)
            throws DrillFailure, InterruptedException {
        List<Child> needed = new ArrayList<>(fateful.mustLive());
        needed.add(next.child());
        Duration limit = plan.route() == Route.THROUGH_AGENT ? PROTECTED_PROGRESS_LIMIT : UNPROTECTED_PROGRESS_LIMIT;
        next.awaitServing();
        Patience.await(
                "the guest to make progress after the server was back",
                limit,
                needed,
                () -> evidence(fateful, course).progressNs().isPresent());
        fateful.sampler().relax();
        fateful.observer().stopProbing();
        Patience.letPass(AFTER_PROGRESS, needed);
        narrator.say(
                "goes on",
                String.format(
                        Locale.ROOT,
                        "%.0f durable writes a second",
                        fateful.channel()
                                .clock()
                                .ackRate(System.nanoTime() - AFTER_PROGRESS.toNanos(), System.nanoTime())));
    }

    private Evidence evidence(Fateful fateful, Course course) {
        OptionalLong restartedNs = course.restartedNs();
        // Only the probes of the outage itself: a running guest's monitor answers anyway.
        List<Observer.Probe> probes = fateful.observer().probes().stream()
                .filter(probe -> restartedNs.isEmpty() || probe.atNs() < restartedNs.getAsLong())
                .toList();
        return new Evidence(
                plan,
                course.faultNs(),
                course.struck().endedNs(),
                course.canary().endedNs(),
                restartedNs,
                course.servingNs(),
                stopped(fateful, course),
                vcpuActivity.stoodStillSince(course.faultNs()),
                facts,
                fateful.observer().events(),
                probes,
                fateful.channel().clock(),
                fateful.agent().map(process -> process.child().lines()).orElse(List.of()),
                System.nanoTime());
    }

    /** Read once: evidence is looked at every few milliseconds while the guest is waited for, on a machine that is busy. */
    private OptionalLong stopped(Fateful fateful, Course course) {
        if (stoppedNs.isEmpty()) {
            stoppedNs = fateful.trace().stoppedFrom(course.faultNs());
        }
        return stoppedNs;
    }

    private static void endGuest(GuestVm vm, GuestChannel channel) throws DrillFailure, InterruptedException {
        GuestReport said = channel.report();
        List<Child> needed = List.of(vm.child());
        channel.say("stop");
        Patience.await("the guest's writers to stop", GUEST_STOP_LIMIT, needed, said::allStopped);
        channel.say("report");
        Patience.await(
                "the guest's report",
                GUEST_STOP_LIMIT,
                needed,
                () -> said.summary().isPresent());
        channel.say("poweroff");
        if (!vm.child().awaitEnd(POWER_OFF_LIMIT)) {
            throw new DrillFailure("the guest did not power off within " + POWER_OFF_LIMIT.toSeconds() + " s");
        }
        if (vm.child().exitCode() != 0) {
            throw new DrillFailure("QEMU ended with exit code " + vm.child().exitCode());
        }
        channel.drain();
    }

    private static void endQuietly(Child child) {
        try {
            child.end(PLANNED_END_LIMIT);
        } catch (InterruptedException e) {
            child.kill();
            Thread.currentThread().interrupt();
        }
    }

    private DiskReport checkDisk(Workplace place, Path image) throws IOException, InterruptedException {
        GuestReport said = report;
        if (said == null) {
            throw new IllegalStateException("no guest ran");
        }
        DiskReport disk = DiskChecker.check(image, said.ledger(), place.folder());
        narrator.say(
                "disk",
                (disk.intact() ? "intact: " : "DAMAGED: ") + disk.acked() + " acknowledged writes, " + disk.lost()
                        + " lost, file system "
                        + (disk.fileSystemComplaint().isEmpty() ? "clean" : "not clean"));
        return disk;
    }

    private List<String> tails(Workplace place) {
        List<String> lines = new ArrayList<>();
        for (Child child : place.children()) {
            lines.add("--- " + child.name() + ", pid " + child.pid() + ", " + state(child) + ", last lines:");
            lines.addAll(child.tail(TAIL_LINES));
        }
        GuestVm vm = guest;
        if (vm != null) {
            lines.add("--- the guest's console, last lines:");
            lines.addAll(vm.consoleTail(TAIL_LINES));
        }
        return lines;
    }

    private static String state(Child child) {
        return child.alive() ? "running" : "ended with exit code " + child.exitCode();
    }

    private static String after(double ms, String what) {
        return "  (" + what + " after " + Numbers.span(ms) + ")";
    }
}
