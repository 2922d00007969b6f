package io.holdfast.drills;

import static io.holdfast.drills.Examples.ack;
import static io.holdfast.drills.Examples.ms;
import static io.holdfast.drills.Examples.tick;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class GuestClockTest {
    private final GuestClock clock = new GuestClock();

    @Test
    void shouldNotTakeAnAckFromBeforeTheFreezeForProgress() {
        tick(clock, 1000, 100);
        // Frozen at 1010 (guest: 110). The write ended at 108, but the host hears of it only after the thaw.
        ack(clock, 7005, 108);
        ack(clock, 7025, 131);

        assertThat(clock.firstProgress(OptionalLong.of(ms(1010)), ms(7000))).isEqualTo(OptionalLong.of(ms(7025)));
    }

    @Test
    void shouldTakeTheFirstAckForProgressWhenTheGuestWasNeverFrozen() {
        tick(clock, 1000, 100);
        ack(clock, 1001, 101);
        ack(clock, 7005, 6100);

        assertThat(clock.firstProgress(OptionalLong.empty(), ms(7000))).isEqualTo(OptionalLong.of(ms(7005)));
    }

    @Test
    void shouldSeeNoProgressWhenNothingWasAcknowledgedAfterwards() {
        ack(clock, 1001, 101);

        assertThat(clock.firstProgress(OptionalLong.empty(), ms(7000))).isEmpty();
    }

    @Test
    void shouldMeasureTheStallByTheGuestsClockNotTheHosts() {
        ack(clock, 1000, 100);
        ack(clock, 7000, 140);
        ack(clock, 7005, 145);

        assertThat(clock.longestStallMs(0, ms(8000)).orElseThrow()).isCloseTo(40, within(0.01));
    }

    @Test
    void shouldMeasureTheSilenceByTheHostsClockBothEndsIncluded() {
        ack(clock, 1000, 100);
        ack(clock, 1600, 140);
        ack(clock, 1650, 145);

        assertThat(clock.longestSilenceMs(ms(900), ms(1700))).isCloseTo(600, within(0.01));
        assertThat(clock.longestSilenceMs(ms(100), ms(1700))).isCloseTo(900, within(0.01));
        assertThat(clock.longestSilenceMs(ms(2000), ms(2300))).isCloseTo(300, within(0.01));
    }

    @Test
    void shouldMeasureHowFarTheClockLeaptBeyondATick() {
        tick(clock, 1000, 100);
        tick(clock, 1020, 120);
        tick(clock, 7000, 155);
        tick(clock, 7020, 175);

        assertThat(clock.clockJumpMs(0, ms(8000)).orElseThrow()).isCloseTo(15, within(0.01));
        assertThat(clock.fellBehindMs(0, ms(8000)).orElseThrow()).isCloseTo(6020 - 75, within(0.01));
    }

    @Test
    void shouldNotKnowOfALeapFromASingleTick() {
        tick(clock, 1000, 100);

        assertThat(clock.clockJumpMs(0, ms(8000))).isEmpty();
        tick(clock, 1020, 115);
        assertThat(clock.clockJumpMs(0, ms(8000))).hasValue(0);
    }

    @Test
    void shouldKnowTheLastTickBeforeAMoment() {
        tick(clock, 1000, 100);
        tick(clock, 1020, 120);

        assertThat(clock.lastTickBefore(ms(1015))).isEqualTo(OptionalLong.of(ms(1000)));
        assertThat(clock.lastTickBefore(ms(999))).isEmpty();
    }

    @Test
    void shouldCountAcksPerSecond() {
        ack(clock, 1000, 100);
        ack(clock, 1400, 500);
        ack(clock, 1500, 600);

        assertThat(clock.ackRate(ms(1000), ms(1500))).isCloseTo(4, within(0.01));
    }

    @Test
    void shouldTellAClockThatRanOnFromOneThatStoodStill() {
        tick(clock, 1000, 100);
        tick(clock, 1020, 120);
        tick(clock, 7000, 155);
        List<QemuTrace.Change> stopped = List.of(
                new QemuTrace.Change(ms(1040), false, "paused"), new QemuTrace.Change(ms(6985), true, "running"));

        assertThat(clock.unaccountedMs(stopped).orElseThrow()).isCloseTo(0, within(0.01));
        assertThat(clock.unaccountedMs(List.of()).orElseThrow()).isCloseTo(5945, within(0.01));
    }
}
