package io.holdfast.drills;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code holdfast serve}, as a user would start it. */
final class ServerProcess {
    private static final Duration SERVING_LIMIT = Duration.ofSeconds(20);
    private static final Duration GRACE = Duration.ofSeconds(5);

    /** What the server prints for each logical unit once it serves: {@code iscsi://HOST:PORT/TARGET/LUN}. */
    private static final Pattern URL = Pattern.compile("iscsi://([^/\\s:]+):(\\d+)/([^/\\s]+)/(\\d+)");

    /** Where and as what the server is started, the same before and after the fault. */
    record Setting(
            Path holdfast, int iscsiPort, int controlPort, Path image, Path stateFolder, List<String> more, Host host) {
        Setting(Path holdfast, int iscsiPort, int controlPort, Path image, Path stateFolder) {
            this(holdfast, iscsiPort, controlPort, image, stateFolder, List.of(), Host.LOOPBACK);
        }

        String controlAddress() {
            return host.address() + ":" + controlPort;
        }

        List<String> command() {
            List<String> command = new ArrayList<>(List.of(
                    holdfast.toString(),
                    "serve",
                    "--listen",
                    host.address() + ":" + iscsiPort,
                    "--control",
                    controlAddress(),
                    "--export",
                    image.toString(),
                    "--state",
                    stateFolder.toString()));
            command.addAll(more);
            return host.command(command);
        }
    }

    /** A logical unit as the server announces it. */
    record Lun(String url, String target, int number) {}

    private final Setting setting;
    private final Child child;

    private ServerProcess(Setting setting, Child child) {
        this.setting = setting;
        this.child = child;
    }

    static ServerProcess start(Workplace place, Setting setting) throws DrillFailure {
        return new ServerProcess(
                setting, place.start("the server", setting.command(), place.file("server.log"), GRACE));
    }

    Child child() {
        return child;
    }

    /** Waits until it says that it serves. */
    Lun awaitServing() throws DrillFailure, InterruptedException {
        Patience.await(
                "the server to say that it serves",
                SERVING_LIMIT,
                List.of(child),
                () -> announced().isPresent());
        return announced().orElseThrow();
    }

    /** When it said that it serves; empty while it has not. */
    OptionalLong servingNs() {
        return child.lines().stream()
                .filter(line -> URL.matcher(line.text()).find())
                .mapToLong(Child.Line::atNs)
                .findFirst();
    }

    private Optional<Lun> announced() {
        return child.lines().stream()
                .map(line -> URL.matcher(line.text()))
                .filter(Matcher::find)
                .map(url -> new Lun(url.group(), url.group(3), Integer.parseInt(url.group(4))))
                .findFirst();
    }

    /**
     * Makes sure that a signal to the child's pid reaches the process that serves: a start script that does not
     * {@code exec} would take the signal itself and leave the server running.
     */
    void requireItIsTheListener() throws DrillFailure {
        try {
            var held = SocketTable.inodesOf(child.pid());
            boolean listens = SocketTable.now().stream()
                    .anyMatch(socket -> socket.listening()
                            && socket.localPort() == setting.iscsiPort()
                            && held.contains(socket.inode()));
            if (!listens) {
                throw new DrillFailure("process " + child.pid() + " does not hold the listening port "
                        + setting.iscsiPort() + ": " + setting.holdfast() + " must exec the server");
            }
        } catch (java.io.IOException e) {
            throw new DrillFailure("cannot read the kernel's socket table: " + e.getMessage(), e);
        }
    }

    /** Sends the fault's signal and answers {@link System#nanoTime()} of just before. */
    long strike(Fault fault) {
        long atNs = System.nanoTime();
        switch (fault) {
            case KILL -> child.kill();
            case STOP -> child.terminate();
        }
        return atNs;
    }
}
