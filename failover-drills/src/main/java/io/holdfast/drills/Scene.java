package io.holdfast.drills;

import io.holdfast.linux.UnixStream;
import io.holdfast.testimages.DiskChecker;
import io.holdfast.testimages.DiskReport;
import io.holdfast.testimages.GuestImages;
import io.holdfast.testimages.GuestLine;
import io.holdfast.testimages.GuestReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Servers, an agent and guests, put together as a drill wants them. Belongs to the drill's thread. */
final class Scene implements AutoCloseable {
    private static final String WORDS = "holdfast.writers=4";
    private static final Duration BOOT_LIMIT = Duration.ofSeconds(150);
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Path holdfast;
    private final GuestImages images;
    private final Workplace place;
    private final Host clientHost;
    private final Host serverHost;
    private final Map<String, Vm> vms = new LinkedHashMap<>();
    private final Map<String, Path> imagePaths = new LinkedHashMap<>();
    private @Nullable AgentProcess agent;

    /** All of it on this machine. */
    Scene(Path work, GuestImages images) throws DrillFailure {
        this(work, images, programOfCheckout(), Host.LOOPBACK, Host.LOOPBACK);
    }

    /**
     * @param holdfast the program
     * @param clientHost where the agent and QEMU run
     */
    Scene(Path work, GuestImages images, Path holdfast, Host clientHost, Host serverHost) throws DrillFailure {
        this.images = images;
        this.holdfast = holdfast;
        this.clientHost = clientHost;
        this.serverHost = serverHost;
        place = Workplace.below(work);
    }

    private static Path programOfCheckout() {
        return Path.of(System.getProperty("holdfast.checkout", ".."), "scripts", "holdfast")
                .toAbsolutePath()
                .normalize();
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

        /** What its QEMU recorded of stopping and running, from a moment on. */
        List<QemuTrace.Change> changesFrom(long notBeforeNs) {
            return qemu.trace().changes().stream()
                    .filter(change -> change.atNs() >= notBeforeNs)
                    .toList();
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

    void tellQemu(Vm vm, String command) throws DrillFailure, IOException {
        tellQemu(vm, command, "{}");
    }

    /** As an administrator would, on a monitor of his, with arguments in JSON. */
    void tellQemu(Vm vm, String command, String arguments) throws DrillFailure, IOException {
        Path socket = place.file(vm.name() + "-user.qmp");
        try (UnixStream monitor = UnixStream.connect(socket, 5_000)) {
            monitor.readTimeoutMs(5_000);
            monitor.readLine(1 << 16);
            for (String line : List.of(
                    "{\"execute\":\"qmp_capabilities\"}",
                    "{\"execute\":\"" + command + "\",\"arguments\":" + arguments + "}")) {
                monitor.write((line + "\n").getBytes(StandardCharsets.UTF_8));
                String reply;
                do {
                    reply = monitor.readLine(1 << 16);
                    if (reply != null && reply.contains("\"error\"")) {
                        throw new DrillFailure("QEMU refuses " + line + ": " + reply);
                    }
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
                holdfast,
                FreePort.choose(),
                FreePort.choose(),
                image,
                place.file(name + "-state"),
                List.of(more),
                serverHost);
    }

    ServerProcess start(ServerProcess.Setting setting) throws DrillFailure, InterruptedException {
        ServerProcess server = ServerProcess.start(place, setting);
        server.awaitServing();
        return server;
    }

    /** As an operator of a server would, once it lets operators in. */
    void operate(ServerProcess.Setting setting, String... words) throws DrillFailure, InterruptedException {
        operateForAnswer(setting, words);
    }

    /** The same, for what is printed. */
    String operateForAnswer(ServerProcess.Setting setting, String... words) throws DrillFailure, InterruptedException {
        Path socket = setting.stateFolder().resolve("control.sock");
        await("the server to let operators in", LIMIT, () -> Files.exists(socket));
        List<String> command = new ArrayList<>(List.of(holdfast.toString()));
        command.addAll(List.of(words));
        command.addAll(List.of("--socket", socket.toString()));
        return SystemTool.insistOnAnswer(command.toArray(new String[0]));
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
        return agent(clientHost, servers, said, more);
    }

    /** @param host where it is started, if not just where guests are */
    AgentProcess agent(Host host, List<ServerProcess.Setting> servers, Map<String, String> said, String... more)
            throws DrillFailure, InterruptedException {
        AgentProcess started = AgentProcess.start(
                place,
                holdfast,
                host,
                servers.stream().map(ServerProcess.Setting::controlAddress).toList(),
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
        return guest(name, device, WORDS, portal, login, more);
    }

    /**
     * The same at any portal.
     *
     * @param words for its kernel's command line
     */
    Vm guest(String name, DeviceKind device, String words, int portal, String login, List<String> more)
            throws DrillFailure, IOException, InterruptedException {
        return guest(name, device, "iqn.2026-11.io.holdfast:" + name, words, portal, login, more);
    }

    /** The same on LUN 0 of a target of another name, such as a client's. */
    Vm guestAt(String target, String name) throws DrillFailure, IOException, InterruptedException {
        int portal = Objects.requireNonNull(agent).awaitPortal(name);
        return guest(name, DeviceKind.VIRTIO_BLK, target, WORDS, portal, "", List.of());
    }

    private Vm guest(
            String name, DeviceKind device, String target, String words, int portal, String login, List<String> more)
            throws DrillFailure, IOException, InterruptedException {
        GuestVm qemu = GuestVm.start(
                place,
                new GuestVm.Setting(
                        device,
                        Boot.KERNEL.qemuArguments(images, device, words),
                        portal,
                        target,
                        0,
                        name,
                        login,
                        more,
                        clientHost));
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

    /** The end of every process's log and of every guest's console, for messages. */
    String story() {
        Stream<String> logs = place.children().stream()
                .map(child ->
                        "--- " + child.name() + ", pid " + child.pid() + "\n" + String.join("\n", child.tail(40)));
        Stream<String> consoles = vms.values().stream()
                .map(vm -> "--- console of " + vm.name() + "\n"
                        + String.join("\n", vm.qemu().consoleTail(20)));
        return Stream.concat(logs, consoles).collect(Collectors.joining("\n"));
    }

    /** Ends a guest in order, and judges it from inside and from outside: no error, nothing lost. */
    void requireUnharmed(Vm vm) throws DrillFailure, IOException, InterruptedException {
        List<String> harm = harm(vm);
        if (!harm.isEmpty()) {
            throw new DrillFailure(vm.name() + ": " + String.join("; ", harm) + "\n" + story());
        }
    }

    /** The same, and says what is wrong; nothing if it is well. */
    List<String> harm(Vm vm) throws DrillFailure, IOException, InterruptedException {
        GuestReport said = vm.channel().report();
        vm.channel().say("stop");
        await("guest " + vm.name() + " to stop its writers", LIMIT, said::allStopped);
        vm.channel().say("report");
        await("the report of " + vm.name(), LIMIT, () -> said.summary().isPresent());
        vm.channel().say("poweroff");
        List<String> harm = new ArrayList<>();
        if (!vm.qemu().child().awaitEnd(LIMIT)) {
            harm.add("it does not power off");
            vm.qemu().child().kill();
        }
        vm.channel().drain();
        GuestLine.Summary summary = said.summary().orElseThrow();
        if (summary.errors() > 0) {
            harm.add(summary.errors() + " failed calls: " + said.errors());
        }
        if (summary.kernelMessages() > 0) {
            harm.add("its kernel complains: " + said.kernelMessages());
        }
        if (summary.remountedReadOnly()) {
            harm.add("its root is read-only");
        }
        String booted = said.ready().orElseThrow().line().bootId();
        if (!summary.bootId().equals(booted)) {
            harm.add("it has booted anew: boot " + booted + " is now " + summary.bootId());
        }
        harm.addAll(diskHarm(vm));
        return harm;
    }

    /** What is wrong with its disk, now that its QEMU has ended, in order or not. */
    List<String> diskHarm(Vm vm) throws IOException, InterruptedException {
        DiskReport disk = DiskChecker.check(vm.image(), vm.channel().report().ledger(), place.folder());
        return disk.intact() ? List.of() : List.of("its disk is damaged: " + disk);
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
