package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class GuestReportTest {
    private final GuestReport report = new GuestReport();

    private void hear(long receivedNanos, String... lines) {
        for (String line : lines) {
            report.accept(line, receivedNanos);
        }
    }

    @Test
    void shouldFollowAGuestFromReadyToItsSummary() {
        hear(1, "ready 2000000 writers=2 device=/dev/sda boot=b1");
        hear(2, "ack 0 1 2100000 900", "ack 1 1 2100000 900");
        assertThat(report.allStopped()).isFalse();
        hear(3, "stopped 1 1", "stopped 0 1", "report errors=0 kmsg=0 remounted_ro=no boot=b1");
        assertThat(report.allStopped()).isTrue();
        assertThat(report.stopped()).containsEntry(0, 1L).containsEntry(1, 1L);
        assertThat(report.ready().orElseThrow().line().device()).isEqualTo("/dev/sda");
        assertThat(report.summary()).contains(new GuestLine.Summary(0, 0, false, "b1"));
        assertThat(report.ledger().acked()).isEqualTo(2);
    }

    @Test
    void shouldKeepComplaintsAndGarbageWithTheirTime() {
        hear(5, "kmsg 3 I/O error, dev vda, sector 8", "error 0 4 5 fsync: Input/output error", "ac\u0000k");
        assertThat(report.kernelMessages()).hasSize(1);
        assertThat(report.errors().get(0).receivedNanos()).isEqualTo(5);
        assertThat(report.garbled().get(0).line().text()).isEqualTo("ac\u0000k");
        assertThat(report.describe()).contains("errors=1", "kmsg=1", "garbled=1");
    }

    @Test
    void shouldShowWhenTheCpusStoodAndHowTheClocksStepped() {
        hear(100, "tick 1000000 5000000");
        hear(120, "tick 1020000 5020000");
        hear(900, "tick 1040000 5800000");
        hear(920, "tick 1060000 5820000");
        assertThat(report.longestTickGap(100, 920)).isEqualTo(new Gap(120, 900));
        assertThat(report.firstTickAfter(120)).hasValue(900);
        assertThat(report.lastTickUpTo(899)).hasValue(120);
        assertThat(report.largestClockSteps(0, 1000)).isEqualTo(new GuestReport.ClockSteps(20_000, 780_000));
        assertThat(report.largestClockSteps(910, 1000)).isEqualTo(new GuestReport.ClockSteps(20_000, 20_000));
    }

    @Test
    void shouldWakeWhoWaitsWhenTheConditionHolds() throws Exception {
        Thread guest = new Thread(() -> hear(1, "ready 1 writers=1 device=/dev/vda boot=b1"));
        guest.start();
        report.await(
                "the guest is ready",
                Duration.ofSeconds(5),
                heard -> heard.ready().isPresent());
        guest.join();
    }

    @Test
    void shouldSayWhatWasWaitedForWhenTheTimeIsOver() {
        assertThatThrownBy(() -> report.await("pigs fly", Duration.ofMillis(1), heard -> false))
                .isInstanceOf(TimeoutException.class)
                .hasMessageContaining("pigs fly")
                .hasMessageContaining("acked=0");
    }

    @Test
    void shouldNotWaitForAGuestThatHasGone() {
        report.end();
        assertThatThrownBy(() -> report.await("pigs fly", Duration.ofMinutes(5), heard -> false))
                .isInstanceOf(TimeoutException.class)
                .hasMessageContaining("closed its port");
    }
}
