package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One run of a program, to its end.
 *
 * @param exitCode -1 if it had to be ended
 */
record Tool(int exitCode, String output) {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Skips the test, aloud, if the program is not installed. */
    static void assumeInstalled(String program, String debianPackage) {
        boolean there = Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(dir -> Files.isExecutable(Path.of(dir).resolve(program)));
        assume(there, program + " is not on the PATH; Debian's package is " + debianPackage);
    }

    /** Skips the test, aloud, where something is missing: a run without it must not look like one with it. */
    static void assume(boolean there, String reason) {
        if (!there) {
            System.out.println("skipped: " + reason);
        }
        assumeTrue(there, reason);
    }

    static Tool run(String... command) throws IOException, InterruptedException {
        return run(PATIENCE, List.of(command));
    }

    static Tool run(Duration limit, List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile("holdfast-tool", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.getOutputStream().close();
            boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            return new Tool(ended ? process.exitValue() : -1, Files.readString(output));
        } finally {
            Files.delete(output);
        }
    }

    /** {@code qemu-io} on a raw image, with these commands one after the other. */
    static Tool qemuIo(String url, String... commands) throws IOException, InterruptedException {
        List<String> all = new java.util.ArrayList<>(List.of("qemu-io", "-f", "raw", "-t", "none"));
        for (String command : commands) {
            all.add("-c");
            all.add(command);
        }
        all.add(url);
        return run(PATIENCE, all);
    }

    Tool succeeded() {
        assertThat(exitCode).as(output).isZero();
        assertThat(output).doesNotContain("failed").doesNotContain("error");
        return this;
    }
}
