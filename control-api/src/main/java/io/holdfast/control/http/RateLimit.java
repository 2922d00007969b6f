package io.holdfast.control.http;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * So many a second, for each key; who was quiet may do more at once. Of keys the latest {@value #MAX_KEYS} are known.
 *
 * <p>Thread-safe: guarded by itself.
 */
final class RateLimit {
    private static final int MAX_KEYS = 10_000;
    private static final double NANOS_PER_SECOND = 1e9;

    private final double perSecond;
    private final double burst;
    private final Map<String, Bucket> buckets = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Bucket> eldest) {
            return size() > MAX_KEYS;
        }
    };

    private static final class Bucket {
        private double left;
        private long filledNs;

        private Bucket(double left, long filledNs) {
            this.left = left;
            this.filledNs = filledNs;
        }
    }

    RateLimit(double perSecond, double burst) {
        this.perSecond = perSecond;
        this.burst = burst;
    }

    /** Takes one; false if there is none. */
    boolean take(String key, long nowNs) {
        return look(key, nowNs, 1);
    }

    /** Is there one? */
    boolean has(String key, long nowNs) {
        return look(key, nowNs, 0);
    }

    private synchronized boolean look(String key, long nowNs, int taking) {
        Bucket bucket = buckets.computeIfAbsent(key, k -> new Bucket(burst, nowNs));
        bucket.left = Math.min(burst, bucket.left + (nowNs - bucket.filledNs) / NANOS_PER_SECOND * perSecond);
        bucket.filledNs = nowNs;
        boolean there = bucket.left >= 1;
        if (there) {
            bucket.left -= taking;
        }
        return there;
    }
}
