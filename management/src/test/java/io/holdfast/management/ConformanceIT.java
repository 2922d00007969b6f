package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * libiscsi's conformance tests against the real server, each in a process of its own: in one whole run libiscsi 1.19
 * reports failures that are not there. {@code iscsi-test-cu.txt} says what is expected of each and why; a test that fares
 * better than the table says fails too, so that the table stays true. Two at a time, each with disks of its own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConformanceIT {
    private static final String DEBIANS = "iscsi-test-cu";
    /** A newer version's may be named: it has tests of its own, and a table for what is different. */
    private static final String PROGRAM = System.getProperty("holdfast.iscsi-test-cu", DEBIANS);

    private static final String SECRET = "iscsi-test-cu-knows";
    private static final int WORKERS = 2;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private enum Outcome {
        PASS,
        SKIP,
        FAIL
    }

    /** What a test is run on. */
    private enum Disk {
        DISK("size=256M"),
        REMOVABLE("size=256M,removable"),
        RO("ro"),
        BLOCKS4096("size=256M,block-size=4096"),
        SMALL("size=16M"),
        LARGE("size=64G"),
        /** On a server of its own, which asks for CHAP. */
        CHAP("size=16M");

        private final String attributes;

        Disk(String attributes) {
            this.attributes = attributes;
        }

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private record Row(Outcome outcome, Disk disk) {
        /** {@code PASS} or {@code PASS@removable}. */
        static Row parse(String text) {
            String[] parts = text.split("@", 2);
            String disk = parts.length == 1 ? Disk.DISK.name() : parts[1].toUpperCase(Locale.ROOT);
            return new Row(Outcome.valueOf(parts[0]), Disk.valueOf(disk));
        }
    }

    private record Result(Outcome outcome, String output) {}

    private final Map<String, Row> expected = new TreeMap<>();
    private final Map<String, Future<Result>> results = new TreeMap<>();
    private final List<ServeProcess> servers = new ArrayList<>();
    private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);

    @BeforeAll
    void startAll(@TempDir Path dir) throws Exception {
        Tool.assumeInstalled(PROGRAM, "libiscsi-bin");
        readTable("iscsi-test-cu.txt");
        if (!PROGRAM.equals(DEBIANS)) {
            readTable("iscsi-test-cu-1.20.txt");
        }
        Set<String> known =
                Tool.run(PROGRAM, "--list").output().lines().map(String::strip).collect(Collectors.toSet());
        String[] ways = {"ring", "portable"};
        for (int worker = 0; worker < WORKERS; worker++) {
            servers.add(start(Files.createDirectory(dir.resolve(ways[worker])), ways[worker]));
        }
        servers.add(startGuarded(Files.createDirectory(dir.resolve(Disk.CHAP.label()))));
        int next = 0;
        List<List<String>> shares = List.of(new ArrayList<>(), new ArrayList<>());
        for (String test : expected.keySet()) {
            if (known.contains(test)) {
                shares.get(next++ % WORKERS).add(test);
            }
        }
        for (int worker = 0; worker < WORKERS; worker++) {
            submit(shares.get(worker), servers.get(worker));
        }
    }

    private static ServeProcess start(Path dir, String way) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("--io", way));
        for (Disk disk : EnumSet.complementOf(EnumSet.of(Disk.CHAP))) {
            Path image = dir.resolve(disk.label() + ".img");
            if (disk == Disk.RO) {
                Files.write(image, new byte[16 << 20]);
            }
            arguments.addAll(List.of("--export", image + "," + disk.attributes));
        }
        return ServeProcess.start(dir, arguments.toArray(String[]::new));
    }

    private static ServeProcess startGuarded(Path dir) throws IOException {
        Path accounts = dir.resolve("chap.toml");
        Files.createFile(accounts, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(accounts, "[[account]]\nuser = \"suite\"\nsecret = \"" + SECRET + "\"\n");
        String export = dir.resolve(Disk.CHAP.label() + ".img") + "," + Disk.CHAP.attributes;
        return ServeProcess.start(dir, "--chap-file", accounts.toString(), "--export", export);
    }

    private String url(ServeProcess ofWorker, Disk disk) {
        ServeProcess server = disk == Disk.CHAP ? servers.get(WORKERS) : ofWorker;
        String login = disk == Disk.CHAP ? "suite%" + SECRET + "@" : "";
        return server.urls().stream()
                .filter(url -> url.contains(":" + disk.label() + "/"))
                .findFirst()
                .map(url -> url.replace("iscsi://", "iscsi://" + login))
                .orElseThrow();
    }

    /** One worker's share, one after the other: tests on the same disk would disturb each other. */
    private void submit(List<String> tests, ServeProcess server) {
        List<FutureTask<Result>> tasks = new ArrayList<>();
        for (String test : tests) {
            String url = url(server, Objects.requireNonNull(expected.get(test)).disk());
            Callable<Result> one = () -> run(test, url);
            FutureTask<Result> task = new FutureTask<>(one);
            tasks.add(task);
            results.put(test, task);
        }
        workers.execute(() -> tasks.forEach(Runnable::run));
    }

    @AfterAll
    void stopAll() throws InterruptedException {
        workers.shutdownNow();
        assertThat(workers.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        String logs = servers.stream().map(ServeProcess::log).collect(Collectors.joining());
        servers.forEach(ServeProcess::close);
        assertThat(logs).doesNotContain("ERROR").doesNotContain("Exception");
    }

    private void readTable(String name) throws IOException {
        try (InputStream in = ConformanceIT.class.getResourceAsStream(name)) {
            assertThat(in).isNotNull();
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(line -> line.split("\\s+", 3))
                    .forEach(row -> expected.put(row[1], Row.parse(row[0])));
        }
    }

    private static Result run(String test, String url) throws IOException, InterruptedException {
        // The second URL is for the tests of several paths to one disk.
        Tool tool = Tool.run(LIMIT, List.of(PROGRAM, "--dataloss", "--allow-sanitize", "-V", "-t", test, url, url));
        String body = tool.output()
                .lines()
                .dropWhile(line -> !line.startsWith("  Test:"))
                .takeWhile(line -> !line.startsWith("passed") && !line.startsWith("Run Summary"))
                .collect(Collectors.joining("\n"));
        boolean failed = tool.exitCode() != 0 || tool.output().lines().anyMatch(line -> line.startsWith("FAILED"));
        Outcome outcome = failed ? Outcome.FAIL : body.contains("[SKIPPED]") ? Outcome.SKIP : Outcome.PASS;
        return new Result(outcome, tool.output());
    }

    @TestFactory
    Stream<DynamicTest> shouldFareAsTheTableSays() {
        return expected.entrySet().stream()
                .map(row -> DynamicTest.dynamicTest(row.getValue().outcome() + " " + row.getKey(), () -> {
                    Tool.assume(
                            results.containsKey(row.getKey()),
                            row.getKey() + ": the installed " + PROGRAM + " does not have it");
                    Result result =
                            Objects.requireNonNull(results.get(row.getKey())).get();
                    assertThat(result.outcome())
                            .as(result.output())
                            .isEqualTo(row.getValue().outcome());
                }));
    }
}
