package io.holdfast.block;

/**
 * Decides whether a buffered write is done on the lane's own thread. It usually only copies into the page cache, which is
 * cheaper than a visit to the pool, but nothing promises that: the kernel makes writers wait when too much is dirty
 * (balance_dirty_pages), and a write of part of a page that is not cached reads the rest of it first. So writes stay inline
 * while they are quick; a slow one sends all of the file's writes to the pool for a while.
 *
 * <p>One per file, shared by all lanes. The races are harmless: a few writes more go one way or the other.
 */
public final class InlineWrites {
    /** A write that takes longer has waited for something: copying {@link #MAX_INLINE_BYTES} takes a tenth of it. */
    static final long SLOW_NS = 2_000_000;

    /** How long writes go to the pool after a slow one. Throttling by the kernel lasts in the order of 200 ms a time. */
    static final long PAUSE_NS = 1_000_000_000;

    /** Longer writes always go to the pool: the copy alone would hold up the other connections of the loop. */
    static final int MAX_INLINE_BYTES = 256 * 1024;

    private volatile boolean paused;
    private volatile long pausedUntilNs;

    /** @param nowNs {@link System#nanoTime()} */
    boolean allows(int lengthBytes, long nowNs) {
        if (lengthBytes > MAX_INLINE_BYTES) {
            return false;
        }
        if (!paused) {
            return true;
        }
        if (nowNs - pausedUntilNs < 0) {
            return false;
        }
        paused = false;
        return true;
    }

    /** Reports an inline write. Both times are of {@link System#nanoTime()}. */
    void took(long startNs, long endNs) {
        if (endNs - startNs > SLOW_NS) {
            pausedUntilNs = endNs + PAUSE_NS;
            paused = true;
        }
    }
}
