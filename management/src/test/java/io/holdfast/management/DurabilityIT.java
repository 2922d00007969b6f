package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What was acknowledged is there after SIGKILL. */
class DurabilityIT {
    private static final int BLOCK = 65_536;

    @TempDir
    private Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"ring", "portable"})
    void shouldKeepFlushedWritesOverAKill(String io) throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        String[] serve = {"--io", io, "--export", dir.resolve("disk.img") + ",size=64M"};
        try (ServeProcess server = ServeProcess.start(dir, serve)) {
            Tool.qemuIo(server.url(), "write -P 0x5a 0 4M", "flush", "write -f -P 0xa5 8M 64k")
                    .succeeded();
            server.kill();
        }
        try (ServeProcess server = ServeProcess.start(dir, serve)) {
            Tool.qemuIo(server.url(), "read -P 0x5a 0 4M", "read -P 0xa5 8M 64k", "read -P 0 16M 16M")
                    .succeeded();
        }
    }

    /** The kill comes in the middle of a stream of writes with FUA: every one that was acknowledged must be there. */
    @ParameterizedTest
    @ValueSource(strings = {"ring", "portable"})
    void shouldKeepEveryAcknowledgedWriteOfAStreamThatAKillCutsOff(String io) throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        String[] serve = {"--io", io, "--export", dir.resolve("disk.img") + ",size=64M"};
        AtomicInteger acknowledged = new AtomicInteger();
        try (ServeProcess server = ServeProcess.start(dir, serve)) {
            Process writer = new ProcessBuilder("qemu-io", "-f", "raw", "-t", "none", server.url())
                    .redirectErrorStream(true)
                    .start();
            Thread reader = new Thread(() -> countAcknowledgements(writer, acknowledged), "acknowledgements");
            reader.start();
            StringBuilder commands = new StringBuilder();
            for (int i = 0; i < 900; i++) {
                commands.append(String.format("write -f -P %d %d %d%n", pattern(i), (long) i * BLOCK, BLOCK));
            }
            Thread feeder = new Thread(() -> feed(writer, commands.toString()), "commands");
            feeder.start();
            await().atMost(Duration.ofSeconds(30)).until(() -> acknowledged.get() >= 50);
            server.kill();
            writer.destroyForcibly().waitFor();
            reader.join();
            feeder.join();
        }
        int count = acknowledged.get();
        String[] reads = new String[count];
        for (int i = 0; i < count; i++) {
            reads[i] = String.format("read -P %d %d %d", pattern(i), (long) i * BLOCK, BLOCK);
        }
        try (ServeProcess server = ServeProcess.start(dir, serve)) {
            Tool.qemuIo(server.url(), reads).succeeded();
        }
        assertThat(count).isGreaterThanOrEqualTo(50);
    }

    /** The short form of the proof that users run: a few kills, every way of I/O, and the proof against loss of power. */
    @Test
    void shouldPassTheProofThatUsersRun() throws Exception {
        Tool.assumeInstalled("gcc", "gcc");
        // In the build folder: temporary folders are in memory on some machines.
        Path work = Files.createDirectories(Path.of("target"));
        String script = Path.of(System.getProperty("holdfast.checkout", ".."), "scripts", "durability.sh")
                .toString();
        Tool proof = Tool.run(
                Duration.ofMinutes(4),
                List.of(script, "--no-set-up", "--kills", "5", "--power-loss", "1", "--dir", work.toString()));
        assertThat(proof.exitCode()).as(proof.output()).isZero();
        assertThat(proof.output()).containsPattern("kills=5 acked=[1-9][0-9]* lost=0 torn=0 power_loss_violations=");
    }

    private static int pattern(int i) {
        return 1 + i % 250;
    }

    private static void feed(Process writer, String commands) {
        try (var in = writer.getOutputStream()) {
            in.write(commands.getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            // The writer was ended before it had read them all, as it should be.
            return;
        }
    }

    private static void countAcknowledgements(Process writer, AtomicInteger acknowledged) {
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(writer.getInputStream(), StandardCharsets.US_ASCII))) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.contains("wrote " + BLOCK + "/" + BLOCK + " bytes")) {
                    acknowledged.incrementAndGet();
                }
            }
        } catch (IOException e) {
            // The writer was ended while it spoke: what was heard until then counts.
            return;
        }
    }
}
