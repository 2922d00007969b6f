package io.holdfast.drills;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The guest under test: one QEMU process, its two monitors, its port to the host and its serial console. */
final class GuestVm {
    /** One that has no KVM to run on. TCG is slow but shows the same storage behaviour. */
    private static final int MEMORY_MIB = 128;

    private static final Duration SOCKETS_LIMIT = Duration.ofSeconds(20);

    /**
     * What the guest is made of.
     *
     * @param boot QEMU's arguments for the way it comes up
     * @param portal port on the loopback that QEMU is told to log in to: the agent's portal or the server's
     * @param name tells its files from those of other guests in the same place; may be empty
     * @param login more of the iSCSI block node, such as a CHAP user
     * @param more more of QEMU's arguments
     * @param host where QEMU runs
     */
    record Setting(
            DeviceKind device,
            List<String> boot,
            int portal,
            String target,
            int lun,
            String name,
            String login,
            List<String> more,
            Host host) {
        Setting(DeviceKind device, List<String> boot, int portal, String target, int lun) {
            this(device, boot, portal, target, lun, "", "", List.of(), Host.LOOPBACK);
        }

        private Path file(Workplace place, String file) {
            return place.file(name.isEmpty() ? file : name + "-" + file);
        }
    }

    private final Child child;
    private final Path agentMonitor;
    private final Path observerMonitor;
    private final Path port;
    private final Path console;
    private final Path trace;

    private GuestVm(Child child, Workplace place, Setting setting) {
        this.child = child;
        this.agentMonitor = agentMonitor(place, setting.name());
        this.observerMonitor = setting.file(place, "observer.qmp");
        this.port = setting.file(place, "guest.port");
        this.console = setting.file(place, "console.log");
        this.trace = setting.file(place, "qemu.trace");
    }

    /** The monitor socket that belongs to the agent: known before QEMU runs, because the agent is started first. */
    static Path agentMonitor(Workplace place) {
        return agentMonitor(place, "");
    }

    /** The same of one of several guests. */
    static Path agentMonitor(Workplace place, String name) {
        return place.file(name.isEmpty() ? "agent.qmp" : name + "-agent.qmp");
    }

    static Path traceFile(Workplace place) {
        return place.file("qemu.trace");
    }

    /** Starts QEMU and waits until its sockets are there. */
    static GuestVm start(Workplace place, Setting setting) throws DrillFailure, InterruptedException {
        // SIGKILL without grace: while its main loop waits for dead storage QEMU takes no notice of SIGTERM.
        Child child = place.start("QEMU", command(place, setting), setting.file(place, "qemu.log"), Duration.ZERO);
        GuestVm vm = new GuestVm(child, place, setting);
        Patience.await(
                "QEMU to open its sockets",
                SOCKETS_LIMIT,
                List.of(child),
                () -> Files.exists(vm.agentMonitor) && Files.exists(vm.observerMonitor) && Files.exists(vm.port));
        return vm;
    }

    private static List<String> command(Workplace place, Setting setting) {
        List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-name", "holdfast-drill"));
        command.addAll(List.of("-M", "q35", "-accel", "tcg,thread=multi", "-m", String.valueOf(MEMORY_MIB)));
        command.addAll(List.of("-nodefaults", "-nographic", "-no-reboot"));
        command.addAll(setting.boot());
        command.addAll(QemuTrace.arguments(setting.file(place, "qemu.trace")));
        command.addAll(List.of("-serial", "file:" + setting.file(place, "console.log")));
        command.addAll(monitor("mon0", agentMonitor(place, setting.name())));
        command.addAll(monitor("mon1", setting.file(place, "observer.qmp")));
        // A third for whoever looks around: a monitor has one client at a time.
        command.addAll(monitor("mon2", setting.file(place, "user.qmp")));
        command.addAll(List.of("-chardev", socket("guest0", setting.file(place, "guest.port"))));
        command.addAll(List.of("-device", "virtio-serial-pci"));
        command.addAll(List.of("-device", "virtserialport,chardev=guest0,name=io.holdfast.guest"));
        command.addAll(List.of("-blockdev", iscsiNode(setting)));
        command.addAll(List.of("-blockdev", "driver=raw,node-name=disk0,file=iscsi0,cache.direct=on"));
        command.addAll(setting.device().qemuArguments());
        command.addAll(setting.more());
        return setting.host().command(command);
    }

    private static String iscsiNode(Setting setting) {
        // cache.direct: what the guest was told is on the disk must not be in QEMU's host page cache only.
        return "driver=iscsi,node-name=iscsi0,transport=tcp,portal=127.0.0.1:" + setting.portal() + ",target="
                + setting.target() + ",lun=" + setting.lun()
                + ",initiator-name=" + initiator(setting.name()) + ",cache.direct=on"
                + setting.login();
    }

    /** What the initiator of a guest of this name is called. */
    static String initiator(String name) {
        return "iqn.2026-11.io.holdfast.guest:drill" + name;
    }

    private static List<String> monitor(String id, Path path) {
        return List.of("-chardev", socket(id, path), "-mon", "chardev=" + id + ",mode=control");
    }

    private static String socket(String id, Path path) {
        return "socket,id=" + id + ",path=" + path + ",server=on,wait=off";
    }

    Child child() {
        return child;
    }

    /** QEMU's own record of when it stopped and ran. */
    QemuTrace trace() {
        return new QemuTrace(trace);
    }

    Path observerMonitor() {
        return observerMonitor;
    }

    Path port() {
        return port;
    }

    Path console() {
        return console;
    }

    /** The last lines the guest's kernel printed, for messages. */
    List<String> consoleTail(int count) {
        try {
            // Serial consoles are not always UTF-8; a strange byte must not hide the rest.
            List<String> lines = new String(Files.readAllBytes(console), StandardCharsets.ISO_8859_1)
                    .lines()
                    .toList();
            return lines.subList(Math.max(0, lines.size() - count), lines.size());
        } catch (IOException e) {
            return List.of("(no console: " + e.getMessage() + ")");
        }
    }
}
