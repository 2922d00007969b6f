package io.holdfast.drills;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * {@code holdfast serve} with disks for the initiator guest's checks; killed and started again at the guest's request. There
 * are two: one for everybody on two portals, and, where the server can, one that asks for CHAP. Owned by one thread at a time: the run's until the guest speaks, then the one that reads its port.
 */
final class InitiatorServer {
    private static final Duration SERVING_LIMIT = Duration.ofSeconds(20);
    private static final Duration GRACE = Duration.ofSeconds(5);
    private static final String CHAP_OPTION = "--chap-file";

    private final String name;
    private final Workplace place;
    private final Path holdfast;
    private final String help;
    private final List<Integer> portals;
    private final int controlPort;
    private final List<InitiatorExport> exports;
    private final List<String> options;
    private final List<Child> lives = new ArrayList<>();
    private @Nullable Child child;

    private InitiatorServer(
            String name,
            Workplace place,
            Path holdfast,
            String help,
            List<Integer> portals,
            List<InitiatorExport> exports,
            List<String> options)
            throws DrillFailure {
        this.name = name;
        this.place = place;
        this.holdfast = holdfast;
        this.help = help;
        this.portals = portals;
        this.controlPort = FreePort.choose();
        this.exports = exports;
        this.options = options;
    }

    /** Makes the disks of the server for everybody; nothing is started yet. */
    static InitiatorServer prepare(Workplace place, Path holdfast) throws DrillFailure, InterruptedException {
        String help = help(place, holdfast);
        List<InitiatorExport> exports = Arrays.stream(InitiatorExport.values())
                .filter(export -> export != InitiatorExport.GUARDED && help.contains(export.needs()))
                .toList();
        return new InitiatorServer(
                        "server",
                        place,
                        holdfast,
                        help,
                        List.of(FreePort.choose(), FreePort.choose()),
                        exports,
                        List.of("--state", place.file("state").toString()))
                .withDisks();
    }

    /** The server that asks for CHAP; empty if the program does not know how. */
    Optional<InitiatorServer> guarded(ChapSecrets secrets) throws DrillFailure {
        if (!offers(CHAP_OPTION)) {
            return Optional.empty();
        }
        Path file = place.file("chap.toml");
        try {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, secrets.toToml());
        } catch (IOException e) {
            throw new DrillFailure("cannot write " + file + ": " + e.getMessage(), e);
        }
        return Optional.of(new InitiatorServer(
                        "chap-server",
                        place,
                        holdfast,
                        help,
                        List.of(FreePort.choose()),
                        List.of(InitiatorExport.GUARDED),
                        List.of(CHAP_OPTION, file.toString()))
                .withDisks());
    }

    private InitiatorServer withDisks() throws DrillFailure {
        try {
            for (InitiatorExport export : exports) {
                resize(export.file(place.folder()), export.sizeBytes());
            }
        } catch (IOException e) {
            throw new DrillFailure("cannot make the disks: " + e.getMessage(), e);
        }
        return this;
    }

    /** What the program says it can do decides what it is asked for. */
    private static String help(Workplace place, Path holdfast) throws DrillFailure, InterruptedException {
        Child child = place.start(
                "the server's help", List.of(holdfast.toString(), "serve", "--help"), place.file("help.log"), GRACE);
        if (!child.awaitEnd(SERVING_LIMIT) || child.exitCode() != 0) {
            throw new DrillFailure(holdfast + " serve --help did not succeed: " + String.join(" ", child.tail(3)));
        }
        return String.join("\n", child.lines().stream().map(Child.Line::text).toList());
    }

    private static void resize(Path file, long sizeBytes) throws IOException {
        try (RandomAccessFile disk = new RandomAccessFile(file.toFile(), "rw")) {
            disk.setLength(sizeBytes);
        }
    }

    void start() throws DrillFailure, InterruptedException {
        Child started = place.start("the " + name, command(), place.file(name + ".log"), GRACE);
        child = started;
        lives.add(started);
        // It names each disk once it serves.
        Patience.await(
                "the " + name + " to say that it serves",
                SERVING_LIMIT,
                List.of(started),
                () -> exports.stream().allMatch(export -> names(started, export)));
    }

    private static boolean names(Child child, InitiatorExport export) {
        return child.lines().stream()
                .anyMatch(
                        line -> line.text().contains("iscsi://") && line.text().contains(":" + export.target() + "/"));
    }

    private List<String> command() {
        List<String> command = new ArrayList<>(List.of(holdfast.toString(), "serve"));
        // Each a target port group of its own, for multipath.
        for (int i = 0; i < portals.size(); i++) {
            command.addAll(List.of("--listen", "127.0.0.1:" + portals.get(i) + ",group=" + (i + 1)));
        }
        command.addAll(List.of("--control", "127.0.0.1:" + controlPort));
        command.addAll(options);
        exports.forEach(export -> command.addAll(List.of("--export", export.argument(place.folder()))));
        return command;
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        if (child != null) {
            child.kill();
            child.awaitEnd(GRACE);
        }
    }

    /** Resizes a disk's file under the serving server, as an operator would. */
    void grow(InitiatorExport export, long sizeBytes) throws DrillFailure {
        try {
            resize(export.file(place.folder()), sizeBytes);
        } catch (IOException e) {
            throw new DrillFailure("cannot resize " + export.target() + ": " + e.getMessage(), e);
        }
    }

    /** The TCP ports of its portals on the loopback. */
    List<Integer> portals() {
        return portals;
    }

    List<InitiatorExport> exports() {
        return exports;
    }

    /** Whether {@code serve --help} speaks of it. */
    boolean offers(String word) {
        return help.contains(word);
    }

    /** What it printed, over all its lives. */
    List<String> lines() {
        return lives.stream()
                .flatMap(life -> life.lines().stream().map(Child.Line::text))
                .toList();
    }
}
