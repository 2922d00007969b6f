package io.holdfast.drills;

import io.holdfast.drills.CheckResult.Outcome;
import io.holdfast.testimages.InitiatorImages;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.apache.commons.io.FileUtils;
import org.jspecify.annotations.Nullable;

/**
 * Boots a guest whose kernel is an iSCSI initiator, lets it run its checks against a server, and collects the results. The
 * guest reaches the server on the host's loopback through QEMU's user network; nothing needs root.
 */
final class InitiatorRun {
    /** The checks and their order are in {@code test-images/src/main/initiator/checks/list}. */
    record Setting(Path holdfast, InitiatorImages images, Path work, List<String> checks, Duration limit, Path log) {}

    private static final int PATHS = 2;

    /** What the server logs when something is wrong with itself: its level, or an exception with its trace. */
    private static final Pattern SERVER_COMPLAINT =
            Pattern.compile("\\bERROR\\b|^[\\w.$]+(Exception|Error)\\b|^\\s+at [\\w.$]+\\(");

    private final Setting setting;
    private final Consumer<CheckResult> listener;
    private final CheckLog checks = new CheckLog();
    private volatile boolean done;
    private volatile @Nullable String lost;

    /** @param listener hears each result when it is there, on the thread that reads the guest's port */
    InitiatorRun(Setting setting, Consumer<CheckResult> listener) {
        this.setting = setting;
        this.listener = listener;
    }

    /** Runs the checks; never without a result. */
    List<CheckResult> run() throws DrillFailure, InterruptedException {
        List<TcpRelay> paths = new ArrayList<>();
        try (Workplace place = Workplace.below(setting.work())) {
            InitiatorServer server = InitiatorServer.prepare(place, setting.holdfast());
            server.start();
            ChapSecrets secrets = ChapSecrets.random();
            Optional<InitiatorServer> guarded = server.guarded(secrets);
            if (guarded.isPresent()) {
                guarded.get().start();
            }
            for (int i = 0; i < PATHS; i++) {
                paths.add(TcpRelay.to(server.portals().get(i)));
            }
            converse(place, new InitiatorHost(server, guarded, secrets, paths, setting.checks()));
            List<String> said = new ArrayList<>(server.lines());
            guarded.ifPresent(other -> said.addAll(other.lines()));
            judge(said);
            keepLogs(place);
            return checks.results();
        } finally {
            paths.forEach(TcpRelay::close);
        }
    }

    private void converse(Workplace place, InitiatorHost host) throws DrillFailure, InterruptedException {
        Child qemu = place.start("QEMU", command(place), place.file("qemu.log"), Duration.ZERO);
        Path port = place.file("guest.port");
        Patience.await(
                "QEMU to open the guest's port", Duration.ofSeconds(20), List.of(qemu), () -> Files.exists(port));
        try (UnixLines lines = UnixLines.connect(port)) {
            Thread reader = new Thread(() -> read(lines, host), "initiator-port");
            reader.setDaemon(true);
            reader.start();
            try {
                Patience.await("the checks to end", setting.limit(), List.of(qemu), () -> done || lost != null);
            } catch (DrillFailure e) {
                lost = e.getMessage();
            }
            qemu.kill();
            qemu.awaitEnd(Duration.ofSeconds(5));
            reader.join(5_000);
        } catch (IOException e) {
            throw new DrillFailure("no conversation with the guest: " + e.getMessage(), e);
        }
        if (!checks.done()) {
            listener.accept(checks.abandon(
                    "the guest did not finish: " + lost + "; its console: " + String.join(" | ", consoleTail(place))));
        }
    }

    private void read(UnixLines lines, InitiatorHost host) {
        try (BufferedWriter log = Files.newBufferedWriter(setting.log(), StandardCharsets.UTF_8)) {
            for (@Nullable String line = lines.read(); line != null && !done; line = lines.read()) {
                log.write(line);
                log.newLine();
                log.flush();
                if (line.startsWith("host ")) {
                    lines.write(host.answer(line.substring("host ".length())));
                } else {
                    checks.accept(line).ifPresent(listener);
                    done = checks.done();
                }
            }
        } catch (IOException e) {
            lost = String.valueOf(e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!done && lost == null) {
            lost = "it closed its port";
        }
    }

    /** The server's own log is one more check: nothing an initiator does may be an error of the server's. */
    private void judge(List<String> said) {
        List<String> complaints = said.stream()
                .filter(line -> SERVER_COMPLAINT.matcher(line).find())
                .toList();
        listener.accept(checks.serverLog(complaints, said));
    }

    private List<String> command(Workplace place) {
        InitiatorImages images = setting.images();
        List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-name", "holdfast-initiator"));
        // A CPU with the CRC32C instruction, which digests are made for; two of them, so that daemons run beside fio.
        command.addAll(List.of("-M", "q35", "-cpu", "Westmere", "-accel", "tcg,thread=multi", "-smp", "2"));
        command.addAll(List.of("-m", String.valueOf(InitiatorImages.MEMORY_MIB)));
        command.addAll(List.of("-nodefaults", "-nographic", "-no-reboot"));
        command.addAll(List.of(
                "-kernel",
                images.kernel().toString(),
                "-initrd",
                images.initrd().toString()));
        command.addAll(List.of("-append", "console=ttyS0 panic=-1 no_timer_check mitigations=off"));
        command.addAll(List.of("-serial", "file:" + console(place)));
        command.addAll(List.of("-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0"));
        command.addAll(List.of("-device", "virtio-serial-pci"));
        command.addAll(List.of("-chardev", "socket,id=port0,path=" + place.file("guest.port") + ",server=on,wait=off"));
        command.addAll(List.of("-device", "virtserialport,chardev=port0,name=" + InitiatorImages.PORT));
        return command;
    }

    private static Path console(Workplace place) {
        return place.file("console.log");
    }

    private static List<String> consoleTail(Workplace place) {
        try {
            List<String> lines = new String(Files.readAllBytes(console(place)), StandardCharsets.ISO_8859_1)
                    .lines()
                    .toList();
            return lines.subList(Math.max(0, lines.size() - 5), lines.size());
        } catch (IOException e) {
            return List.of("(no console: " + e.getMessage() + ")");
        }
    }

    /** Beside the log of what the guest said: its console and what the server said. */
    private void keepLogs(Workplace place) throws DrillFailure {
        try {
            for (String name : List.of("console.log", "server.log", "chap-server.log")) {
                if (Files.exists(place.file(name))) {
                    FileUtils.copyFile(
                            place.file(name).toFile(),
                            setting.log().resolveSibling("initiator-" + name).toFile());
                }
            }
        } catch (IOException e) {
            throw new DrillFailure("cannot keep the logs beside " + setting.log() + ": " + e.getMessage(), e);
        }
    }

    /** Whether a run with these results is a good one. */
    static boolean good(List<CheckResult> results) {
        return CheckLog.count(results, Outcome.FAIL) == 0;
    }
}
