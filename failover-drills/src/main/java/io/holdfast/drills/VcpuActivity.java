package io.holdfast.drills;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * When the guest's vCPU threads used CPU time, from samples of how long they were busy. A guest that is not stopped runs at least
 * every {@value #TICK_MS} ms, because its reporter ticks that often; a much longer pause means that its vCPUs stand still.
 *
 * <p>Thread-safe: one thread samples, another asks.
 */
final class VcpuActivity {
    /** The guest reporter's timer (test-images). */
    static final int TICK_MS = 20;

    /** Several ticks, because a busy host delays them; far below the shortest outage. */
    static final long STANDSTILL_NS = 10L * TICK_MS * 1_000_000;

    /**
     * What a stopped vCPU's thread may use from one sample to the next without having run the guest: QEMU kicks it, it
     * finds that it is stopped, and sleeps again. A guest's tick takes several times as much.
     */
    static final long KICK_NS = 50_000;

    private record Span(long fromNs, long toNs) {}

    private final List<Span> pauses = new ArrayList<>();
    private boolean sampled;
    private long lastRunNs;
    private long lastSampleNs;
    private long busyNs;

    /**
     * @param atNs {@link System#nanoTime()} just before the counters were read
     * @param busyNs CPU time of all vCPU threads since their start, and what they waited for it
     */
    synchronized void sample(long atNs, long busyNs) {
        if (!sampled || busyNs - this.busyNs > KICK_NS) {
            if (sampled && lastSampleNs - lastRunNs >= STANDSTILL_NS) {
                pauses.add(new Span(lastRunNs, lastSampleNs));
            }
            lastRunNs = atNs;
        }
        sampled = true;
        this.busyNs = busyNs;
        lastSampleNs = atNs;
    }

    /**
     * The sample after which the vCPUs ran no more for at least {@link #STANDSTILL_NS}: the first such one not earlier
     * than a tick before {@code faultNs} (an idle guest's last run may be that old). The true stop is between this
     * sample and at most one tick later, since an idle vCPU shows nothing when it is stopped.
     */
    synchronized OptionalLong stoodStillSince(long faultNs) {
        long earliestNs = faultNs - TICK_MS * 1_000_000L;
        for (Span pause : pauses) {
            if (pause.fromNs() >= earliestNs) {
                return OptionalLong.of(pause.fromNs());
            }
        }
        boolean stillPaused = sampled && lastSampleNs - lastRunNs >= STANDSTILL_NS;
        return stillPaused && lastRunNs >= earliestNs ? OptionalLong.of(lastRunNs) : OptionalLong.empty();
    }

    /** True if the latest samples show a standstill. */
    synchronized boolean standsStill() {
        return sampled && lastSampleNs - lastRunNs >= STANDSTILL_NS;
    }
}
