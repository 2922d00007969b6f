package io.holdfast.block;

/**
 * Decides whether a buffered write is done on the lane's own thread. It usually only copies into the page cache, which is
 * cheaper than a visit to the pool, but nothing promises that: the kernel makes writers wait when too much is dirty
 * (balance_dirty_pages), and a write of part of a page that is not cached reads the rest of it first. So writes stay inline
 * while they are quick; when they wait, all of the file's writes go to the pool for a while.
 *
 * <p>Slow alone is not enough. On a busy host a thread loses its processor in the middle of a write, and the pool would make
 * that worse: at six times as many busy threads as processors, one write of 4 KiB in 2,000 took more than 2 ms on tmpfs,
 * where there is nothing to wait for. What tells the two apart is whether the thread gave its processor up itself; as asking
 * costs a fifth of a short write, it is asked only after a slow one.
 *
 * <pre>
 *             slow                   slow, and waited
 *   TRUSTED ────────► WATCHED ──────────────────────► PAUSED (writes go to the pool)
 *      ▲   WATCH_NS over │  ▲                            │
 *      └─────────────────┘  └──────── PAUSE_NS over ─────┘
 * </pre>
 *
 * <p>One per file, shared by all lanes. The races are harmless: a few writes more go one way or the other.
 */
public final class InlineWrites {
    /** A write that takes longer has waited or was interrupted: copying {@link #MAX_INLINE_BYTES} takes 0.1 ms. */
    static final long SLOW_NS = 2_000_000;

    /** How long writes go to the pool after one that waited. The kernel makes a writer pause for up to 200 ms a time. */
    static final long PAUSE_NS = 1_000_000_000;

    /** How long writes are watched after a slow one, or after a pause. */
    static final long WATCH_NS = 1_000_000_000;

    /** Longer writes always go to the pool: the copy alone would hold up the other connections of the loop. */
    static final int MAX_INLINE_BYTES = 256 * 1024;

    private volatile State state = new State(Mode.TRUSTED, 0);

    private enum Mode {
        TRUSTED,
        WATCHED,
        PAUSED
    }

    private record State(Mode mode, long untilNs) {
        boolean isOver(long nowNs) {
            return mode != Mode.TRUSTED && nowNs - untilNs >= 0;
        }
    }

    /** @param nowNs {@link System#nanoTime()} */
    boolean allows(int lengthBytes, long nowNs) {
        return lengthBytes <= MAX_INLINE_BYTES && at(nowNs).mode != Mode.PAUSED;
    }

    /** True if the caller is to find out whether a slow write waited. */
    boolean watching(long nowNs) {
        return at(nowNs).mode == Mode.WATCHED;
    }

    private State at(long nowNs) {
        State now = state;
        if (!now.isOver(nowNs)) {
            return now;
        }
        State next = now.mode == Mode.PAUSED ? new State(Mode.WATCHED, nowNs + WATCH_NS) : new State(Mode.TRUSTED, 0);
        state = next;
        return next;
    }

    static boolean isSlow(long startNs, long endNs) {
        return endNs - startNs > SLOW_NS;
    }

    /** Reports an inline write that was slow for a reason that is not known. */
    void slow(long endNs) {
        // A pause that another lane has found reason for goes on.
        if (at(endNs).mode == Mode.TRUSTED) {
            state = new State(Mode.WATCHED, endNs + WATCH_NS);
        }
    }

    /** Reports an inline write that was slow because it waited. */
    void waited(long endNs) {
        state = new State(Mode.PAUSED, endNs + PAUSE_NS);
    }
}
