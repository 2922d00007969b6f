package io.holdfast.iscsi;

import java.util.concurrent.Executor;

/**
 * One connection's part of the {@link MemoryBudget}: what the data of its commands take, received, executing or not yet
 * written to the socket. Owned by the connection's event loop.
 */
final class ConnectionMemory {
    /** What one connection may take at most; its further commands wait for its own. */
    static final long LIMIT_BYTES = 64L << 20;
    /** What every connection has, however much the others take. */
    static final int FLOOR_BYTES = 32 << 10;

    private final MemoryBudget budget;
    private final Executor loop;
    private final Runnable onTurn;
    private long usedBytes;
    private long claimedBytes;
    /** In the budget's queue. Belongs to it, on the connection's event loop. */
    boolean queued;

    /** @param onTurn runs on the loop when memory that was missing may be there */
    ConnectionMemory(MemoryBudget budget, Executor loop, Runnable onTurn) {
        this.budget = budget;
        this.loop = loop;
        this.onTurn = onTurn;
    }

    /** Takes memory; false if it is not there now. */
    boolean take(long bytes) {
        long after = usedBytes + bytes;
        if (after > LIMIT_BYTES && usedBytes > 0) {
            return false;
        }
        long missing = after - FLOOR_BYTES - claimedBytes;
        if (missing > 0) {
            long got = budget.claim(this, missing);
            if (got == 0) {
                return false;
            }
            claimedBytes += got;
        }
        usedBytes = after;
        return true;
    }

    /** Gives back what was taken. */
    void give(long bytes) {
        usedBytes -= bytes;
        long spare = claimedBytes - Math.max(0, usedBytes - FLOOR_BYTES);
        if (spare > 0 && (usedBytes == 0 || spare > 2 * MemoryBudget.GRAIN_BYTES || budget.isWanted())) {
            claimedBytes -= spare;
            budget.giveBack(spare);
        }
    }

    /** Nothing waits here any more, or it cannot go on whatever memory there is. */
    void waitNoLonger() {
        budget.leaveQueue(this);
    }

    /** It is this connection's turn. On any thread. */
    void retry() {
        loop.execute(onTurn);
    }

    long usedBytes() {
        return usedBytes;
    }
}
