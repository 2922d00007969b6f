package io.holdfast.testimages;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Holds one writer's slots, as they were read from the disk, against what was acknowledged. A value without I/O, so that
 * every kind of damage is tried in tests.
 */
final class RingCheck {
    private final WriterRing ring;
    private final Map<Integer, Long> newestAcked;
    private final Set<Long> failed;
    private final long highestAcked;
    private final List<String> findings = new ArrayList<>();
    private int lost;
    private int torn;
    private int tornInFlight;

    private RingCheck(WriterRing ring, AckLedger ledger) {
        this.ring = ring;
        this.newestAcked = ledger.newestBySlot(ring.writer());
        this.failed = ledger.failed(ring.writer());
        this.highestAcked = ledger.highestAcked(ring.writer());
    }

    /** @param slots the bytes of each slot that exists on the disk and is not a hole */
    static RingCheck of(WriterRing ring, AckLedger ledger, Map<Integer, byte[]> slots) {
        RingCheck check = new RingCheck(ring, ledger);
        Map<Integer, GuestRecord> intact = new TreeMap<>();
        slots.forEach((slot, bytes) -> GuestRecord.decode(bytes).ifPresent(found -> intact.put(slot, found)));
        Set<Integer> inFlight = check.slotsInFlight(intact);
        for (int slot = 0; slot < ring.slots(); slot++) {
            if (slots.containsKey(slot) && !intact.containsKey(slot)) {
                check.judgeTorn(slot, inFlight.contains(slot));
            } else {
                check.judge(slot, Optional.ofNullable(intact.get(slot)));
            }
        }
        return check;
    }

    /**
     * A writer has one record in flight, the one after its newest. The guest may have gone on after the last
     * acknowledgement that reached the host, so the newest is looked for on the disk too. A failed write may have left
     * its slot in any state, and is followed by the next number.
     */
    private Set<Integer> slotsInFlight(Map<Integer, GuestRecord> intact) {
        long newest = highestAcked;
        for (GuestRecord found : intact.values()) {
            if (found.writer() == ring.writer()) {
                newest = Math.max(newest, found.sequence());
            }
        }
        Set<Integer> slots = new TreeSet<>();
        slots.add(ring.slotOf(newest + 1));
        for (long sequence : failed) {
            slots.add(ring.slotOf(sequence));
            slots.add(ring.slotOf(sequence + 1));
        }
        return slots;
    }

    private void judgeTorn(int slot, boolean wasInFlight) {
        // Slot files are renamed into place when they are whole and durable: they are never in flight.
        if (wasInFlight && !ring.slotsAreFiles()) {
            tornInFlight++;
            return;
        }
        torn++;
        find(slot, "holds no intact record");
    }

    private void judge(int slot, Optional<GuestRecord> found) {
        if (found.isPresent() && !belongs(found.get(), slot)) {
            lost++;
            find(
                    slot,
                    "holds record " + found.get().sequence() + " of writer "
                            + found.get().writer());
            return;
        }
        Long acked = newestAcked.get(slot);
        if (acked == null) {
            return;
        }
        if (found.isEmpty()) {
            lost++;
            find(slot, "is empty");
        } else if (found.get().sequence() < acked) {
            lost++;
            find(slot, "holds the older record " + found.get().sequence());
        }
    }

    private boolean belongs(GuestRecord found, int slot) {
        return found.writer() == ring.writer() && ring.slotOf(found.sequence()) == slot;
    }

    private void find(int slot, String what) {
        Long acked = newestAcked.get(slot);
        findings.add("writer " + ring.writer() + " slot " + slot + " " + what + ", "
                + (acked == null ? "nothing was acknowledged there" : "record " + acked + " was acknowledged"));
    }

    int checked() {
        return newestAcked.size();
    }

    int lost() {
        return lost;
    }

    int torn() {
        return torn;
    }

    int tornInFlight() {
        return tornInFlight;
    }

    List<String> findings() {
        return findings;
    }
}
