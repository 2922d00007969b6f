package io.holdfast.net;

/** Lengths of time as people read them, in log lines and messages. */
public final class Spans {
    private static final long TENTH_MS = 100;
    private static final long SECOND_MS = 1_000;
    private static final long MINUTE_MS = 60 * SECOND_MS;
    private static final long HOUR_MS = 60 * MINUTE_MS;
    private static final long DAY_MS = 24 * HOUR_MS;
    /** From here on a fraction of a second says nothing. */
    private static final long FRACTION_UNTIL_MS = 10 * SECOND_MS;

    private Spans() {}

    /**
     * In the unit that suits it: {@code 340 ms}, {@code 2.4 s}, {@code 61 s}, {@code 5 min 3 s}, {@code 2 h 7 min},
     * {@code 3 d 4 h}. Whole seconds have no fraction: a limit of 2000 ms is {@code 2 s}.
     */
    public static String print(long ms) {
        if (ms < 0) {
            return "-" + print(-ms);
        }
        if (ms < SECOND_MS) {
            return ms + " ms";
        }
        if (ms < FRACTION_UNTIL_MS && ms % SECOND_MS != 0) {
            // Not by String.format(), whose first use takes 10 ms: a VM that is led back to its server may wait for
            // this line.
            long tenths = (ms + TENTH_MS / 2) / TENTH_MS;
            return tenths / 10 + "." + tenths % 10 + " s";
        }
        if (ms < 2 * MINUTE_MS) {
            return ms / SECOND_MS + " s";
        }
        if (ms < HOUR_MS) {
            return two(ms, MINUTE_MS, "min", SECOND_MS, "s");
        }
        return ms < DAY_MS ? two(ms, HOUR_MS, "h", MINUTE_MS, "min") : two(ms, DAY_MS, "d", HOUR_MS, "h");
    }

    private static String two(long ms, long largeMs, String large, long smallMs, String small) {
        long rest = ms % largeMs / smallMs;
        return ms / largeMs + " " + large + (rest == 0 ? "" : " " + rest + " " + small);
    }
}
