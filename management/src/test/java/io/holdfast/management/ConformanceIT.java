package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
 * better than the table says fails too, so that the table stays true. Two at a time, each with a disk of its own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConformanceIT {
    private static final String PROGRAM = "iscsi-test-cu";
    private static final int WORKERS = 2;
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private enum Outcome {
        PASS,
        SKIP,
        FAIL
    }

    private record Result(Outcome outcome, String output) {}

    private final Map<String, Outcome> expected = new TreeMap<>();
    private final Map<String, Future<Result>> results = new TreeMap<>();
    private final List<ServeProcess> servers = new ArrayList<>();
    private final ExecutorService workers = Executors.newFixedThreadPool(WORKERS);

    @BeforeAll
    void startAll(@TempDir Path dir) throws Exception {
        Tool.assumeInstalled(PROGRAM, "libiscsi-bin");
        readTable();
        Set<String> known =
                Tool.run(PROGRAM, "--list").output().lines().map(String::strip).collect(Collectors.toSet());
        String[] ways = {"ring", "portable"};
        for (int worker = 0; worker < WORKERS; worker++) {
            servers.add(ServeProcess.start(
                    dir, "--io", ways[worker], "--export", dir.resolve(ways[worker] + ".img") + ",size=256M"));
        }
        int next = 0;
        List<List<String>> shares = List.of(new ArrayList<>(), new ArrayList<>());
        for (String test : expected.keySet()) {
            if (known.contains(test)) {
                shares.get(next++ % WORKERS).add(test);
            }
        }
        for (int worker = 0; worker < WORKERS; worker++) {
            submit(shares.get(worker), servers.get(worker).url());
        }
    }

    /** One worker's share, one after the other: tests on the same disk would disturb each other. */
    private void submit(List<String> tests, String url) {
        List<FutureTask<Result>> tasks = new ArrayList<>();
        for (String test : tests) {
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

    private void readTable() throws IOException {
        try (InputStream in = ConformanceIT.class.getResourceAsStream("iscsi-test-cu.txt")) {
            assertThat(in).isNotNull();
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(line -> line.split("\\s+", 3))
                    .forEach(row -> expected.put(row[1], Outcome.valueOf(row[0])));
        }
    }

    private static Result run(String test, String url) throws IOException, InterruptedException {
        // The second URL is for the tests of several paths to one disk.
        Tool tool = Tool.run(LIMIT, List.of(PROGRAM, "--dataloss", "-V", "-t", test, url, url));
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
                .map(row -> DynamicTest.dynamicTest(row.getValue() + " " + row.getKey(), () -> {
                    assumeTrue(results.containsKey(row.getKey()), "the installed " + PROGRAM + " does not have it");
                    Result result =
                            Objects.requireNonNull(results.get(row.getKey())).get();
                    assertThat(result.outcome()).as(result.output()).isEqualTo(row.getValue());
                }));
    }
}
