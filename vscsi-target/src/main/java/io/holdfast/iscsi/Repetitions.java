package io.holdfast.iscsi;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Keeps what somebody does again and again from being told each time: once, and then once a minute with the number of times
 * since. Told apart by its text. Of more kinds than {@value #MAX_KINDS} within a minute all further ones are one kind, so that
 * whoever makes up new ones is not told of more often.
 *
 * <p>Any thread.
 */
final class Repetitions {
    static final int MAX_KINDS = 256;
    static final int WINDOW_SECONDS = 60;
    /** It is one of the times that are only counted. */
    static final int COUNTED = -1;

    private static final String ANY_OTHER = "";

    // Guarded by this.
    private final Map<String, Kind> kinds = new HashMap<>();

    private static final class Kind {
        long toldNanos;
        int counted;
    }

    /** @return {@link #COUNTED}, or how many times have been counted since it was told last */
    synchronized int count(String what, long nowNanos) {
        Kind kind = kinds.get(what);
        if (kind == null && kinds.size() >= MAX_KINDS) {
            kinds.values().removeIf(old -> over(old, nowNanos));
        }
        if (kind == null) {
            String name = kinds.size() < MAX_KINDS ? what : ANY_OTHER;
            kind = kinds.get(name);
            if (kind == null) {
                kind = new Kind();
                kind.toldNanos = nowNanos;
                kinds.put(name, kind);
                return 0;
            }
        }
        if (!over(kind, nowNanos)) {
            kind.counted++;
            return COUNTED;
        }
        int before = kind.counted;
        kind.toldNanos = nowNanos;
        kind.counted = 0;
        return before;
    }

    private static boolean over(Kind kind, long nowNanos) {
        return nowNanos - kind.toldNanos >= TimeUnit.SECONDS.toNanos(WINDOW_SECONDS);
    }
}
