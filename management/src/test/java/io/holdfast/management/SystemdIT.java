package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.management.systemd.NotifyListener;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Server and agent as a service manager runs them: notify socket, watchdog, passed sockets, SIGHUP. */
@Timeout(180)
class SystemdIT {
    /** capabilities(7). */
    private static final int CAP_IPC_LOCK = 14;

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String TARGET = "iqn.2026-11.io.holdfast:one";

    @TempDir
    private Path dir;

    /** Below what the kernel gives to outgoing connections, which could take it before the server does. */
    private static int freePort() throws IOException {
        for (int tries = 0; ; tries++) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
            try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            } catch (IOException e) {
                if (tries == 200) {
                    throw e;
                }
            }
        }
    }

    private String export() {
        return dir.resolve("one.img") + ",size=16M";
    }

    private List<String> serve(int port, int control, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "serve", "--listen", "127.0.0.1:" + port, "--control", "127.0.0.1:" + control, "--export", export()));
        arguments.addAll(Arrays.asList(more));
        return ServeProcess.command(arguments.toArray(String[]::new));
    }

    // ------------------------------------------------------------------ notify

    @ParameterizedTest
    @ValueSource(strings = {"ring", "portable"})
    void shouldTellHowTheServerIs(String io) throws Exception {
        try (NotifyListener systemd = NotifyListener.at(dir.resolve("notify"));
                Running server = Running.start(
                        dir,
                        serve(freePort(), freePort(), "--io", io),
                        Map.of("NOTIFY_SOCKET", systemd.path(), "WATCHDOG_USEC", "4000000"))) {
            assertThat(systemd.await("READY=1"))
                    .isEqualTo("READY=1\nSTATUS=serving 1 logical unit to 0 sessions, 0 agents");
            systemd.await("WATCHDOG=1");
            systemd.await("WATCHDOG=1");
            server.process.destroy();
            assertThat(systemd.await("STOPPING=1")).contains("STATUS=stopping");
            assertThat(systemd.await("EXTEND_TIMEOUT_USEC=")).isEqualTo("EXTEND_TIMEOUT_USEC=35000000");
            server.awaitEnd();
        }
    }

    @Test
    void shouldTellHowTheAgentIs() throws Exception {
        List<String> agent = agent();
        try (NotifyListener systemd = NotifyListener.at(dir.resolve("notify"));
                Running running = Running.start(
                        dir, agent, Map.of("NOTIFY_SOCKET", systemd.path(), "WATCHDOG_USEC", "4000000"))) {
            assertThat(systemd.await("READY=1")).isEqualTo("READY=1\nSTATUS=the server is away; VMs: 1 absent");
            systemd.await("WATCHDOG=1");
            running.process.destroy();
            systemd.await("STOPPING=1");
            running.awaitEnd();
        }
    }

    @Test
    void shouldKeepTheAgentInMemory() throws Exception {
        Tool.assume(mayLockMemory(), "a process of this user may not lock memory (CAP_IPC_LOCK)");
        try (NotifyListener systemd = NotifyListener.at(dir.resolve("notify"));
                Running running = Running.start(dir, agent(), Map.of("NOTIFY_SOCKET", systemd.path()))) {
            systemd.await("READY=1");
            Path status = Path.of("/proc", "" + running.process.pid(), "status");
            await("locked memory")
                    .atMost(PATIENCE)
                    .until(() -> Files.readAllLines(status).stream()
                            .anyMatch(line -> line.matches("VmLck:\\s+[1-9]\\d* kB")));
        }
    }

    private static boolean mayLockMemory() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("CapEff:"))
                .anyMatch(line -> (Long.parseUnsignedLong(
                                        line.substring("CapEff:".length()).strip(), 16)
                                & 1L << CAP_IPC_LOCK)
                        != 0);
    }

    private List<String> agent() throws IOException {
        return ServeProcess.command(
                "agent",
                "--server",
                "127.0.0.1:" + freePort(),
                "--vm",
                "web1=" + dir.resolve("web1.qmp") + ",portal=127.0.0.1:0",
                "--state",
                dir.resolve("agent").toString());
    }

    // ------------------------------------------------------------------ sockets

    @ParameterizedTest
    @ValueSource(strings = {"ring", "portable"})
    void shouldLetInitiatorsWaitWhileTheServerIsRestarted(String io) throws Exception {
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        int port = freePort();
        int control = freePort();
        try (Holder holder = Holder.start(dir, List.of(port, control), serve(port, control, "--io", io))) {
            long first = holder.startProgram();
            Tool.run("iscsi-ls", "iscsi://127.0.0.1:" + port).succeeded();
            kill(first);
            Process early = new ProcessBuilder("iscsi-ls", "iscsi://127.0.0.1:" + port)
                    .redirectErrorStream(true)
                    .start();
            try (Socket agent = new Socket(InetAddress.getLoopbackAddress(), control)) {
                assertThat(agent.isConnected())
                        .as("accepted by the kernel, without a server")
                        .isTrue();
                assertThat(early.waitFor(300, TimeUnit.MILLISECONDS))
                        .as("the initiator waits")
                        .isFalse();
                holder.startProgram();
                assertThat(early.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                        .isTrue();
                assertThat(new String(early.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                        .contains("Target:" + TARGET);
                assertThat(early.exitValue()).isZero();
                agent.getOutputStream()
                        .write("{\"type\":\"hello\",\"name\":\"a\",\"protocol\":1,\"vms\":[]}\n"
                                .getBytes(StandardCharsets.UTF_8));
                agent.setSoTimeout((int) PATIENCE.toMillis());
                assertThat(agent.getInputStream().read())
                        .as("the control port answers too")
                        .isPositive();
            }
            assertThat(holder.log()).contains("127.0.0.1:" + port + ": the socket test of the service manager");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ring", "portable"})
    void shouldBeStartedByItsFirstInitiator(String io) throws Exception {
        Tool.assumeInstalled("systemd-socket-activate", "systemd");
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        int port = freePort();
        int control = freePort();
        List<String> command = new ArrayList<>(List.of(
                "systemd-socket-activate", "-l", "127.0.0.1:" + port, "--fdname=holdfast", "-E", "HOLDFAST_LOG"));
        command.addAll(serve(port, control, "--io", io));
        try (Running activated = Running.start(dir, command, Map.of())) {
            await().atMost(PATIENCE).until(() -> activated.log().contains("Listening on"));
            Tool.run("iscsi-ls", "iscsi://127.0.0.1:" + port).succeeded();
            assertThat(activated.log())
                    .contains("127.0.0.1:" + port + ": the socket holdfast of the service manager")
                    .as("the control port was not passed, and is opened")
                    .doesNotContain("no setting names");
        }
    }

    @Test
    void shouldSayThatNobodyAnswersAtASocketNoSettingNames() throws Exception {
        int port = freePort();
        int other = freePort();
        try (Holder holder = Holder.start(dir, List.of(port, other), serve(port, freePort()))) {
            holder.startProgram();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(holder.log())
                            .contains("the service manager listens at 127.0.0.1:" + other
                                    + " (test) for us, and no setting names that address"));
        }
    }

    @Test
    void shouldLetQemuWaitWhileTheAgentIsRestarted() throws Exception {
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        int portal = freePort();
        int port = freePort();
        int control = freePort();
        List<String> agent = ServeProcess.command(
                "agent",
                "--server",
                "127.0.0.1:" + control,
                "--vm",
                "web1=" + dir.resolve("web1.qmp") + ",portal=127.0.0.1:" + portal,
                "--state",
                dir.resolve("agent").toString());
        try (Running server = Running.start(dir, serve(port, control), Map.of());
                Holder holder = Holder.start(dir, List.of(portal), agent)) {
            long first = holder.startProgram();
            await().atMost(PATIENCE).until(() -> holder.log().contains("serves at its portal"));
            kill(first);
            Process early = new ProcessBuilder("iscsi-ls", "iscsi://127.0.0.1:" + portal)
                    .redirectErrorStream(true)
                    .start();
            assertThat(early.waitFor(300, TimeUnit.MILLISECONDS))
                    .as("the initiator waits")
                    .isFalse();
            holder.startProgram();
            assertThat(early.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(new String(early.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("Target:" + TARGET);
            assertThat(server.process.isAlive()).isTrue();
        }
    }

    // ------------------------------------------------------------------ reload

    @Test
    void shouldTakeOverSettingsWithoutDroppingASession() throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        Tool.assumeInstalled("ss", "iproute2");
        int port = freePort();
        Path settings = dir.resolve("holdfast.toml");
        String head = "listen = \"127.0.0.1:" + port + "\"\ncontrol = \"127.0.0.1:" + freePort() + "\"\nstate = \""
                + dir.resolve("state") + "\"\n";
        Files.writeString(settings, head + table("one") + table("two"));
        List<String> serve = ServeProcess.command("serve", "--config", settings.toString());
        try (NotifyListener systemd = NotifyListener.at(dir.resolve("notify"));
                Running server = Running.start(dir, serve, Map.of("NOTIFY_SOCKET", systemd.path()))) {
            systemd.await("READY=1");
            Process initiator = new ProcessBuilder(
                            "qemu-io", "-f", "raw", "iscsi://127.0.0.1:" + port + "/" + TARGET + "/0")
                    .redirectErrorStream(true)
                    .start();
            try (BufferedWriter orders = initiator.outputWriter();
                    BufferedReader answers = initiator.inputReader()) {
                order(orders, answers, "write -P 7 0 4096", "wrote 4096/4096");
                systemd.await("STATUS=serving 2 logical units to 1 session,");
                String connection = connections(port);

                Files.writeString(settings, head + "event-loops = 3\n" + table("one") + table("three"));
                hangUp(server);
                systemd.await("RELOADING=1");
                assertThat(systemd.await("READY=1")).contains("serving 2 logical units to 1 session,");
                assertThat(Tool.run("iscsi-ls", "iscsi://127.0.0.1:" + port)
                                .succeeded()
                                .output())
                        .contains(":one ")
                        .contains(":three ")
                        .doesNotContain(":two ");
                assertThat(server.log()).contains("needs a restart, and stays as it was: event-loops");
                order(orders, answers, "read -P 7 0 4096", "read 4096/4096");
                assertThat(connections(port)).as("the session's connection").contains(connection.strip());

                Files.writeString(settings, "listen = nonsense\n");
                hangUp(server);
                assertThat(systemd.await("READY=1")).contains("serving 2 logical units to 1 session,");
                assertThat(server.log()).contains("the settings stay as they are: " + settings + ", line 1");

                Files.writeString(settings, head + table("three"));
                hangUp(server);
                assertThat(systemd.await("READY=1")).contains("serving 1 logical unit to 0 sessions,");
                assertThat(server.log()).contains(TARGET + ": not served any more, its image is closed");
            } finally {
                initiator.destroyForcibly();
            }
        }
    }

    @Test
    void shouldTakeOverChapAccountsWithoutDroppingASession() throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        int port = freePort();
        Path accounts = dir.resolve("chap.toml");
        writeAccount(accounts, "first", "rw-------");
        Path settings = dir.resolve("holdfast.toml");
        Files.writeString(
                settings,
                "listen = \"127.0.0.1:" + port + "\"\ncontrol = \"127.0.0.1:" + freePort() + "\"\nchap-file = \""
                        + accounts + "\"\n" + table("one"));
        List<String> serve = ServeProcess.command("serve", "--config", settings.toString());
        try (NotifyListener systemd = NotifyListener.at(dir.resolve("notify"));
                Running server = Running.start(dir, serve, Map.of("NOTIFY_SOCKET", systemd.path()))) {
            systemd.await("READY=1");
            Process initiator = new ProcessBuilder(
                            "qemu-io",
                            "-f",
                            "raw",
                            "iscsi://first%secret-of-first@127.0.0.1:" + port + "/" + TARGET + "/0")
                    .redirectErrorStream(true)
                    .start();
            try (BufferedWriter orders = initiator.outputWriter();
                    BufferedReader answers = initiator.inputReader()) {
                order(orders, answers, "write -P 7 0 4096", "wrote 4096/4096");

                writeAccount(accounts, "second", "rw-------");
                hangUp(server);
                systemd.await("RELOADING=1");
                systemd.await("READY=1");
                listAs("second", port).succeeded();
                assertThat(listAs("first", port).exitCode())
                        .as("an account that is not there any more")
                        .isNotZero();
                order(orders, answers, "read -P 7 0 4096", "read 4096/4096");

                writeAccount(accounts, "third", "rw-r--r--");
                hangUp(server);
                systemd.await("RELOADING=1");
                systemd.await("READY=1");
                assertThat(server.log())
                        .as("a file that everybody reads changes nothing")
                        .contains("the settings stay as they are: ")
                        .contains(accounts.toString());
                listAs("second", port).succeeded();
                order(orders, answers, "read -P 7 0 4096", "read 4096/4096");
            } finally {
                initiator.destroyForcibly();
            }
        }
    }

    private static void writeAccount(Path accounts, String user, String permissions) throws IOException {
        Files.deleteIfExists(accounts);
        Files.createFile(accounts, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(accounts, "[[account]]\nuser = \"" + user + "\"\nsecret = \"secret-of-" + user + "\"\n");
        Files.setPosixFilePermissions(accounts, PosixFilePermissions.fromString(permissions));
    }

    private static Tool listAs(String user, int port) throws Exception {
        return Tool.run("iscsi-ls", "iscsi://" + user + "%secret-of-" + user + "@127.0.0.1:" + port);
    }

    private String table(String name) {
        return "[[export]]\npath = \"" + dir.resolve(name + ".img") + "\"\nsize = \"16M\"\n";
    }

    private static void order(BufferedWriter orders, BufferedReader answers, String order, String answer)
            throws IOException {
        orders.write(order + "\n");
        orders.flush();
        String line = answers.readLine();
        while (line != null && !line.contains(answer)) {
            assertThat(line).doesNotContain("failed").doesNotContain("rror");
            line = answers.readLine();
        }
        assertThat(line).as("qemu-io has done: %s", order).isNotNull();
    }

    /** The established connections of initiators. */
    private static String connections(int port) throws Exception {
        return Tool.run("ss", "-Htn", "state", "established", "dport", "=", ":" + port)
                .succeeded()
                .output();
    }

    private static void hangUp(Running server) throws Exception {
        Tool.run("kill", "-HUP", "" + server.process.pid()).succeeded();
    }

    private static void kill(long pid) {
        ProcessHandle process = ProcessHandle.of(pid).orElseThrow();
        process.destroyForcibly();
        await().atMost(PATIENCE).until(() -> !process.isAlive());
    }

    /** A program that was started, with its log. */
    private record Running(Process process, Path logFile) implements AutoCloseable {
        static Running start(Path dir, List<String> command, Map<String, String> environment) throws IOException {
            Path log = Files.createTempFile(dir, "program", ".log");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(log.toFile());
            builder.environment().putAll(environment);
            return new Running(builder.start(), log);
        }

        String log() throws IOException {
            return Files.readString(logFile);
        }

        void awaitEnd() {
            await().alias("it has ended").atMost(PATIENCE).until(() -> !process.isAlive());
        }

        @Override
        public void close() {
            process.destroyForcibly();
            awaitEnd();
        }
    }

    /** {@code hold-sockets.pl}: keeps listening sockets, and starts a program with them. */
    private record Holder(Process process, Path logFile, BufferedWriter orders, BufferedReader pids, List<Long> started)
            implements AutoCloseable {
        static Holder start(Path dir, List<Integer> ports, List<String> program) throws IOException {
            Tool.assumeInstalled("perl", "perl-base");
            Path script = dir.resolve("hold-sockets.pl");
            try (InputStream in = SystemdIT.class.getResourceAsStream("/hold-sockets.pl")) {
                Files.write(script, java.util.Objects.requireNonNull(in).readAllBytes());
            }
            Path log = Files.createTempFile(dir, "held", ".log");
            List<String> command = new ArrayList<>(List.of(
                    "perl",
                    script.toString(),
                    String.join(
                            ",", ports.stream().map(port -> "127.0.0.1:" + port).toList())));
            command.addAll(program);
            Process process =
                    new ProcessBuilder(command).redirectError(log.toFile()).start();
            return new Holder(process, log, process.outputWriter(), process.inputReader(), new ArrayList<>());
        }

        /** Starts the program, when the one before has ended; its pid. */
        long startProgram() throws IOException {
            orders.write("\n");
            orders.flush();
            // The program writes to the same pipe; its pid comes first.
            String line = pids.readLine();
            while (line != null && !line.matches("[0-9]+")) {
                line = pids.readLine();
            }
            assertThat(line).as("what the holder says; its log: %s", log()).isNotNull();
            started.add(Long.parseLong(line));
            return started.get(started.size() - 1);
        }

        String log() throws IOException {
            return Files.readString(logFile);
        }

        @Override
        public void close() throws IOException {
            started.forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
            process.destroyForcibly();
        }
    }
}
