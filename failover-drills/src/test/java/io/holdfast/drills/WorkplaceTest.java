package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(20)
class WorkplaceTest {
    @TempDir
    private Path parent = Path.of("");

    private static Child start(Workplace place, String script, Duration grace) throws DrillFailure {
        return place.start("a child", List.of("sh", "-c", script), place.file("child.log"), grace);
    }

    @Test
    void shouldEndProcessesAndDeleteTheFolderWhenClosed() throws DrillFailure, IOException {
        Workplace place = Workplace.below(parent);
        Child polite = start(place, "exec sleep 60", Duration.ofSeconds(5));
        // Like a QEMU that waits for dead storage: SIGTERM does nothing.
        Child deaf = start(place, "trap '' TERM; while :; do sleep 60; done", Duration.ofMillis(100));
        place.close();

        assertThat(polite.alive()).isFalse();
        assertThat(deaf.alive()).isFalse();
        assertThat(parent).isEmptyDirectory();
    }

    @Test
    void shouldKeepTheLastWordsOfAChildThatIsToldToEnd() throws DrillFailure, InterruptedException {
        try (Workplace place = Workplace.below(parent)) {
            Child child = start(
                    place, "trap 'echo stopped; exit 0' TERM; echo up; while :; do sleep 0.05; done", Duration.ZERO);
            Patience.await(
                    "it to be up",
                    Duration.ofSeconds(10),
                    List.of(child),
                    () -> !child.lines().isEmpty());
            child.end(Duration.ofSeconds(10));

            assertThat(child.tail(5)).containsExactly("up", "stopped");
        }
    }

    @Test
    void shouldNotTakeAProcessThatGoesOnForOneThatEnds() throws InterruptedException {
        assertThat(Ending.within(Duration.ofMillis(50))).isFalse();
    }

    @Test
    void shouldStartNothingOnceClosed() throws DrillFailure {
        Workplace place = Workplace.below(parent);
        place.close();

        assertThatThrownBy(() -> start(place, "exec sleep 60", Duration.ZERO)).isInstanceOf(DrillFailure.class);
    }

    @Test
    void shouldLeaveTheFolderWhenAskedTo() throws DrillFailure {
        Workplace place = Workplace.below(parent);
        place.keepFolder();
        place.close();

        assertThat(place.folder()).exists();
    }

    @Test
    void shouldKeepWhatAChildSaysWithTimes() throws DrillFailure, InterruptedException {
        long beforeNs = System.nanoTime();
        try (Workplace place = Workplace.below(parent)) {
            Child child = start(place, "echo one; echo two >&2; exit 3", Duration.ZERO);
            assertThat(child.awaitEnd(Duration.ofSeconds(10))).isTrue();

            assertThat(child.tail(5)).containsExactly("one", "two");
            assertThat(child.lines()).allMatch(line -> line.atNs() - beforeNs > 0);
            assertThat(child.exitCode()).isEqualTo(3);
            Patience.await(
                    "the end to be seen",
                    Duration.ofSeconds(5),
                    List.of(),
                    () -> child.endedNs().isPresent());
        }
    }

    @Test
    void shouldStopWaitingWhenAProcessThatMustLiveEnds() throws DrillFailure {
        try (Workplace place = Workplace.below(parent)) {
            Child child = start(place, "echo no such disk; exit 7", Duration.ZERO);

            assertThatThrownBy(
                            () -> Patience.await("something else", Duration.ofSeconds(10), List.of(child), () -> false))
                    .hasMessage(
                            "while waiting for something else: a child ended with exit code 7, saying: no such disk");
        }
    }

    @Test
    void shouldSayWhatItWaitedForWhenTheLimitPasses() {
        assertThatThrownBy(() -> Patience.await("the moon", Duration.ofMillis(20), List.of(), () -> false))
                .hasMessage("waited 0.02 s for the moon");
    }
}
