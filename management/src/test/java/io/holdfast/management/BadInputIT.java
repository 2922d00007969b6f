package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nonsense on the port and on the disk: one clear line each, and another session's verified I/O goes on untouched. */
class BadInputIT {
    private static final int HEADER_BYTES = 48;
    private static final int MAX_VISITORS = 256;
    private static final int LOGIN_LIMIT_MS = 15_000;

    @TempDir
    private Path dir;

    private ServeProcess server;
    private CompletableFuture<Tool> neighbour;

    @BeforeEach
    void serveSomebody() throws IOException {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        server = ServeProcess.start(dir, "--export", dir.resolve("disk.img") + ",size=64M");
        String[] commands = new String[4000];
        Arrays.setAll(
                commands,
                i -> String.format(
                        "%s -P %d %dk 64k", i % 2 == 0 ? "write" : "read", 1 + i / 2 % 250, i / 2 % 1000 * 64));
        neighbour = CompletableFuture.supplyAsync(() -> {
            try {
                return Tool.qemuIo(server.url(), commands);
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        server.awaitLog("logged in to", 1);
    }

    @AfterEach
    void nothingIsHarmed() throws Exception {
        if (server == null) {
            return;
        }
        // Closed whatever is found: a failed test must not leave its server behind.
        try (ServeProcess closing = server) {
            neighbour.get().succeeded();
            assertThat(closing.alive()).isTrue();
            assertThat(closing.log()).doesNotContain("ERROR").doesNotContain("Exception");
            Tool.qemuIo(closing.url(), "read 0 64k").succeeded();
            assertThat(closing.stop()).isEqualTo(143);
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(2 * LOGIN_LIMIT_MS);
        return socket;
    }

    /** Sends bytes and waits until the server closes; what it answered. */
    private byte[] send(byte[] bytes) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(bytes);
            socket.shutdownOutput();
            return answer(socket);
        }
    }

    private static byte[] answer(Socket socket) throws IOException {
        try (InputStream in = socket.getInputStream()) {
            return in.readAllBytes();
        } catch (java.net.SocketException e) {
            return new byte[0]; // reset: bytes were left unread, as they should be
        }
    }

    private static byte[] loginHeader(int segmentBytes) {
        byte[] header = new byte[HEADER_BYTES];
        header[0] = 0x43;
        header[1] = (byte) 0x87;
        header[5] = (byte) (segmentBytes >>> 16);
        header[6] = (byte) (segmentBytes >>> 8);
        header[7] = (byte) segmentBytes;
        return header;
    }

    @Test
    void shouldSayOneLineToEachKindOfNonsense() throws Exception {
        assertThat(send("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII)))
                .isEmpty();
        server.awaitLog("INFO .*connection closed in the middle of a PDU, before login", 1);

        send("A".repeat(5000).getBytes(StandardCharsets.US_ASCII));
        server.awaitLog("WARN .*closed: SCSI Command announces a data segment of 4276545 bytes; the limit is 8192", 1);

        send(loginHeader(0xff_ffff));
        server.awaitLog(
                "WARN .*closed: Login Request announces a data segment of 16777215 bytes; the limit is 8192", 1);

        byte[] command = new byte[HEADER_BYTES];
        command[0] = 0x01;
        send(command);
        server.awaitLog("WARN .*closed: SCSI Command itt 0x00000000, 0 bytes before login", 1);

        byte[] empty = send(loginHeader(0));
        assertThat(empty).as("a Login Response that refuses").hasSize(HEADER_BYTES);
        server.awaitLog("WARN .*login refused: missing parameter \\(no InitiatorName\\)", 1);

        byte[] halfLogin = Arrays.copyOf(loginHeader(100), HEADER_BYTES + 50);
        send(halfLogin);
        server.awaitLog("INFO .*connection closed in the middle of a PDU, before login", 2);
        assertThat(server.logLines("WARN")).hasSize(4);
    }

    @Test
    void shouldSurviveRandomBytesOnManyConnections() throws Exception {
        Random random = new Random(11);
        for (int i = 0; i < 200; i++) {
            byte[] junk = new byte[random.nextInt(4000)];
            random.nextBytes(junk);
            send(junk);
        }
        assertThat(server.logLines("WARN").size()).isLessThanOrEqualTo(200);
    }

    @Test
    void shouldNotSpeakOfPortScannersAndHealthChecks() throws Exception {
        for (int i = 0; i < 100; i++) {
            connect().close();
        }
        Tool.qemuIo(server.url(), "read 0 4k").succeeded();
        assertThat(server.logLines("WARN")).isEmpty();
        assertThat(server.logLines("before login")).isEmpty();
    }

    @Test
    void shouldLetTheOldestSilentConnectionGoForANewOneAndEndTheOthersInTime() throws Exception {
        List<Socket> silent = new ArrayList<>();
        try {
            long start = System.nanoTime();
            for (int i = 0; i < MAX_VISITORS + 20; i++) {
                silent.add(connect());
            }
            assertThat(answer(silent.get(0))).as("the oldest has to go").isEmpty();
            assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(LOGIN_LIMIT_MS - 1000);
            Socket last = silent.get(silent.size() - 1);
            assertThat(answer(last)).as("closed for its silence").isEmpty();
            assertThat((System.nanoTime() - start) / 1_000_000).isBetween((long) LOGIN_LIMIT_MS - 1000, 28_000L);
            assertThat(server.logLines("WARN .*closed: more than 256 connections log in or discover at once"))
                    .hasSizeBetween(20, 22);
            assertThat(server.logLines("WARN .*closed: no login within 15 s")).isNotEmpty();
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    @Test
    void shouldSayWhoHoldsAnImageThatIsServedAlready() throws Exception {
        Path image = dir.resolve("disk.img");
        Tool second = Tool.run(
                Duration.ofSeconds(30),
                ServeProcess.command("serve", "--listen", "127.0.0.1:0", "--export", image.toString()));
        assertThat(second.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(second.output())
                .startsWith("holdfast serve: " + image + " is in use by ")
                .contains("stop that first, or export a copy")
                .hasLineCount(1);
    }

    @Test
    void shouldSayThatAPortIsTaken() throws Exception {
        Tool second = Tool.run(
                Duration.ofSeconds(30),
                ServeProcess.command(
                        "serve",
                        "--listen",
                        "127.0.0.1:" + server.port(),
                        "--export",
                        dir.resolve("b.img") + ",size=1M"));
        assertThat(second.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(second.output())
                .isEqualTo("holdfast serve: cannot listen on 127.0.0.1:" + server.port()
                        + ": another program uses it ('ss -tanp' tells which)\n");
    }

    @Test
    void shouldSayThatAnImageMayNotBeRead() throws Exception {
        Path image = Files.write(dir.resolve("secret.img"), new byte[512]);
        Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("---------"));
        Files.setPosixFilePermissions(dir, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            // Root may read everything.
            Tool.assumeInstalled("setpriv", "util-linux");
            command.addAll(List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"));
        }
        command.addAll(ServeProcess.command("serve", "--listen", "127.0.0.1:0", "--export", image.toString()));
        Tool run = Tool.run(Duration.ofSeconds(30), command);
        Tool.assume(!run.output().contains("Unable to access jarfile"), "another user cannot reach the jar");
        assertThat(run.exitCode()).as(run.output()).isEqualTo(ExitCode.FAILED);
        assertThat(run.output())
                .startsWith("holdfast serve: " + image + " may not be read and written by user ")
                .hasLineCount(1);
    }
}
