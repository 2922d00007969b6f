package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.holdfast.drills.CheckResult.Outcome;
import io.holdfast.testimages.InitiatorImages;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The Linux kernel's initiator in a guest against a real server: one boot, one test for each check. Some minutes. */
class LinuxInitiatorIT {
    private static final Duration LIMIT = Duration.ofMinutes(12);

    /** Checks of what the server does not have yet. Whoever adds it takes its line away; then a skip is a failure. */
    private static final Set<String> NOT_YET = Set.of("chap-required", "chap", "chap-discovery");

    @TempDir
    private Path work = Path.of("");

    @TestFactory
    Stream<DynamicTest> shouldServeTheLinuxKernelsInitiator() throws DrillFailure, IOException, InterruptedException {
        Path checkout = Path.of(System.getProperty("holdfast.checkout", ".."))
                .toAbsolutePath()
                .normalize();
        Path log = Files.createDirectories(checkout.resolve("failover-drills/target"))
                .resolve("initiator.log");
        InitiatorRun.Setting setting = new InitiatorRun.Setting(
                checkout.resolve("scripts/holdfast"), imagesOrSkip(), work, List.of(), LIMIT, log);
        List<CheckResult> results = new InitiatorRun(setting, result -> System.out.println("  " + result.line())).run();
        System.out.println(CheckLog.summary(results));
        return results.stream()
                .map(result ->
                        DynamicTest.dynamicTest(result.name() + ": " + result.sentence(), () -> requirePassed(result)));
    }

    static InitiatorImages imagesOrSkip() throws InterruptedException {
        boolean qemu = Arrays.stream(System.getenv("PATH").split(File.pathSeparator, -1))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "qemu-system-x86_64")));
        if (!qemu) {
            skip("no qemu-system-x86_64 on the PATH (scripts/setup.sh installs it)");
        }
        try {
            return InitiatorImages.build();
        } catch (IOException e) {
            skip(String.valueOf(e.getMessage()));
            throw new IllegalStateException(e);
        }
    }

    private static void skip(String reason) {
        // Aloud: a run without the initiator must not look like one with it.
        System.out.println("skipped: the Linux initiator: " + reason);
        abort(reason);
    }

    private static void requirePassed(CheckResult result) {
        if (result.outcome() == Outcome.SKIP && NOT_YET.contains(result.name())) {
            abort(result.detail());
        }
        assertThat(result.outcome())
                .as("%s%n%s", result.line(), String.join("\n", result.output()))
                .isEqualTo(Outcome.PASS);
    }
}
