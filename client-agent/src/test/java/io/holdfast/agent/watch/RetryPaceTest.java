package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How often, and how patiently, a server that is away is tried. */
class RetryPaceTest {
    private static final WatchSettings SETTINGS = WatchSettings.DEFAULT;

    private final RetryPace here = new RetryPace(SETTINGS, true);
    private final RetryPace elsewhere = new RetryPace(SETTINGS, false);

    private static int[] waits(RetryPace pace, int count) {
        return IntStream.range(0, count).map(i -> pace.nextWaitMs(0)).toArray();
    }

    @Test
    void shouldTryAServerOnThisMachineAtAnEvenPace() {
        assertThat(waits(here, 20)).containsOnly(SETTINGS.retryLoopbackMs());
    }

    @Test
    void shouldTryAnotherMachineLessAndLessOftenUntilItIsFound() {
        assertThat(waits(elsewhere, 4)).containsExactly(20, 40, 80, 100);
        assertThat(waits(elsewhere, 100)).containsOnly(SETTINGS.retryMaxMs());

        elsewhere.found();

        assertThat(elsewhere.nextWaitMs(0)).isEqualTo(20);
    }

    @Test
    void shouldNotTrySomebodyOftenWhoHangsUpOnEverybody() {
        assertThat(here.hungUp()).isFalse();
        assertThat(here.hungUp()).isFalse();
        assertThat(here.isUnwelcome()).isFalse();
        assertThat(here.hungUp()).as("it is told once").isTrue();
        assertThat(here.isUnwelcome()).isTrue();
        assertThat(here.nextWaitMs(0)).isEqualTo(SETTINGS.retryLoopbackMs());

        int[] waits = IntStream.range(0, 8)
                .map(i -> {
                    assertThat(here.hungUp()).isFalse();
                    return here.nextWaitMs(0);
                })
                .toArray();

        assertThat(waits).containsExactly(100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000);
        here.welcomed();
        assertThat(here.nextWaitMs(0)).isEqualTo(SETTINGS.retryLoopbackMs());
    }

    @Test
    void shouldSendNewPacketsWhereSomeAreLostAndBePatientNowAndThen() {
        assertThat(elsewhere.connectLimitMs()).isEqualTo(SETTINGS.connectLimitMs());

        elsewhere.lost(true);

        int[] limits = IntStream.range(0, RetryPace.PATIENT_EVERY + 1)
                .map(i -> {
                    int limit = elsewhere.connectLimitMs();
                    elsewhere.nextWaitMs(0);
                    return limit;
                })
                .toArray();
        assertThat(limits[RetryPace.PATIENT_EVERY - 1]).isEqualTo(SETTINGS.connectLimitMs());
        assertThat(limits[RetryPace.PATIENT_EVERY]).isEqualTo(RetryPace.IMPATIENT_MS);
        assertThat(IntStream.range(0, RetryPace.PATIENT_EVERY - 1).map(i -> limits[i]))
                .containsOnly(RetryPace.IMPATIENT_MS);
    }

    @Test
    void shouldGiveALongPathTheTimeThatItUsuallyTakes() {
        elsewhere.connects(0);
        elsewhere.connected(TimeUnit.MILLISECONDS.toNanos(60));
        elsewhere.connected(TimeUnit.MILLISECONDS.toNanos(300));

        elsewhere.lost(true);

        assertThat(elsewhere.connectLimitMs()).isEqualTo(RetryPace.USUAL_TIMES * 60);
        waits(elsewhere, 10);
        assertThat(elsewhere.nextWaitMs(TimeUnit.MILLISECONDS.toNanos(RetryPace.USUAL_TIMES * 60)))
                .as("it has waited already")
                .isEqualTo(SETTINGS.retryFirstMs());
    }

    @Test
    void shouldNotWaitAgainAfterAnAttemptThatHasWaited() {
        elsewhere.lost(true);
        waits(elsewhere, 10);
        elsewhere.connects(0);

        assertThat(elsewhere.nextWaitMs(TimeUnit.MILLISECONDS.toNanos(RetryPace.IMPATIENT_MS)))
                .isEqualTo(SETTINGS.retryFirstMs());
        assertThat(elsewhere.nextWaitMs(TimeUnit.MILLISECONDS.toNanos(RetryPace.IMPATIENT_MS - 1)))
                .isEqualTo(SETTINGS.retryMaxMs());
    }
}
