package io.holdfast.testimages;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the guest was told is durable, with the host's time at which it said so. {@link DiskChecker} holds the disk
 * against it, drills ask it for gaps in the guest's progress.
 *
 * <p>Thread-safe. Times are the host's {@link System#nanoTime()}, and never decrease from call to call.
 */
public final class AckLedger {
    private final Map<Integer, Writer> writers = new TreeMap<>();
    private final Moments moments = new Moments();

    /** Everything known of one writer. */
    private static final class Writer {
        private final Moments moments = new Moments();
        private final Map<Integer, Long> newestBySlot = new HashMap<>();
        private final Set<Long> failed = new TreeSet<>();
        private long highest;
    }

    public synchronized void acknowledge(GuestLine.Ack ack, long receivedNanos) {
        Writer writer = writer(ack.writer());
        writer.moments.add(receivedNanos);
        moments.add(receivedNanos);
        writer.newestBySlot.merge(new WriterRing(ack.writer()).slotOf(ack.sequence()), ack.sequence(), Math::max);
        writer.highest = Math.max(writer.highest, ack.sequence());
    }

    /** A record that was attempted but not acknowledged: its slot may hold the old record, the new one, or a torn one. */
    public synchronized void fail(GuestLine.WriteError error) {
        if (error.sequence() > 0) {
            writer(error.writer()).failed.add(error.sequence());
        }
    }

    /** Number of acknowledged records, those overwritten since included. */
    public synchronized long acked() {
        return moments.count();
    }

    /** Writers that had a record acknowledged or failed, in their order. */
    public synchronized Set<Integer> writers() {
        return new TreeSet<>(writers.keySet());
    }

    /** The highest acknowledged sequence number of a writer; 0 if there is none. */
    public synchronized long highestAcked(int writer) {
        Writer known = writers.get(writer);
        return known == null ? 0 : known.highest;
    }

    /** When the guest first made progress after {@code hostNanos}, any writer. */
    public synchronized OptionalLong firstAckAfter(long hostNanos) {
        return moments.firstAfter(hostNanos);
    }

    /** When this writer first made progress after {@code hostNanos}. */
    public synchronized OptionalLong firstAckAfter(int writer, long hostNanos) {
        Writer known = writers.get(writer);
        return known == null ? OptionalLong.empty() : known.moments.firstAfter(hostNanos);
    }

    /** When the guest last made progress up to {@code hostNanos}, any writer. */
    public synchronized OptionalLong lastAckUpTo(long hostNanos) {
        return moments.lastUpTo(hostNanos);
    }

    /** The longest time between two of these moments without an acknowledgement of any writer. */
    public synchronized Gap longestGap(long fromNanos, long toNanos) {
        return moments.longestGap(fromNanos, toNanos);
    }

    /** The longest time between two of these moments without an acknowledgement of this writer. */
    public synchronized Gap longestGap(int writer, long fromNanos, long toNanos) {
        Writer known = writers.get(writer);
        return known == null ? new Gap(fromNanos, toNanos) : known.moments.longestGap(fromNanos, toNanos);
    }

    /** For each slot of the writer's ring the newest acknowledged sequence number. */
    synchronized Map<Integer, Long> newestBySlot(int writer) {
        Writer known = writers.get(writer);
        return known == null ? Map.of() : new TreeMap<>(known.newestBySlot);
    }

    /** Sequence numbers whose write failed. */
    synchronized Set<Long> failed(int writer) {
        Writer known = writers.get(writer);
        return known == null ? Set.of() : new TreeSet<>(known.failed);
    }

    private Writer writer(int number) {
        return writers.computeIfAbsent(number, unused -> new Writer());
    }
}
