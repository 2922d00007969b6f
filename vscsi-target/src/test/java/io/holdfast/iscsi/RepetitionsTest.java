package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RepetitionsTest {
    private static final long MINUTE = TimeUnit.SECONDS.toNanos(Repetitions.WINDOW_SECONDS);

    private final Repetitions repetitions = new Repetitions();

    @Test
    void shouldTellOfTheFirstAndThenOnceAMinuteWithACount() {
        assertThat(repetitions.count("a", 0)).isZero();
        for (int i = 1; i <= 5; i++) {
            assertThat(repetitions.count("a", i)).isEqualTo(Repetitions.COUNTED);
        }
        assertThat(repetitions.count("a", MINUTE)).isEqualTo(5);
        assertThat(repetitions.count("a", MINUTE + 1)).isEqualTo(Repetitions.COUNTED);
    }

    @Test
    void shouldTellOfSomethingElseAtOnce() {
        assertThat(repetitions.count("a", 0)).isZero();
        assertThat(repetitions.count("b", 0)).isZero();
    }

    @Test
    void shouldNotTellMoreOfWhoMakesUpSomethingNewEachTime() {
        int told = 0;
        for (int i = 0; i < 10_000; i++) {
            told += repetitions.count("kind " + i, i) == Repetitions.COUNTED ? 0 : 1;
        }
        assertThat(told).as("each kind, and all others together").isEqualTo(Repetitions.MAX_KINDS + 1);
    }

    @Test
    void shouldHaveRoomForOthersWhenTheMinuteIsOver() {
        for (int i = 0; i < 2 * Repetitions.MAX_KINDS; i++) {
            repetitions.count("kind " + i, 0);
        }
        assertThat(repetitions.count("new", MINUTE)).isZero();
    }
}
