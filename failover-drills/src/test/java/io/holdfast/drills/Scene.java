package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.linux.UnixStream;
import io.holdfast.testimages.DiskChecker;
import io.holdfast.testimages.DiskReport;
import io.holdfast.testimages.GuestImages;
import io.holdfast.testimages.GuestLine;
import io.holdfast.testimages.GuestReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Servers, an agent and guests, put together as a test wants them: for cases that are not "the server goes and comes back".
 * Belongs to the test's thread.
 */
final class Scene implements AutoCloseable {
    private static final int WRITERS = 4;
    private static final Duration BOOT_LIMIT = Duration.ofSeconds(150);
    private static final Duration LIMIT = Duration.ofSeconds(40);

    private final Path holdfast = Path.of(System.getProperty("holdfast.checkout", ".."), "scripts", "holdfast")
            .toAbsolutePath()
            .normalize();
    private final GuestImages images;
    private final Workplace place;
    private final Map<String, Vm> vms = new LinkedHashMap<>();
    private final Map<String, Path> imagePaths = new LinkedHashMap<>();
    private @Nullable AgentProcess agent;

    Scene(Path work, GuestImages images) throws DrillFailure {
        this.images = images;
        place = Workplace.below(work);
    }

    /** A guest, what it says, and what QEMU says. */
    record Vm(String name, GuestVm qemu, GuestChannel channel, Observer observer, Path image, String target) {
        long acked() {
            return channel.report().ledger().acked();
        }

        /** How often its virtual CPUs were stopped. */
        long pauses() {
            return count("STOP");
        }

        long resumes() {
            return count("RESUME");
        }

        boolean paused() {
            return pauses() > resumes();
        }

        private long count(String event) {
            return observer.events().stream()
                    .filter(seen -> seen.name().equals(event))
                    .count();
        }
    }

    Workplace place() {
        return place;
    }

    Path holdfast() {
        return holdfast;
    }

    Path image(String name) throws IOException {
        return images.copyRoot(place.file(name + ".img"));
    }

    Path image(String name, Path folder) throws IOException {
        imagePaths.put(name, folder.resolve(name + ".img"));
        return images.copyRoot(folder.resolve(name + ".img"));
    }

    /** Of QEMU: one more disk at the VM's portal. */
    List<String> secondDisk(String vm, String target) throws DrillFailure, InterruptedException {
        int portal = Objects.requireNonNull(agent).awaitPortal(vm);
        return List.of(
                "-blockdev",
                "driver=iscsi,node-name=iscsi1,transport=tcp,portal=127.0.0.1:" + portal
                        + ",target=iqn.2026-11.io.holdfast:" + target + ",lun=0,cache.direct=on",
                "-blockdev",
                "driver=raw,node-name=disk1,file=iscsi1,cache.direct=on",
                "-device",
                "virtio-blk-pci,drive=disk1,werror=stop,rerror=stop");
    }

    /** As an administrator would, on a monitor of his. */
    void tellQemu(Vm vm, String command) throws DrillFailure, IOException {
        Path socket = place.file(vm.name() + "-user.qmp");
        try (UnixStream monitor = UnixStream.connect(socket, 5_000)) {
            monitor.readTimeoutMs(5_000);
            monitor.readLine(1 << 16);
            for (String line : List.of("qmp_capabilities", command)) {
                monitor.write(("{\"execute\":\"" + line + "\"}\n").getBytes(StandardCharsets.UTF_8));
                String reply;
                do {
                    reply = monitor.readLine(1 << 16);
                } while (reply != null && !reply.contains("\"return\""));
            }
        }
    }

    /** When QEMU told such an event last, of all guests. */
    LongSummaryStatistics msSince(long ns, String event) {
        return vms.values().stream()
                .mapToLong(vm -> vm.observer().events().stream()
                        .filter(seen -> seen.name().equals(event))
                        .mapToLong(Observer.Event::atNs)
                        .max()
                        .orElse(ns))
                .map(at -> (at - ns) / 1_000_000)
                .summaryStatistics();
    }

    ServerProcess.Setting server(String name, Path image, String... more) throws DrillFailure {
        return new ServerProcess.Setting(
                holdfast, FreePort.choose(), FreePort.choose(), image, place.file(name + "-state"), List.of(more));
    }

    ServerProcess start(ServerProcess.Setting setting) throws DrillFailure, InterruptedException {
        ServerProcess server = ServerProcess.start(place, setting);
        server.awaitServing();
        return server;
    }

    AgentProcess agent(List<ServerProcess.Setting> servers, List<String> names, String... more)
            throws DrillFailure, InterruptedException {
        Map<String, String> sockets = new LinkedHashMap<>();
        for (String name : names) {
            sockets.put(name, GuestVm.agentMonitor(place, name) + "");
        }
        return agent(servers, sockets, more);
    }

    /** @param said what {@code --vm} says of each VM */
    AgentProcess agent(List<ServerProcess.Setting> servers, Map<String, String> said, String... more)
            throws DrillFailure, InterruptedException {
        AgentProcess started = AgentProcess.start(
                place,
                holdfast,
                servers.stream().map(ServerProcess.Setting::controlPort).toList(),
                said,
                List.of(more));
        started.awaitPortal();
        agent = started;
        return started;
    }

    /** Starts a guest on the disk that was made by {@link #image} under its name; does not wait for it. */
    Vm guest(String name, DeviceKind device, String login, List<String> more)
            throws DrillFailure, IOException, InterruptedException {
        int portal = Objects.requireNonNull(agent).awaitPortal(name);
        String target = "iqn.2026-11.io.holdfast:" + name;
        GuestVm qemu = GuestVm.start(
                place,
                new GuestVm.Setting(
                        device,
                        Boot.KERNEL.qemuArguments(images, device, WRITERS),
                        portal,
                        target,
                        0,
                        name,
                        login,
                        more));
        Vm vm = new Vm(
                name,
                qemu,
                GuestChannel.connect(qemu.port()),
                Observer.at(qemu.observerMonitor()),
                imagePaths.getOrDefault(name, place.file(name + ".img")),
                target);
        vms.put(name, vm);
        return vm;
    }

    Vm guest(String name) throws DrillFailure, IOException, InterruptedException {
        return guest(name, DeviceKind.VIRTIO_BLK, "", List.of());
    }

    /** Waits until it writes. */
    void awaitWriting(Vm vm) throws DrillFailure, InterruptedException {
        await("guest " + vm.name() + " to write", BOOT_LIMIT, () -> vm.acked() > 20);
    }

    void awaitPaused(Vm vm) throws DrillFailure, InterruptedException {
        await("guest " + vm.name() + " to be paused", LIMIT, vm::paused);
    }

    /** Waits until it makes progress again. */
    void awaitProgress(Vm vm) throws DrillFailure, InterruptedException {
        long before = vm.acked();
        await("guest " + vm.name() + " to go on", LIMIT, () -> !vm.paused() && vm.acked() > before + 20);
    }

    void awaitSaid(String what) throws DrillFailure, InterruptedException {
        awaitSaid(what, 1);
    }

    void awaitSaid(String what, int times) throws DrillFailure, InterruptedException {
        Child child = Objects.requireNonNull(agent).child();
        await(
                "the agent to say " + what,
                LIMIT,
                () -> child.lines().stream()
                                .filter(line -> line.text().contains(what))
                                .count()
                        >= times);
    }

    /** The agent's last line that holds this. */
    String lineWith(String what) {
        return Objects.requireNonNull(agent).child().lines().stream()
                .map(Child.Line::text)
                .filter(line -> line.contains(what))
                .reduce("", (first, second) -> second);
    }

    void await(String what, Duration limit, BooleanSupplier condition) throws DrillFailure, InterruptedException {
        try {
            Patience.await(what, limit, List.of(), condition);
        } catch (DrillFailure e) {
            throw new DrillFailure(e.getMessage() + "\n" + story(), e);
        }
    }

    /** The end of every process's log, for messages. */
    String story() {
        return place.children().stream()
                .map(child -> "--- " + child.name() + ", pid " + child.pid() + "\n" + String.join("\n", child.tail(40)))
                .collect(Collectors.joining("\n"));
    }

    /** Ends a guest in order, and judges it from inside and from outside: no error, nothing lost. */
    void requireUnharmed(Vm vm) throws DrillFailure, IOException, InterruptedException {
        GuestReport said = vm.channel().report();
        vm.channel().say("stop");
        await("guest " + vm.name() + " to stop its writers", LIMIT, said::allStopped);
        vm.channel().say("report");
        await("the report of " + vm.name(), LIMIT, () -> said.summary().isPresent());
        vm.channel().say("poweroff");
        assertThat(vm.qemu().child().awaitEnd(LIMIT))
                .as("%s powers off", vm.name())
                .isTrue();
        vm.channel().drain();
        GuestLine.Summary summary = said.summary().orElseThrow();
        assertThat(summary.errors())
                .as("failed calls in %s: %s", vm.name(), said.errors())
                .isZero();
        assertThat(summary.kernelMessages())
                .as("what the kernel of %s complains of: %s", vm.name(), said.kernelMessages())
                .isZero();
        DiskReport disk = DiskChecker.check(vm.image(), said.ledger(), place.folder());
        assertThat(disk.intact()).as("the disk of %s: %s", vm.name(), disk).isTrue();
    }

    @Override
    public void close() {
        List<Exception> ignored = new ArrayList<>();
        for (Vm vm : vms.values()) {
            vm.observer().close();
            try {
                vm.channel().close();
            } catch (IOException e) {
                ignored.add(e);
            }
        }
        place.close();
    }
}
