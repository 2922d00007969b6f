package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SummaryTest {

    private static Verdict verdict(DeviceKind device, double freezeMs, double thawMs) {
        DrillPlan plan = new DrillPlan(device, Boot.KERNEL, Fault.KILL, Duration.ofSeconds(6), Route.THROUGH_AGENT);
        return Verdict.judge(
                plan, Examples.findings().freezeMs(freezeMs).thawMs(thawMs).build(), Optional.empty());
    }

    @Test
    void shouldGiveOneRowForEachKindAndOneForAll() {
        Summary summary = new Summary(List.of(
                verdict(DeviceKind.VIRTIO_BLK, 3, 30),
                verdict(DeviceKind.VIRTIO_SCSI, 5, 60),
                verdict(DeviceKind.VIRTIO_BLK, 4, 20)));

        assertThat(summary.table())
                .containsExactly(
                        "                                    runs  survived  freeze ms                    thaw ms         "
                                + "                acked  lost",
                        "                                                    median/p95/p99/max           median/p95/p99/max",
                        "virtio-blk kill 6 s                    2         2  3.0/4.0/4.0/4.0              "
                                + "20.0/30.0/30.0/30.0              2468     0",
                        "virtio-scsi kill 6 s                   1         1  5.0/5.0/5.0/5.0              "
                                + "60.0/60.0/60.0/60.0              1234     0",
                        "all                                    3         3  4.0/5.0/5.0/5.0              "
                                + "30.0/60.0/60.0/60.0              3702     0");
    }

    @Test
    void shouldEndWithTheWorstTimesAndTheSums() {
        Summary summary =
                new Summary(List.of(verdict(DeviceKind.VIRTIO_BLK, 3, 30), verdict(DeviceKind.VIRTIO_SCSI, 5, 20)));

        assertThat(summary.survived()).isTrue();
        assertThat(summary.line())
                .isEqualTo("survived=yes device=virtio-blk,virtio-scsi outage_s=6 freeze_ms=5.0 thaw_ms=30.0 "
                        + "guest_errors=0 acked=2468 lost=0 fault=kill runs=2");
    }

    @Test
    void shouldFailWhenOneGuestDidNotSurvive() {
        Verdict died = Verdict.judge(Examples.plan(), Findings.none(), Optional.of("QEMU ended"));
        Summary summary = new Summary(List.of(verdict(DeviceKind.VIRTIO_BLK, 3, 30), died));

        assertThat(summary.survived()).isFalse();
        assertThat(summary.line())
                .startsWith("survived=no ")
                .contains(" lost=unknown ")
                .endsWith(" runs=2 reason=\"1 of 2 guests did not survive\"");
    }
}
