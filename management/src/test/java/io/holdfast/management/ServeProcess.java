package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/** A real {@code holdfast serve}, in a process of its own, on a free port. */
final class ServeProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Path CHECKOUT =
            Path.of(System.getProperty("holdfast.checkout", "..")).toAbsolutePath();

    private final Process process;
    private final Path log;
    private final List<String> urls = new ArrayList<>();

    private ServeProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** The command that runs {@code holdfast} with these arguments. */
    static List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djnr.ffi.x86asm.enabled=false",
                "-XX:+UseSerialGC",
                "-jar",
                CHECKOUT.resolve("management/target/holdfast.jar").normalize().toString()));
        command.addAll(Arrays.asList(arguments));
        return command;
    }

    /** Starts a server and waits until it serves. */
    static ServeProcess start(Path dir, String... arguments) throws IOException {
        List<String> all = new ArrayList<>(List.of("serve", "--listen", "127.0.0.1:0"));
        all.addAll(Arrays.asList(arguments));
        Path log = Files.createTempFile(dir, "serve", ".log");
        Process process = new ProcessBuilder(command(all.toArray(String[]::new)))
                .redirectError(log.toFile())
                .start();
        ServeProcess server = new ServeProcess(process, log);
        try {
            server.readUrls();
            return server;
        } catch (IOException | AssertionError e) {
            server.close();
            throw e;
        }
    }

    private void readUrls() throws IOException {
        // Not closed: what is printed later must find a reader.
        BufferedReader out =
                new BufferedReader(new java.io.InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (String line = out.readLine(); line != null && !line.isEmpty(); line = out.readLine()) {
            urls.add(line);
        }
        assertThat(urls).as("what the server printed; its log: %s", log()).isNotEmpty();
    }

    /** The first unit. */
    String url() {
        return urls.get(0);
    }

    List<String> urls() {
        return urls;
    }

    /** {@code iscsi://ADDRESS:PORT}. */
    String portalUrl() {
        return url().replaceAll("/iqn.*", "");
    }

    int port() {
        return Integer.parseInt(portalUrl().replaceAll(".*:", ""));
    }

    String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Log lines that match. */
    List<String> logLines(String regex) {
        Pattern pattern = Pattern.compile(regex);
        return log().lines().filter(line -> pattern.matcher(line).find()).toList();
    }

    void awaitLog(String regex, int count) {
        await().alias("log line " + regex)
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(logLines(regex)).as(log()).hasSize(count));
    }

    boolean alive() {
        return process.isAlive();
    }

    /** SIGKILL. */
    void kill() {
        process.destroyForcibly();
        waitForEnd();
    }

    /** SIGTERM, and the exit code. */
    int stop() {
        process.destroy();
        return waitForEnd();
    }

    private int waitForEnd() {
        try {
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as("the server has ended")
                    .isTrue();
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
        waitForEnd();
    }
}
