package io.holdfast.drills;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Programs of the system that end by themselves, such as {@code mount} and {@code ip}. */
final class SystemTool {
    private static final int LIMIT_S = 20;

    private SystemTool() {}

    /**
     * How a program ended.
     *
     * @param problem what is wrong, for people; empty if it did what it was asked
     * @param output what it printed, both streams
     */
    private record End(String problem, String output) {}

    /** @return what is wrong, for people; empty if it did what it was asked */
    static String run(String... command) throws InterruptedException {
        return end(command).problem();
    }

    private static End end(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(LIMIT_S, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return new End(String.join(" ", command) + " did not end within " + LIMIT_S + " s", said);
            }
            return new End(process.exitValue() == 0 ? "" : String.join(" ", command) + ": " + said.strip(), said);
        } catch (IOException e) {
            return new End("cannot run " + List.of(command).get(0) + ": " + e.getMessage(), "");
        }
    }

    /**
     * @return what it printed
     * @throws NotHere if it does not do it: such as for want of root
     */
    static String require(String... command) throws NotHere, InterruptedException {
        End end = end(command);
        if (!end.problem().isEmpty()) {
            throw new NotHere(end.problem());
        }
        return end.output().strip();
    }

    /** @throws DrillFailure if it does not do it, though it did before */
    static void insist(String... command) throws DrillFailure, InterruptedException {
        insistOnAnswer(command);
    }

    /** The same, for what it printed. */
    static String insistOnAnswer(String... command) throws DrillFailure, InterruptedException {
        End end = end(command);
        if (!end.problem().isEmpty()) {
            throw new DrillFailure(end.problem());
        }
        return end.output().strip();
    }
}
