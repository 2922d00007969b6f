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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real {@code holdfast serve}, in a process of its own, on a free port. */
final class ServeProcess implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Path CHECKOUT =
            Path.of(System.getProperty("holdfast.checkout", "..")).toAbsolutePath();

    private final Process process;
    private final Path log;
    private final List<String> urls = new ArrayList<>();
    private String agentPort = "";

    private ServeProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** The command that runs {@code holdfast} with these arguments, with the options of {@code scripts/holdfast} that one can see. */
    static List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djnr.ffi.x86asm.enabled=false",
                "-XX:+UseSerialGC",
                "-Xms24m",
                "-Xmx256m",
                "-XX:MaxDirectMemorySize=1g",
                "-XX:+IgnoreUnrecognizedVMOptions",
                "--sun-misc-unsafe-memory-access=allow",
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
        Pattern server = Pattern.compile("agent --server [^ ]*:([0-9]+)");
        for (String line = out.readLine(); line != null && agentPort.isEmpty(); line = out.readLine()) {
            Matcher found = server.matcher(line);
            agentPort = found.find() ? found.group(1) : "";
        }
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

    /** Where agents connect. */
    String agentPort() {
        return agentPort;
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

    /** A number of {@code /proc/PID/status}, such as {@code VmRSS}, as it stands there. */
    long status(String key) throws IOException {
        try (java.util.stream.Stream<String> lines = Files.lines(Path.of("/proc", "" + process.pid(), "status"))) {
            return lines.filter(line -> line.startsWith(key + ":"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** Not of other descriptors: libraries are loaded when they are first needed. */
    int openSockets() throws IOException {
        int sockets = 0;
        try (java.nio.file.DirectoryStream<Path> all =
                Files.newDirectoryStream(Path.of("/proc", "" + process.pid(), "fd"))) {
            for (Path descriptor : all) {
                sockets += isSocket(descriptor) ? 1 : 0;
            }
        }
        return sockets;
    }

    private static boolean isSocket(Path descriptor) throws IOException {
        try {
            return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
        } catch (java.nio.file.NoSuchFileException e) {
            return false; // closed meanwhile
        }
    }

    /** User and system time so far, in clock ticks of 10 ms: fields 14 and 15 of proc(5)'s stat. */
    long cpuTicks() throws IOException {
        String[] fields = Files.readString(Path.of("/proc", "" + process.pid(), "stat"))
                .replaceAll("^.*\\) ", "")
                .split(" ", -1);
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
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
