package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AckLedgerTest {
    private final AckLedger ledger = new AckLedger();

    private void ack(int writer, long sequence, long receivedNanos) {
        ledger.acknowledge(new GuestLine.Ack(writer, sequence, 0, 0), receivedNanos);
    }

    @Test
    void shouldKnowTheHighestAcknowledgedNumberOfEachWriter() {
        ack(0, 1, 10);
        ack(0, 2, 20);
        ack(2, 7, 30);
        assertThat(ledger.highestAcked(0)).isEqualTo(2);
        assertThat(ledger.highestAcked(1)).isZero();
        assertThat(ledger.highestAcked(2)).isEqualTo(7);
        assertThat(ledger.acked()).isEqualTo(3);
        assertThat(ledger.writers()).containsExactly(0, 2);
    }

    @Test
    void shouldKeepOnlyTheNewestAcknowledgedRecordOfASlot() {
        ack(0, 5, 10);
        ack(0, 5 + 2048, 20);
        ack(0, 6, 30);
        assertThat(ledger.newestBySlot(0)).containsOnlyKeys(5, 6).containsEntry(5, 5L + 2048);
    }

    @Test
    void shouldFindTheFirstProgressAfterAMoment() {
        ack(0, 1, 10);
        ack(1, 1, 20);
        ack(0, 2, 50);
        assertThat(ledger.firstAckAfter(9)).hasValue(10);
        assertThat(ledger.firstAckAfter(10)).hasValue(20);
        assertThat(ledger.firstAckAfter(0, 10)).hasValue(50);
        assertThat(ledger.firstAckAfter(50)).isEmpty();
        assertThat(ledger.firstAckAfter(3, 0)).isEmpty();
        assertThat(ledger.lastAckUpTo(49)).hasValue(20);
        assertThat(ledger.lastAckUpTo(9)).isEmpty();
    }

    @Test
    void shouldFindTheLongestGapWithinASpan() {
        ack(0, 1, 10);
        ack(1, 1, 20);
        ack(0, 2, 70);
        ack(0, 3, 75);
        assertThat(ledger.longestGap(10, 80)).isEqualTo(new Gap(20, 70));
        assertThat(ledger.longestGap(1, 10, 80)).isEqualTo(new Gap(20, 80));
    }

    @Test
    void shouldCountTheEndsOfTheSpanAsGaps() {
        ack(0, 1, 50);
        assertThat(ledger.longestGap(0, 60)).isEqualTo(new Gap(0, 50));
        assertThat(ledger.longestGap(49, 100)).isEqualTo(new Gap(50, 100));
        assertThat(ledger.longestGap(60, 100)).isEqualTo(new Gap(60, 100));
        assertThat(ledger.longestGap(5, 0, 100)).isEqualTo(new Gap(0, 100));
    }

    @Test
    void shouldStandTheWrapOfNanoTime() {
        long wrap = Long.MAX_VALUE - 5;
        ack(0, 1, wrap);
        ack(0, 2, wrap + 20);
        assertThat(ledger.firstAckAfter(wrap + 1)).hasValue(wrap + 20);
        assertThat(ledger.longestGap(wrap, wrap + 25)).isEqualTo(new Gap(wrap, wrap + 20));
    }

    @Test
    void shouldKeepManyMoments() {
        for (int i = 1; i <= 10_000; i++) {
            ack(0, i, i * 10L);
        }
        assertThat(ledger.acked()).isEqualTo(10_000);
        assertThat(ledger.firstAckAfter(99_985)).hasValue(99_990);
    }

    @Test
    void shouldRememberFailedRecordsButNoFailureOutsideOfARecord() {
        ledger.fail(new GuestLine.WriteError(1, 9, 5, "fsync: Input/output error"));
        ledger.fail(new GuestLine.WriteError(2, 0, 2, "open: No such file or directory"));
        assertThat(ledger.failed(1)).containsExactly(9L);
        assertThat(ledger.failed(2)).isEmpty();
    }
}
