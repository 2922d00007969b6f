package io.holdfast.drills;

import io.holdfast.testimages.DiskChecker;
import io.holdfast.testimages.DiskReport;
import io.holdfast.testimages.GuestImages;
import io.holdfast.testimages.GuestReport;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import java.util.function.ToLongFunction;

/**
 * A server that is stopped as planned and started anew at once, as an upgrade does it, under several guests that write all
 * the time. Belongs to one thread; what it watches is watched by threads of the watchers. Every wait has a limit.
 */
final class UpgradeDrill {
    /**
     * What is to be done.
     *
     * @param restarts how often the server is restarted under the same guests
     * @param pauseMs between two records of a guest's writer: what its CPUs have room for when many run on few cores
     */
    record Plan(int guests, int restarts, int pauseMs) {}

    /** One restart of the server: {@link System#nanoTime()} of its steps. */
    record Restart(long askedNs, long endedNs, long servingNs) {
        double stopToServingMs() {
            return Numbers.msBetween(askedNs, servingNs);
        }
    }

    private static final int WRITERS = 4;
    private static final int ACKS_BEFORE = 100;
    private static final Duration BOOT_LIMIT = Duration.ofSeconds(150);
    private static final Duration END_LIMIT = Duration.ofSeconds(30);
    private static final Duration PROGRESS_LIMIT = Duration.ofSeconds(60);
    private static final Duration GUEST_LIMIT = Duration.ofSeconds(60);
    /** What a guest's writes stall for when nothing happens, for comparison. */
    private static final Duration BEFORE = Duration.ofSeconds(3);
    /** The gap that the restart makes begins with a write of before. */
    private static final Duration LEAD = Duration.ofMillis(500);

    private static final Duration AFTER = Duration.ofMillis(1500);
    private static final int TAIL_LINES = 15;

    private final Plan plan;
    private final Drill.Setting setting;
    private final Narrator narrator;
    private final List<Guest> guests = new ArrayList<>();
    private final UpgradeResult.Builder result;

    UpgradeDrill(Plan plan, Drill.Setting setting, Narrator narrator, Judgement judgement) {
        this.plan = plan;
        this.setting = setting;
        this.narrator = narrator;
        this.result = new UpgradeResult.Builder(plan, judgement);
    }

    /** A guest, what it says, and what QEMU says. */
    private record Guest(String name, GuestVm qemu, GuestChannel channel, Observer observer, Path image)
            implements AutoCloseable {
        long acked() {
            return channel.report().ledger().acked();
        }

        /** When QEMU said so first at that time or later. */
        OptionalLong event(String event, long fromNs) {
            return observer.events().stream()
                    .filter(seen -> seen.name().equals(event) && seen.atNs() >= fromNs)
                    .mapToLong(Observer.Event::atNs)
                    .findFirst();
        }

        long pauses() {
            return observer.events().stream()
                    .filter(seen -> seen.name().equals("STOP"))
                    .count();
        }

        /** The first write acknowledged after the server was back. */
        OptionalLong progressNs(Restart restart) {
            return channel.clock().firstProgress(event("STOP", restart.askedNs()), restart.servingNs());
        }

        @Override
        public void close() throws IOException {
            observer.close();
            channel.close();
        }
    }

    /** Runs it; whatever goes wrong is in the result. */
    UpgradeResult run() throws InterruptedException {
        try (Workplace place = Workplace.below(setting.workParent())) {
            try {
                play(place);
            } catch (DrillFailure | IOException e) {
                result.mishap(e.getMessage() == null ? e.toString() : e.getMessage());
            } finally {
                closeGuests();
            }
            UpgradeResult judged = result.judged();
            if (judged.survived()) {
                return judged;
            }
            if (setting.keepLogs() == Drill.KeepLogs.YES) {
                place.keepFolder();
            }
            return judged.withLogs(tails(place));
        } catch (DrillFailure e) {
            result.mishap("" + e.getMessage());
            return result.judged();
        }
    }

    private void closeGuests() {
        for (Guest guest : guests) {
            try {
                guest.close();
            } catch (IOException e) {
                // Its QEMU has ended; nothing more is heard of it either way.
            }
        }
    }

    private void play(Workplace place) throws DrillFailure, IOException, InterruptedException {
        Map<String, Path> disks = new LinkedHashMap<>();
        for (int i = 1; i <= plan.guests(); i++) {
            disks.put("web" + i, setting.images().copyRoot(place.file("web" + i + ".img")));
        }
        ServerProcess.Setting serverSetting = serverSetting(place, List.copyOf(disks.values()));
        ServerProcess server = ServerProcess.start(place, serverSetting);
        server.awaitServing();
        Map<String, String> monitors = new LinkedHashMap<>();
        disks.keySet()
                .forEach(name ->
                        monitors.put(name, GuestVm.agentMonitor(place, name).toString()));
        AgentProcess agent = AgentProcess.start(
                place, setting.holdfast(), Host.LOOPBACK, List.of(serverSetting.controlAddress()), monitors, List.of());
        long bootNs = System.nanoTime();
        // One after the other: a guest's initramfs does not wait for ever for a CPU that nine others boot on.
        for (Map.Entry<String, Path> disk : disks.entrySet()) {
            Guest guest = boot(place, disk.getKey(), disk.getValue(), agent.awaitPortal(disk.getKey()));
            guests.add(guest);
            await("guest " + guest.name() + " to write", BOOT_LIMIT, server, agent, () -> guest.acked() >= ACKS_BEFORE);
        }
        narrator.say(
                "guests",
                plan.guests() + " write, after " + Numbers.span(Numbers.msBetween(bootNs, System.nanoTime())));
        for (int i = 1; i <= plan.restarts(); i++) {
            server = restart(place, serverSetting, server, agent);
        }
        for (Guest guest : guests) {
            end(guest);
        }
        agent.child().end(END_LIMIT);
        server.child().end(END_LIMIT);
        for (Guest guest : guests) {
            check(place, guest);
        }
    }

    private ServerProcess.Setting serverSetting(Workplace place, List<Path> disks) throws DrillFailure {
        List<String> more = new ArrayList<>();
        for (Path disk : disks.subList(1, disks.size())) {
            more.addAll(List.of("--export", disk.toString()));
        }
        return new ServerProcess.Setting(
                setting.holdfast(),
                FreePort.choose(),
                FreePort.choose(),
                disks.get(0),
                place.file("server-state"),
                List.copyOf(more),
                Host.LOOPBACK);
    }

    private Guest boot(Workplace place, String name, Path image, int portal)
            throws DrillFailure, IOException, InterruptedException {
        GuestImages images = setting.images();
        DeviceKind device = DeviceKind.VIRTIO_BLK;
        List<String> way = new ArrayList<>(Boot.KERNEL.qemuArguments(images, device, WRITERS));
        int words = way.indexOf("-append") + 1;
        way.set(words, way.get(words) + " holdfast.pause_ms=" + plan.pauseMs());
        GuestVm qemu = GuestVm.start(
                place,
                new GuestVm.Setting(
                        device, way, portal, "iqn.2026-11.io.holdfast:" + name, 0, name, "", List.of(), Host.LOOPBACK));
        return new Guest(name, qemu, GuestChannel.connect(qemu.port()), Observer.at(qemu.observerMonitor()), image);
    }

    private ServerProcess restart(
            Workplace place, ServerProcess.Setting serverSetting, ServerProcess server, AgentProcess agent)
            throws DrillFailure, InterruptedException {
        long quietNs = System.nanoTime();
        Patience.letPass(BEFORE, mustLive(server, agent));
        for (Guest guest : guests) {
            result.before(guest.channel().clock().longestSilenceMs(quietNs, System.nanoTime()));
        }
        long askedNs = server.strike(Fault.STOP);
        if (!server.child().awaitEnd(END_LIMIT)) {
            throw new DrillFailure("the server did not end within " + END_LIMIT.toSeconds() + " s");
        }
        ServerProcess next = ServerProcess.start(place, serverSetting);
        next.awaitServing();
        Restart restart = new Restart(
                askedNs,
                server.child().endedNs().orElseThrow(),
                next.servingNs().orElseThrow());
        for (Guest guest : guests) {
            await(
                    "guest " + guest.name() + " to go on",
                    PROGRESS_LIMIT,
                    next,
                    agent,
                    () -> guest.progressNs(restart).isPresent());
        }
        Patience.letPass(AFTER, mustLive(next, agent));
        for (Guest guest : guests) {
            result.stall(guest.channel().clock().longestSilenceMs(askedNs - LEAD.toNanos(), System.nanoTime()));
        }
        result.restart(restart);
        tell(restart);
        return next;
    }

    private void tell(Restart restart) {
        narrator.say(
                "restart",
                String.format(
                        Locale.ROOT,
                        "frozen after %s ms, server gone after %s, serving after %s, resumed after %s,"
                                + " acknowledged writes after %s",
                        since(
                                restart,
                                guest -> guest.event("STOP", restart.askedNs()).orElse(restart.askedNs())),
                        Numbers.ms(Numbers.msBetween(restart.askedNs(), restart.endedNs())),
                        Numbers.ms(restart.stopToServingMs()),
                        since(
                                restart,
                                guest ->
                                        guest.event("RESUME", restart.askedNs()).orElse(restart.askedNs())),
                        since(restart, guest -> guest.progressNs(restart).orElse(restart.askedNs()))));
    }

    /** From the first guest to the last. */
    private String since(Restart restart, ToLongFunction<Guest> whenNs) {
        LongSummaryStatistics times = guests.stream().mapToLong(whenNs).summaryStatistics();
        return Numbers.ms(Numbers.msBetween(restart.askedNs(), times.getMin())) + "-"
                + Numbers.ms(Numbers.msBetween(restart.askedNs(), times.getMax()));
    }

    private List<Child> mustLive(ServerProcess server, AgentProcess agent) {
        List<Child> children = new ArrayList<>(List.of(server.child(), agent.child()));
        guests.forEach(guest -> children.add(guest.qemu().child()));
        return children;
    }

    private void await(String what, Duration limit, ServerProcess server, AgentProcess agent, BooleanSupplier condition)
            throws DrillFailure, InterruptedException {
        Patience.await(what, limit, mustLive(server, agent), condition);
    }

    private void end(Guest guest) throws DrillFailure, InterruptedException {
        GuestReport said = guest.channel().report();
        List<Child> needed = List.of(guest.qemu().child());
        guest.channel().say("stop");
        Patience.await("guest " + guest.name() + " to stop its writers", GUEST_LIMIT, needed, said::allStopped);
        guest.channel().say("report");
        Patience.await(
                "the report of " + guest.name(),
                GUEST_LIMIT,
                needed,
                () -> said.summary().isPresent());
        guest.channel().say("poweroff");
        if (!guest.qemu().child().awaitEnd(GUEST_LIMIT)) {
            throw new DrillFailure(
                    "guest " + guest.name() + " did not power off within " + GUEST_LIMIT.toSeconds() + " s");
        }
        guest.channel().drain();
    }

    private void check(Workplace place, Guest guest) throws IOException, InterruptedException {
        GuestReport said = guest.channel().report();
        DiskReport disk = DiskChecker.check(guest.image(), said.ledger(), place.folder());
        result.guest(guest.name(), Drill.aftermath(said, Optional.of(disk)), guest.pauses());
    }

    private static List<String> tails(Workplace place) {
        List<String> lines = new ArrayList<>();
        for (Child child : place.children()) {
            lines.add("--- " + child.name() + ", pid " + child.pid() + ", last lines:");
            lines.addAll(child.tail(TAIL_LINES));
        }
        return lines;
    }
}
