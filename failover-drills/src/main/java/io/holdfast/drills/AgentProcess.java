package io.holdfast.drills;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code holdfast agent}, as a user would start it, for one VM. */
final class AgentProcess {
    private static final Duration PORTAL_LIMIT = Duration.ofSeconds(20);
    private static final Duration GRACE = Duration.ofSeconds(3);

    /** What the agent prints for each VM: {@code vm web1: portal 127.0.0.1:3270}. */
    private static final Pattern PORTAL = Pattern.compile("portal (127\\.0\\.0\\.1):(\\d+)");

    private final Child child;

    private AgentProcess(Child child) {
        this.child = child;
    }

    static AgentProcess start(Workplace place, Path holdfast, int controlPort, String vmName, Path qmpSocket)
            throws DrillFailure {
        return start(
                place,
                holdfast,
                Host.LOOPBACK,
                List.of("127.0.0.1:" + controlPort),
                Map.of(vmName, qmpSocket.toString()),
                List.of());
    }

    /**
     * The same for several servers and VMs, and with more options.
     *
     * @param host where it runs
     * @param servers their control ports
     * @param vms what {@code --vm} says of each beside its name and portal: the QMP socket, and attributes
     */
    static AgentProcess start(
            Workplace place, Path holdfast, Host host, List<String> servers, Map<String, String> vms, List<String> more)
            throws DrillFailure {
        List<String> command = new ArrayList<>(List.of(holdfast.toString(), "agent"));
        for (String server : servers) {
            command.addAll(List.of("--server", server));
        }
        for (Map.Entry<String, String> vm : vms.entrySet()) {
            // A port of its own: another agent may run on this machine, with the default ones.
            String portal = vm.getValue().contains(",portal=") ? "" : ",portal=127.0.0.1:" + FreePort.choose();
            command.addAll(List.of("--vm", vm.getKey() + "=" + vm.getValue() + portal));
        }
        // As in operation, where it is below /run: a disk would stand between the loss and the freeze.
        command.addAll(List.of("--state", place.fileInMemory("agent-state").toString()));
        command.addAll(more);
        return new AgentProcess(place.start("the agent", host.command(command), place.file("agent.log"), GRACE));
    }

    Child child() {
        return child;
    }

    /** Waits until it has said which local port to give to QEMU. */
    int awaitPortal() throws DrillFailure, InterruptedException {
        Patience.await(
                "the agent to say which portal to use",
                PORTAL_LIMIT,
                List.of(child),
                () -> announced().isPresent());
        return announced().orElseThrow();
    }

    /** The same for one of several. */
    int awaitPortal(String vm) throws DrillFailure, InterruptedException {
        awaitPortal();
        return announced("vm " + vm + ": ").orElseThrow(() -> new DrillFailure("the agent has no VM " + vm));
    }

    private Optional<Integer> announced() {
        return announced("");
    }

    private Optional<Integer> announced(String vm) {
        return child.lines().stream()
                .filter(line -> line.text().contains(vm))
                .map(line -> PORTAL.matcher(line.text()))
                .filter(Matcher::find)
                .map(portal -> Integer.parseInt(portal.group(2)))
                .findFirst();
    }
}
