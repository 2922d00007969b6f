package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.management.plane.PlaneChange;
import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.Denial;
import io.holdfast.npiv.LoginDecision;
import io.holdfast.npiv.MigrationCommand;
import io.holdfast.npiv.Wwpn;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every client its own port, with QEMU's initiator: ten of them at once. */
@Timeout(180)
class ClientPortsIT {
    private static final int CLIENTS = 10;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path dir;

    private @Nullable ClientServer started;
    private final List<ClientAdapter> clients = new ArrayList<>();
    private final List<Writer> writers = new ArrayList<>();

    @BeforeEach
    void startServer() throws IOException {
        Tool.assumeInstalled("qemu-io", "qemu-utils, with qemu-block-extra");
        Tool.assumeInstalled("iscsi-ls", "libiscsi-bin");
        started = new ClientServer(dir, "127.0.0.1");
        for (int i = 0; i < CLIENTS; i++) {
            ClientAdapter client = server().client("vm" + i);
            clients.add(client);
            server().addLu(client, "disk-" + i);
        }
    }

    @AfterEach
    void stopServer() {
        writers.forEach(Writer::kill);
        if (started != null) {
            started.close();
        }
    }

    private ClientServer server() {
        if (started == null) {
            throw new IllegalStateException("not started");
        }
        return started;
    }

    private ClientAdapter client(int i) {
        return clients.get(i);
    }

    private Tool qemuIo(Wwpn name, ClientAdapter to, int lun, String... commands) throws Exception {
        List<String> all = new ArrayList<>(List.of("qemu-io", "--image-opts", "-t", "none"));
        for (String command : commands) {
            all.add("-c");
            all.add(command);
        }
        all.add(server().imageOptions(name, to, lun));
        return Tool.run(PATIENCE, all);
    }

    private String discovered(String initiator) throws Exception {
        return Tool.run("iscsi-ls", "-i", initiator, "-s", "iscsi://" + server().portal())
                .output();
    }

    @Test
    void shouldShowEachOfTenItsOwnTargetAndUnitOnly() throws Exception {
        for (int i = 0; i < CLIENTS; i++) {
            qemuIo(client(i).activeName(), client(i), 0, "write -P " + (i + 1) + " 0 64k")
                    .succeeded();
        }
        for (int i = 0; i < CLIENTS; i++) {
            qemuIo(client(i).activeName(), client(i), 0, "read -P " + (i + 1) + " 0 64k")
                    .succeeded();
            String seen = discovered(client(i).activeName().naaName());
            assertThat(seen.lines().filter(line -> line.startsWith("Target:")))
                    .singleElement()
                    .asString()
                    .contains(server().target(client(i)) + " ");
            assertThat(seen.lines().filter(line -> line.startsWith("Lun:"))).hasSize(1);
        }
        assertThat(discovered("iqn.2026-11.org.example:stranger")).doesNotContain("Target:");
    }

    @Test
    void shouldGiveForgersNothingAndTellThemAllTheSame() throws Exception {
        Wwpn forger = client(0).activeName();
        String foreign = qemuIo(forger, client(1), 0, "read 0 512").output();
        String standby = qemuIo(client(1).pair().of(client(1).active().other()), client(1), 0, "read 0 512")
                .output();
        String nobody = qemuIo(new Wwpn(0x3000_0000_0000_0001L), client(1), 0, "read 0 512")
                .output();

        assertThat(foreign).contains("Failed to log in to target. Status: Target not found");
        assertThat(List.of(standby, nobody)).allMatch(said -> complaint(said).equals(complaint(foreign)));
        assertThat(server().refused())
                .extracting(LoginDecision.Denied::reason)
                .contains(Denial.FOREIGN_TARGET, Denial.NOT_ACTIVE, Denial.UNKNOWN_INITIATOR);
    }

    private static String complaint(String said) {
        return said.replaceAll("(?s).*Status: ", "");
    }

    @Test
    void shouldAskAClientForItsSecretAndNobodyWhoHasNone() throws Exception {
        server().secret(client(0), "correct horse battery");
        server().carryOut(PlaneChange.Image.KEPT);

        assertThat(qemuIo(client(0).activeName(), client(0), 0, "read 0 512").exitCode())
                .isNotZero();
        assertThat(withSecret(client(0), "vm0", "wrong horse battery").exitCode())
                .isNotZero();
        withSecret(client(0), "vm0", "correct horse battery").succeeded();
        qemuIo(client(1).activeName(), client(1), 0, "read 0 512").succeeded();
    }

    private Tool withSecret(ClientAdapter of, String user, String secret) throws Exception {
        return Tool.run(
                "qemu-io",
                "--image-opts",
                "--object",
                "secret,id=s,data=" + secret,
                "-c",
                "read 0 512",
                server().imageOptions(of.activeName(), of, 0) + ",file.user=" + user + ",file.password-secret=s");
    }

    /** A qemu-io that stays, told to write and to verify again and again. */
    private static final class Writer {
        private final Process process;
        private final BufferedWriter in;
        private final BufferedReader out;
        private int round;

        Writer(String options) throws IOException {
            process = new ProcessBuilder("qemu-io", "--image-opts", "-t", "none", options)
                    .redirectErrorStream(true)
                    .start();
            in = process.outputWriter(StandardCharsets.UTF_8);
            out = process.inputReader(StandardCharsets.UTF_8);
        }

        /** Writes a pattern of its own over 1 MiB, and reads it back. */
        void writeAndVerify() throws IOException {
            round++;
            int pattern = round % 255 + 1;
            int at = round % 3;
            tell("write -P " + pattern + " " + at + "M 1M", "wrote");
            tell("read -P " + pattern + " " + at + "M 1M", "read");
        }

        private void tell(String command, String expected) throws IOException {
            in.write(command + "\n");
            in.flush();
            StringBuilder said = new StringBuilder();
            while (true) {
                @Nullable String line = out.readLine();
                said.append(line).append('\n');
                assertThat(line).as("qemu-io said: %s", said).isNotNull();
                assertThat(said.toString()).doesNotContain("failed").doesNotContain("error");
                if (line != null && line.contains(" ops; ")) {
                    assertThat(said.toString()).contains(expected);
                    return;
                }
            }
        }

        void kill() {
            process.destroyForcibly();
        }
    }

    private Writer writer(ClientAdapter client) throws IOException {
        Writer writer = new Writer(server().imageOptions(client.activeName(), client, 0));
        writers.add(writer);
        return writer;
    }

    private void allWriteAndVerify() throws IOException {
        for (Writer writer : writers) {
            writer.writeAndVerify();
        }
    }

    @Test
    void shouldMapUnmapAndResizeWhileAllWriteAndVerify() throws Exception {
        for (ClientAdapter client : clients) {
            writer(client);
        }
        allWriteAndVerify();
        for (int i = 0; i < CLIENTS; i++) {
            server().addLu(client(i), "more-" + i);
            allWriteAndVerify();
            server().grow("disk-" + i, ClientServer.LU_BYTES * 2);
            allWriteAndVerify();
        }
        for (int i = 0; i < CLIENTS; i++) {
            qemuIo(client(i).activeName(), client(i), 1, "write -P 9 0 64k").succeeded();
            assertThat(Tool.run(
                                    "iscsi-readcapacity16",
                                    "-i",
                                    client(i).activeName().naaName(),
                                    "iscsi://" + server().portal() + "/" + server().target(client(i)) + "/0")
                            .output())
                    .contains("Total size:" + ClientServer.LU_BYTES * 2 + "\n");
        }
        for (int i = 0; i < CLIENTS; i++) {
            Path image = dir.resolve("more-" + i + ".img");
            assertThat(image).exists();
            server().removeLu(client(i), 1, "more-" + i);
            allWriteAndVerify();
            await().atMost(PATIENCE).until(() -> !Files.exists(image));
        }
        assertThat(qemuIo(client(0).activeName(), client(0), 1, "read 0 512").exitCode())
                .isNotZero();
    }

    @Test
    void shouldHandAClientOverWhileItWrites() throws Exception {
        ClientAdapter moving = client(0);
        Writer source = writer(moving);
        source.writeAndVerify();
        server().done(new MigrationCommand.Prepare(moving.id().client()));
        server().carryOut(PlaneChange.Image.KEPT);
        Wwpn there = moving.pair().of(moving.active().other());
        // Both are logged in, and the one that arrives may read.
        Writer destination = new Writer(server().imageOptions(there, moving, 0));
        writers.add(destination);
        destination.tell("read -P 2 1M 1M", "read");
        source.writeAndVerify();

        server().done(new MigrationCommand.HandOver(moving.id().client()));
        server().carryOut(PlaneChange.Image.KEPT);

        destination.writeAndVerify();
        assertThat(qemuIo(moving.activeName(), moving, 0, "read 0 512").output())
                .contains("Target not found");
        source.process.destroyForcibly();
        assertThat(source.process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
}
