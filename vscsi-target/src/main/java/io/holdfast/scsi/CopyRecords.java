package io.holdfast.scsi;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What became of the copies that a logical unit was asked for, by nexus and list identifier, for RECEIVE COPY STATUS and
 * FAILURE DETAILS (SPC-4 §5.16.5). Kept until the identifier is used again, the nexus ends, or {@link
 * Limits#MAX_COPY_RECORDS} newer ones have ended. Thread-safe.
 */
final class CopyRecords {
    // Both guarded by this.
    private final Map<Nexus, Map<Integer, Entry>> byNexus = new HashMap<>();
    private int running;

    /** How a copy fares. */
    enum State {
        IN_PROGRESS(0x00),
        DONE(0x01),
        FAILED(0x02);

        private final int code;

        State(int code) {
            this.code = code;
        }

        /** COPY COMMAND STATUS (SPC-4 table 303). */
        int code() {
            return code;
        }
    }

    /** One copy. Written by the thread of its task's lane, read by any. */
    static final class Entry {
        private State state = State.IN_PROGRESS;
        private int segments;
        private long bytes;
        private byte[] sense = new byte[0];

        synchronized void copied(long moreBytes) {
            bytes += moreBytes;
        }

        synchronized void segmentDone() {
            segments++;
        }

        synchronized void ended(State how, byte[] why) {
            state = how;
            sense = why;
        }

        synchronized State state() {
            return state;
        }

        synchronized int segments() {
            return segments;
        }

        synchronized long bytes() {
            return bytes;
        }

        /** Why it failed: sense data; empty if it did not. */
        synchronized byte[] sense() {
            return sense.clone();
        }
    }

    /** What {@link #begin} found. */
    enum Outcome {
        BEGUN,
        /** A copy with this list identifier is running. */
        IDENTIFIER_IN_USE,
        TOO_MANY
    }

    /** @param listId {@link Sense#NONE} for a copy that nobody will ask about */
    synchronized Outcome begin(Nexus nexus, int listId, Entry record) {
        if (running == Limits.MAX_COPIES) {
            return Outcome.TOO_MANY;
        }
        if (listId != Sense.NONE) {
            Map<Integer, Entry> mine = byNexus.computeIfAbsent(nexus, n -> new LinkedHashMap<>());
            Entry before = mine.get(listId);
            if (before != null && before.state() == State.IN_PROGRESS) {
                return Outcome.IDENTIFIER_IN_USE;
            }
            mine.remove(listId);
            dropOldest(mine);
            mine.put(listId, record);
        }
        running++;
        return Outcome.BEGUN;
    }

    private static void dropOldest(Map<Integer, Entry> mine) {
        Iterator<Entry> oldest = mine.values().iterator();
        while (mine.size() >= Limits.MAX_COPY_RECORDS && oldest.hasNext()) {
            if (oldest.next().state() != State.IN_PROGRESS) {
                oldest.remove();
            }
        }
    }

    synchronized void end() {
        running--;
    }

    synchronized @Nullable Entry find(Nexus nexus, int listId) {
        Map<Integer, Entry> mine = byNexus.get(nexus);
        return mine == null ? null : mine.get(listId);
    }

    synchronized void forget(Nexus nexus) {
        byNexus.remove(nexus);
    }
}
