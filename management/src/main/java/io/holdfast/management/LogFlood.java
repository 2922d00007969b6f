package io.holdfast.management;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.LoggerFactory;

/**
 * Keeps strangers from filling the log: what anybody who reaches a port can provoke is written {@link #BURST} times, then
 * once a second with the number of lines left out. Counted for each kind of line, which is its text without the values.
 *
 * <p>Any thread. What concerns VMs and images is never left out.
 */
final class LogFlood extends Filter<ILoggingEvent> {
    /** As many as a restart lets log in at once. */
    static final int BURST = 200;
    /** The packages that speak of peers. */
    private static final String[] OF_PEERS = {"io.holdfast.iscsi.", "io.holdfast.control."};

    private final LongSupplier nanoTime;
    private final Map<String, Kind> kinds = new ConcurrentHashMap<>();

    LogFlood() {
        this(System::nanoTime);
    }

    LogFlood(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    @Override
    public FilterReply decide(ILoggingEvent event) {
        String logger = event.getLoggerName();
        if (!logger.startsWith(OF_PEERS[0]) && !logger.startsWith(OF_PEERS[1])) {
            return FilterReply.NEUTRAL;
        }
        Kind kind = kinds.computeIfAbsent(event.getMessage(), text -> new Kind(nanoTime.getAsLong()));
        long leftOut = kind.count(nanoTime.getAsLong());
        if (leftOut > 0) {
            LoggerFactory.getLogger(LogFlood.class).warn("{} lines like the next were left out", leftOut);
        }
        return leftOut < 0 ? FilterReply.DENY : FilterReply.NEUTRAL;
    }

    /** One kind of line: a bucket that holds BURST lines and gets one more each second. */
    private static final class Kind {
        private static final long REFILL_NANOS = TimeUnit.SECONDS.toNanos(1);

        // Guarded by this.
        private long lines = BURST;
        private long refilledNanos;
        private long leftOut;

        Kind(long nowNanos) {
            refilledNanos = nowNanos;
        }

        /** @return how many were left out before this one, or -1 if this one is */
        synchronized long count(long nowNanos) {
            long refills = (nowNanos - refilledNanos) / REFILL_NANOS;
            lines = Math.min(BURST, lines + refills);
            refilledNanos += refills * REFILL_NANOS;
            if (lines == 0) {
                leftOut++;
                return -1;
            }
            lines--;
            long before = leftOut;
            leftOut = 0;
            return before;
        }
    }
}
