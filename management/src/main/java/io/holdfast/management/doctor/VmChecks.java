package io.holdfast.management.doctor;

import io.holdfast.agent.AgentConfig;
import io.holdfast.agent.VmConfig;
import io.holdfast.net.Addresses;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The QEMUs that run here: whether they would live through the loss of their server. */
final class VmChecks {
    private static final Pattern VERSION = Pattern.compile("version ([0-9]{1,4})\\.[0-9.]+");
    /** A monitor takes one connection, and libvirt has that of the monitor which it names so. */
    private static final String LIBVIRTS_MONITOR = "charmonitor";

    private static final int QEMU_LEAST = 7;
    private static final int VERSION_LIMIT_SECONDS = 5;
    private static final int MAX_VERSION_BYTES = 4096;

    private final Host host;
    private final Optional<AgentConfig> agent;
    private final List<Finding> findings = new ArrayList<>();

    private VmChecks(Host host, Optional<AgentConfig> agent) {
        this.host = host;
        this.agent = agent;
    }

    static List<Finding> of(Host host, Optional<AgentConfig> agent) {
        VmChecks checks = new VmChecks(host, agent);
        agent.ifPresent(checks::sockets);
        for (Host.Running process : host.processes()) {
            if (process.program().startsWith("qemu-system-")
                    || process.program().equals("kvm")) {
                checks.vm(process);
            }
        }
        return checks.findings;
    }

    private void sockets(AgentConfig config) {
        for (VmConfig vm : config.vms()) {
            findings.add(
                    Files.exists(vm.qmpSocket())
                            ? Finding.ok("vm-qmp", "vm " + vm.name() + ": " + vm.qmpSocket())
                            : Finding.warn(
                                    "vm-qmp",
                                    "vm " + vm.name() + ": there is no " + vm.qmpSocket()
                                            + ": the VM does not run, or its QMP socket is elsewhere",
                                    "start QEMU with -qmp unix:" + vm.qmpSocket() + ",server=on,wait=off"));
        }
    }

    private void vm(Host.Running process) {
        List<QemuDisk> disks = QemuDisk.of(process.arguments());
        String vm = "QEMU " + process.pid() + nameOf(process.arguments());
        if (!disks.isEmpty()) {
            version(vm, process);
        }
        for (QemuDisk disk : disks) {
            disk(vm + ", " + disk.target(), disk);
        }
        if (!disks.isEmpty()) {
            monitor(vm, process.arguments());
        }
    }

    private void monitor(String vm, List<String> arguments) {
        boolean any = arguments.contains("-qmp") || arguments.stream().anyMatch(VmChecks::control);
        boolean free = arguments.contains("-qmp")
                || arguments.stream()
                        .anyMatch(argument -> control(argument) && !argument.contains("chardev=" + LIBVIRTS_MONITOR));
        if (!any) {
            findings.add(Finding.fail(
                    "vm-monitor",
                    vm + ": has no QMP monitor, so that no agent can freeze it",
                    "start it with -qmp unix:/run/NAME.qmp,server=on,wait=off"));
        } else if (!free) {
            findings.add(Finding.fail(
                    "vm-monitor",
                    vm + ": its only QMP monitor is libvirt's own, so that no agent can freeze it",
                    "give it one more by <qemu:commandline>; the operator's guide shows how (libvirt)"));
        }
    }

    private static boolean control(String argument) {
        return argument.contains("mode=control");
    }

    /** Asked of the program that runs, which need not be the one that is installed by now. */
    private void version(String vm, Host.Running process) {
        Path program = host.at("proc/" + process.pid() + "/exe");
        if (!Files.isExecutable(program)) {
            return;
        }
        try {
            Process asked = new ProcessBuilder(program.toString(), "--version")
                    .redirectErrorStream(true)
                    .start();
            asked.getOutputStream().close();
            if (!asked.waitFor(VERSION_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                asked.destroyForcibly();
                return;
            }
            String said = new String(asked.getInputStream().readNBytes(MAX_VERSION_BYTES), StandardCharsets.UTF_8);
            Matcher version = VERSION.matcher(said);
            if (version.find()) {
                findings.add(
                        Integer.parseInt(version.group(1)) >= QEMU_LEAST
                                ? Finding.ok("vm-qemu", vm + ": " + version.group())
                                : Finding.warn(
                                        "vm-qemu",
                                        vm + ": " + version.group() + " is older than what Holdfast is tested with",
                                        "use QEMU " + QEMU_LEAST + " or newer"));
            }
        } catch (IOException e) {
            findings.add(
                    Finding.warn("vm-qemu", vm + ": its version cannot be asked: " + e.getMessage(), "run as root"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void disk(String name, QemuDisk disk) {
        int before = findings.size();
        if (disk.device().equals("scsi-block") || disk.device().equals("scsi-generic")) {
            findings.add(Finding.fail(
                    "vm-device",
                    name + ": " + disk.device() + " cannot park its requests: the guest sees errors, or QEMU crashes",
                    "use scsi-hd or virtio-blk"));
        } else {
            for (String key : List.of("werror", "rerror")) {
                String value = String.valueOf(disk.errors().get(key));
                if (!value.equals("stop")) {
                    findings.add(Finding.fail(
                            "vm-" + key,
                            name + ": " + key + "=" + (value.isEmpty() ? "(not given)" : value)
                                    + ": what its agent holds back would be errors to the guest",
                            "start it with werror=stop,rerror=stop"));
                }
            }
        }
        if (disk.cache().equals("unsafe")) {
            findings.add(Finding.fail(
                    "vm-cache",
                    name + ": cache=unsafe: the guest's flushes go nowhere, and acknowledged data are lost",
                    "use cache=none"));
        } else if (disk.cache().isEmpty() || disk.cache().equals("writeback")) {
            findings.add(Finding.warn(
                    "vm-cache", name + ": cache is not none: writes pass through one more cache", "use cache=none"));
        }
        portal(name, disk);
        if (findings.size() == before) {
            findings.add(Finding.ok("vm-disk", name + ": its options are as they should be"));
        }
    }

    private void portal(String name, QemuDisk disk) {
        if (agent.isEmpty()) {
            return;
        }
        Set<String> portals = new HashSet<>();
        int port = AgentConfig.FIRST_PORTAL_PORT;
        for (VmConfig vm : agent.get().vms()) {
            portals.add(vm.portal().map(Addresses::print).orElse("127.0.0.1:" + port));
            port++;
        }
        if (!portals.contains(disk.portal().replace("localhost:", "127.0.0.1:"))) {
            findings.add(Finding.fail(
                    "vm-portal",
                    name + ": logs in at " + disk.portal() + ", which is no portal of the agent ("
                            + String.join(", ", portals) + "): nobody protects it",
                    "give QEMU the portal that the agent prints"));
        }
    }

    private static String nameOf(List<String> arguments) {
        int at = arguments.indexOf("-name");
        if (at < 0 || at + 1 >= arguments.size()) {
            return "";
        }
        String name = arguments.get(at + 1).replaceAll(",.*", "");
        return " (" + (name.startsWith("guest=") ? name.substring("guest=".length()) : name) + ")";
    }
}
