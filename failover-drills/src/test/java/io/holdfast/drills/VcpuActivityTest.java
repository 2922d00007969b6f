package io.holdfast.drills;

import static io.holdfast.drills.Examples.ms;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class VcpuActivityTest {
    private static final long FAULT_NS = ms(1000);

    private final VcpuActivity activity = new VcpuActivity();
    private long runTimeNs;

    /** Samples every millisecond; the guest runs for a fifth of one every 20 ms. */
    private void running(int fromMs, int toMs) {
        for (int atMs = fromMs; atMs < toMs; atMs++) {
            if (atMs % VcpuActivity.TICK_MS == 0) {
                runTimeNs += 200_000;
            }
            activity.sample(ms(atMs), runTimeNs);
        }
    }

    private void still(int fromMs, int toMs) {
        for (int atMs = fromMs; atMs < toMs; atMs++) {
            activity.sample(ms(atMs), runTimeNs);
        }
    }

    @Test
    void shouldSeeTheLastRunBeforeALongStandstill() {
        running(0, 1005);
        still(1005, 1400);

        assertThat(activity.stoodStillSince(FAULT_NS)).isEqualTo(OptionalLong.of(ms(1000)));
    }

    @Test
    void shouldRememberTheStandstillAfterTheGuestRunsAgain() {
        running(0, 1005);
        still(1005, 3000);
        running(3000, 4000);

        assertThat(activity.stoodStillSince(FAULT_NS)).isEqualTo(OptionalLong.of(ms(1000)));
    }

    @Test
    void shouldNotTakeAGuestThatTicksForAFrozenOne() {
        running(0, 4000);

        assertThat(activity.stoodStillSince(FAULT_NS)).isEmpty();
    }

    @Test
    void shouldNotTakeAKickForARunOfTheGuest() {
        running(0, 1005);
        still(1005, 1100);
        runTimeNs += VcpuActivity.KICK_NS / 2;
        still(1100, 1400);

        assertThat(activity.stoodStillSince(FAULT_NS)).isEqualTo(OptionalLong.of(ms(1000)));
    }

    @Test
    void shouldIgnoreAPauseLongBeforeTheFault() {
        running(0, 105);
        still(105, 500);
        running(500, 2000);

        assertThat(activity.stoodStillSince(FAULT_NS)).isEmpty();
    }

    @Test
    void shouldKnowNothingWithoutSamples() {
        assertThat(activity.stoodStillSince(FAULT_NS)).isEmpty();
    }
}
