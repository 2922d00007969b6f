package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every kind of damage to a writer's slots, and the states that are none. */
class RingCheckTest {
    private static final WriterRing RING = new WriterRing(0);
    private static final WriterRing RENAMED = new WriterRing(3);

    private final AckLedger ledger = new AckLedger();
    private final Map<Integer, byte[]> slots = new TreeMap<>();

    @BeforeEach
    void acknowledgeTenRecordsOfEachRing() {
        for (WriterRing ring : new WriterRing[] {RING, RENAMED}) {
            for (int sequence = 1; sequence <= 10; sequence++) {
                acknowledge(ring, sequence);
            }
        }
        for (int sequence = 1; sequence <= 10; sequence++) {
            put(RING, sequence);
        }
    }

    @Test
    void shouldFindNothingWhenEveryAcknowledgedRecordIsThere() {
        RingCheck check = check(RING);
        assertThat(check.findings()).isEmpty();
        assertThat(check.checked()).isEqualTo(10);
    }

    @Test
    void shouldAcceptARecordThatWasNotYetAcknowledged() {
        put(RING, 11);
        put(RING, 12);
        assertThat(check(RING).findings()).isEmpty();
    }

    @Test
    void shouldAcceptANewerRecordInPlaceOfTheAcknowledgedOne() {
        for (int sequence = 11; sequence <= 2048 + 3; sequence++) {
            put(RING, sequence);
        }
        assertThat(check(RING).findings()).isEmpty();
    }

    @Test
    void shouldFindALostRecord() {
        slots.remove(4);
        RingCheck check = check(RING);
        assertThat(check.lost()).isEqualTo(1);
        assertThat(check.findings()).containsExactly("writer 0 slot 4 is empty, record 4 was acknowledged");
    }

    @Test
    void shouldFindAnOlderRecord() {
        acknowledge(RING, 4 + 2048);
        RingCheck check = check(RING);
        assertThat(check.lost()).isEqualTo(1);
        assertThat(check.findings())
                .containsExactly("writer 0 slot 4 holds the older record 4, record 2052 was acknowledged");
    }

    @Test
    void shouldFindATornRecord() {
        tear(RING, 4);
        RingCheck check = check(RING);
        assertThat(check.torn()).isEqualTo(1);
        assertThat(check.lost()).isZero();
        assertThat(check.findings())
                .containsExactly("writer 0 slot 4 holds no intact record, record 4 was acknowledged");
    }

    @Test
    void shouldFindATornRecordEvenWhereNothingWasAcknowledged() {
        tear(RING, 1000);
        assertThat(check(RING).torn()).isEqualTo(1);
    }

    @Test
    void shouldNotBlameTheRecordThatWasBeingWritten() {
        tear(RING, 11);
        RingCheck check = check(RING);
        assertThat(check.tornInFlight()).isEqualTo(1);
        assertThat(check.torn()).isZero();
    }

    @Test
    void shouldLookOnTheDiskForTheRecordThatWasBeingWritten() {
        put(RING, 11);
        put(RING, 12);
        tear(RING, 13);
        assertThat(check(RING).tornInFlight()).isEqualTo(1);
    }

    @Test
    void shouldNotBlameARecordWhoseWriteFailed() {
        ledger.fail(new GuestLine.WriteError(0, 2048 + 5, 5, "pwrite: Input/output error"));
        tear(RING, 5);
        assertThat(check(RING).tornInFlight()).isEqualTo(1);
    }

    @Test
    void shouldFindARecordOfAnotherWriter() {
        slots.put(4, new GuestRecord(1, 4, 2048, 1, 0).encode());
        RingCheck check = check(RING);
        assertThat(check.lost()).isEqualTo(1);
        assertThat(check.findings())
                .containsExactly("writer 0 slot 4 holds record 4 of writer 1, record 4 was acknowledged");
    }

    @Test
    void shouldFindARecordOfAnotherSlot() {
        slots.put(4, new GuestRecord(0, 5, 2048, 0, 0).encode());
        assertThat(check(RING).lost()).isEqualTo(1);
    }

    @Test
    void shouldFindATornSlotFileEvenInFlight() {
        slots.clear();
        for (int sequence = 1; sequence <= 10; sequence++) {
            put(RENAMED, sequence);
        }
        assertThat(check(RENAMED).findings()).isEmpty();
        tear(RENAMED, 11);
        assertThat(check(RENAMED).torn()).isEqualTo(1);
    }

    private RingCheck check(WriterRing ring) {
        return RingCheck.of(ring, ledger, slots);
    }

    private void acknowledge(WriterRing ring, long sequence) {
        ledger.acknowledge(new GuestLine.Ack(ring.writer(), sequence, 0, 0), sequence);
    }

    private void put(WriterRing ring, long sequence) {
        slots.put(ring.slotOf(sequence), record(ring, sequence));
    }

    private void tear(WriterRing ring, long sequence) {
        byte[] bytes = record(ring, sequence);
        bytes[2048] ^= 1;
        slots.put(ring.slotOf(sequence), bytes);
    }

    private static byte[] record(WriterRing ring, long sequence) {
        return new GuestRecord(ring.writer(), sequence, ring.slots(), ring.mode(), sequence).encode();
    }
}
