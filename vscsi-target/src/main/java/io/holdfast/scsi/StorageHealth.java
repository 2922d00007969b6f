package io.holdfast.scsi;

import io.holdfast.block.BlockError;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the log says about a backend's failures: the first one at once, and from then on one line per interval with the
 * number of those in between. One bad block under load would otherwise write thousands of lines a second.
 *
 * <p>Thread-safe: counts under its own lock; the hot path reads one volatile.
 */
final class StorageHealth {
    /** Between two lines about failures, and from the last failure until the storage is said to work again. */
    static final long INTERVAL_NS = 10_000_000_000L;

    private static final Logger LOG = LoggerFactory.getLogger(StorageHealth.class);

    private final String backend;
    private final LongSupplier clockNs;

    private volatile boolean troubled;
    private long lastFailureNs;
    private long lastLineNs;
    private long unsaid;

    /** @param clockNs a monotonic clock such as {@link System#nanoTime} */
    StorageHealth(String backend, LongSupplier clockNs) {
        this.backend = backend;
        this.clockNs = clockNs;
    }

    /** @return true if a line has been written */
    synchronized boolean failed(BlockError failure) {
        long now = clockNs.getAsLong();
        lastFailureNs = now;
        if (troubled && now - lastLineNs < INTERVAL_NS) {
            unsaid++;
            return false;
        }
        LOG.error(
                "{} fails: {} ({}; {} more since the last line). Initiators get errors until it answers again.",
                backend,
                failure.detail(),
                failure.kind(),
                unsaid);
        troubled = true;
        lastLineNs = now;
        unsaid = 0;
        return true;
    }

    void succeeded() {
        if (troubled) {
            perhapsRecovered();
        }
    }

    private synchronized void perhapsRecovered() {
        if (troubled && clockNs.getAsLong() - lastFailureNs >= INTERVAL_NS) {
            LOG.info(
                    "{} answers again; its last failure was {} s ago.",
                    backend,
                    (clockNs.getAsLong() - lastFailureNs) / 1_000_000_000L);
            troubled = false;
            unsaid = 0;
        }
    }

    boolean troubled() {
        return troubled;
    }
}
