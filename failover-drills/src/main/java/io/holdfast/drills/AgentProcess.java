package io.holdfast.drills;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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
        List<String> command = List.of(
                holdfast.toString(),
                "agent",
                "--server",
                "127.0.0.1:" + controlPort,
                "--vm",
                // A port of its own: another agent may run on this machine, with the default ones.
                vmName + "=" + qmpSocket + ",portal=127.0.0.1:" + FreePort.choose(),
                "--state",
                // As in operation, where it is below /run: a disk would stand between the loss and the freeze.
                place.fileInMemory("agent-state").toString());
        return new AgentProcess(place.start("the agent", command, place.file("agent.log"), GRACE));
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

    private Optional<Integer> announced() {
        return child.lines().stream()
                .map(line -> PORTAL.matcher(line.text()))
                .filter(Matcher::find)
                .map(portal -> Integer.parseInt(portal.group(2)))
                .findFirst();
    }
}
