package io.holdfast.drills;

import io.holdfast.testimages.GuestLine;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * The guest's story told by two clocks: what it reported with its own times, and when each report reached the host.
 *
 * <p>Thread-safe: the channel's thread adds, the drill's thread asks.
 */
final class GuestClock {
    private static final double TICK_MS = VcpuActivity.TICK_MS;

    /** An acknowledged write: when the host read of it, and the guest's monotonic clock when fsync had returned. */
    private record Ack(long atNs, long uptimeUs) {}

    /** A sign of life without disk I/O, with the guest's monotonic clock and its time of day. */
    private record Tick(long atNs, long uptimeUs, long realtimeUs) {}

    private final List<Ack> acks = new ArrayList<>();
    private final List<Tick> ticks = new ArrayList<>();

    /** Takes what tells the time out of what the guest says. */
    synchronized void take(GuestLine line, long atNs) {
        if (line instanceof GuestLine.Ack ack) {
            acks.add(new Ack(atNs, ack.uptimeMicros()));
        } else if (line instanceof GuestLine.Tick tick) {
            ticks.add(new Tick(atNs, tick.uptimeMicros(), tick.realtimeMicros()));
        }
    }

    synchronized int ackCount() {
        return acks.size();
    }

    /** The last tick read before {@code atNs}. */
    synchronized OptionalLong lastTickBefore(long atNs) {
        return ticks.stream().mapToLong(Tick::atNs).filter(ns -> ns < atNs).max();
    }

    /**
     * The first progress after the server was back: an acknowledgement read at {@code notBeforeNs} or later, of a write
     * that ended after the guest ran again. One that ended before the freeze, and was on its way to the host when the
     * guest was stopped, is no progress.
     *
     * @param frozenNs when the vCPUs stopped; empty if they did not
     */
    synchronized OptionalLong firstProgress(OptionalLong frozenNs, long notBeforeNs) {
        long uptimeAtFreezeUs =
                frozenNs.isPresent() ? uptimeAtUs(frozenNs.getAsLong()).orElse(Long.MIN_VALUE) : Long.MIN_VALUE;
        return acks.stream()
                .filter(ack -> ack.atNs() >= notBeforeNs && ack.uptimeUs() >= uptimeAtFreezeUs)
                .mapToLong(Ack::atNs)
                .min();
    }

    /** What the guest's monotonic clock showed, reckoned from the last tick before; both clocks run equally fast. */
    private OptionalLong uptimeAtUs(long atNs) {
        Tick last = null;
        for (Tick tick : ticks) {
            if (tick.atNs() < atNs) {
                last = tick;
            }
        }
        return last == null ? OptionalLong.empty() : OptionalLong.of(last.uptimeUs() + (atNs - last.atNs()) / 1000);
    }

    /** How many acknowledgements a second were read between the two times. */
    synchronized double ackRate(long fromNs, long toNs) {
        long count = acks.stream()
                .filter(ack -> ack.atNs() >= fromNs && ack.atNs() < toNs)
                .count();
        return count / ((toNs - fromNs) / 1e9);
    }

    /**
     * The longest time between two acknowledged writes, of whichever writers, by the guest's own clock, among those the
     * host read in the span. A frozen guest's clock stands still, so this is what its programs could have noticed.
     */
    synchronized OptionalDouble longestStallMs(long fromNs, long toNs) {
        long[] uptimes = acks.stream()
                .filter(ack -> ack.atNs() >= fromNs && ack.atNs() <= toNs)
                .mapToLong(Ack::uptimeUs)
                .sorted()
                .toArray();
        long longestUs = -1;
        for (int i = 1; i < uptimes.length; i++) {
            longestUs = Math.max(longestUs, uptimes[i] - uptimes[i - 1]);
        }
        return longestUs < 0 ? OptionalDouble.empty() : OptionalDouble.of(longestUs / 1000.0);
    }

    /**
     * The longest time, by the host's clock, in which it read of no acknowledged write: what somebody notices who uses the
     * guest from outside. Both ends of the span count, so that one without any write is its whole length.
     */
    synchronized double longestSilenceMs(long fromNs, long toNs) {
        long longestNs = 0;
        long beforeNs = fromNs;
        for (Ack ack : acks) {
            if (ack.atNs() >= fromNs && ack.atNs() <= toNs) {
                longestNs = Math.max(longestNs, ack.atNs() - beforeNs);
                beforeNs = ack.atNs();
            }
        }
        return Numbers.msBetween(0, Math.max(longestNs, toNs - beforeNs));
    }

    /**
     * The furthest either guest clock leapt from one tick to the next, less the tick itself. Includes what a busy host
     * kept the guest waiting. Empty with fewer than two ticks, between which nothing can leap.
     */
    synchronized OptionalDouble clockJumpMs(long fromNs, long toNs) {
        Tick before = null;
        OptionalDouble furthestMs = OptionalDouble.empty();
        for (Tick tick : ticks) {
            if (tick.atNs() < fromNs || tick.atNs() > toNs) {
                continue;
            }
            if (before != null) {
                long leapUs = Math.max(
                        tick.uptimeUs() - before.uptimeUs(), Math.abs(tick.realtimeUs() - before.realtimeUs()));
                furthestMs = OptionalDouble.of(Math.max(furthestMs.orElse(0), leapUs / 1000.0 - TICK_MS));
            }
            before = tick;
        }
        return furthestMs;
    }

    /**
     * From the first tick to the last: what passed on the host, less what passed in the guest, less what it was stopped. Nothing
     * but the way of two ticks if all is well.
     */
    synchronized OptionalDouble unaccountedMs(List<QemuTrace.Change> changes) {
        if (ticks.size() < 2) {
            return OptionalDouble.empty();
        }
        Tick first = ticks.get(0);
        Tick last = ticks.get(ticks.size() - 1);
        double stoppedMs = 0;
        long stoppedNs = 0;
        for (QemuTrace.Change change : changes) {
            if (change.atNs() > first.atNs() && change.atNs() < last.atNs()) {
                if (!change.running() && stoppedNs == 0) {
                    stoppedNs = change.atNs();
                } else if (change.running() && stoppedNs != 0) {
                    stoppedMs += Numbers.msBetween(stoppedNs, change.atNs());
                    stoppedNs = 0;
                }
            }
        }
        double guestMs = (last.uptimeUs() - first.uptimeUs()) / 1000.0;
        return OptionalDouble.of(Numbers.msBetween(first.atNs(), last.atNs()) - guestMs - stoppedMs);
    }

    /** By how much the guest's time of day fell behind the host's between the two times. */
    synchronized OptionalDouble fellBehindMs(long fromNs, long toNs) {
        List<Tick> span = ticks.stream()
                .filter(tick -> tick.atNs() >= fromNs && tick.atNs() <= toNs)
                .toList();
        if (span.size() < 2) {
            return OptionalDouble.empty();
        }
        Tick first = span.get(0);
        Tick last = span.get(span.size() - 1);
        double guestMs = (last.realtimeUs() - first.realtimeUs()) / 1000.0;
        return OptionalDouble.of(Numbers.msBetween(first.atNs(), last.atNs()) - guestMs);
    }
}
