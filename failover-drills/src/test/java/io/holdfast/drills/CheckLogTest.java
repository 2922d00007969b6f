package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.drills.CheckResult.Outcome;
import java.util.List;
import org.junit.jupiter.api.Test;

class CheckLogTest {
    private final CheckLog log = new CheckLog();

    private void hear(String... lines) {
        for (String line : lines) {
            log.accept(line);
        }
    }

    @Test
    void shouldKeepWhatTheToolsAndTheKernelSaidWithTheResultOfTheirCheck() {
        hear(
                "hello 6.1.0",
                "begin unmap sg_unmap frees blocks",
                "out unmap + sg_unmap --lba=0",
                "kernel unmap [ 1.0] oh");
        hear(
                "FAIL unmap 2.5 the kernel complained: oh",
                "begin reset resets",
                "out reset fine",
                "PASS reset 0.1 twice");

        assertThat(log.results())
                .containsExactly(
                        new CheckResult(
                                "unmap",
                                "sg_unmap frees blocks",
                                Outcome.FAIL,
                                "2.5",
                                "the kernel complained: oh",
                                List.of("+ sg_unmap --lba=0", "kernel: [ 1.0] oh")),
                        new CheckResult("reset", "resets", Outcome.PASS, "0.1", "twice", List.of("fine")));
    }

    @Test
    void shouldSayWhyACheckWasSkipped() {
        hear("begin chap logs in", "SKIP chap 0.1 the server has no option for it");

        assertThat(log.results().get(0).line()).isEqualTo("SKIP chap (0.1 s) skipped: the server has no option for it");
        assertThat(CheckLog.summary(log.results())).isEqualTo("checks=1 passed=0 failed=0 skipped=1");
    }

    @Test
    void shouldCountTheRunningCheckAsFailedWhenTheGuestIsGone() {
        hear("begin login logs in", "PASS login 1.0 ", "begin restart outlives the server", "out restart waiting");
        log.abandon("its kernel panicked");

        assertThat(log.done()).isFalse();
        assertThat(log.results().get(1))
                .isEqualTo(new CheckResult(
                        "restart",
                        "outlives the server",
                        Outcome.FAIL,
                        "?",
                        "its kernel panicked",
                        List.of("waiting")));
    }

    @Test
    void shouldFailAsAWholeWhenTheGuestIsGoneBetweenTwoChecks() {
        hear("begin login logs in", "PASS login 1.0 ");
        log.abandon("QEMU ended");

        assertThat(CheckLog.summary(log.results())).isEqualTo("checks=2 passed=1 failed=1 skipped=0");
    }

    @Test
    void shouldFailWhenTheServerLoggedAnError() {
        log.serverLog(List.of("ERROR disk gone"), List.of("INFO hello", "ERROR disk gone"));

        assertThat(log.results().get(0).line()).isEqualTo("FAIL server-log (0 s) ERROR disk gone");
    }

    @Test
    void shouldBeDoneOnlyWhenTheGuestSaysSo() {
        hear("begin login logs in", "PASS login 1.0 ");
        assertThat(log.done()).isFalse();

        hear("done ok");
        assertThat(log.done()).isTrue();
    }
}
