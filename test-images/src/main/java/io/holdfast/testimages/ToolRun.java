package io.holdfast.testimages;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * How a program of the system ended.
 *
 * @param output what it printed, both streams
 */
record ToolRun(int exitCode, String output) {

    /**
     * Runs a program to its end.
     *
     * @throws IOException when it cannot be started, or does not end in time (it is killed then)
     */
    static ToolRun of(Duration limit, List<String> command) throws IOException, InterruptedException {
        // A file and no pipe: nothing has to be read while the program runs.
        Path output = Files.createTempFile("holdfast-tool", ".log");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
            try {
                if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new IOException(
                            command.get(0) + " did not end within " + limit.toSeconds() + " s: " + read(output));
                }
            } finally {
                process.destroyForcibly();
            }
            return new ToolRun(process.exitValue(), read(output));
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private static String read(Path output) throws IOException {
        return new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
    }
}
