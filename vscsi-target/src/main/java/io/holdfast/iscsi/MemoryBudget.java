package io.holdfast.iscsi;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The memory that the data of all connections' commands may take together, from the moment it is set aside until it has
 * been written to the socket. No set of connections can take more. Who finds it used up waits, the longest waiting first;
 * nobody is told an error for it.
 *
 * <p>{@link ConnectionMemory#FLOOR_BYTES} of it belong to each connection there may be, so that small commands go on
 * whatever others do.
 *
 * <p>Thread-safe and without locks: connections take it in grains, so that a command costs no shared write.
 */
final class MemoryBudget {
    /** The least that makes sense: every connection's floor, and several of the largest commands. */
    static final long MIN_BYTES = 128L << 20;
    /** What is taken at once, so that not each command has to. */
    static final int GRAIN_BYTES = 256 << 10;

    private final long sharedBytes;
    private final AtomicLong claimed = new AtomicLong();
    private final ConcurrentLinkedQueue<ConnectionMemory> waiting = new ConcurrentLinkedQueue<>();

    /** @throws IllegalArgumentException below {@link #MIN_BYTES} */
    MemoryBudget(long bytes) {
        if (bytes < MIN_BYTES) {
            throw new IllegalArgumentException(bytes + " bytes of memory; at least " + MIN_BYTES + " are needed");
        }
        sharedBytes = bytes - (long) IscsiServer.MAX_CONNECTIONS * ConnectionMemory.FLOOR_BYTES;
    }

    /** True if somebody waits: what is not needed is to be given back at once. */
    boolean isWanted() {
        return waiting.peek() != null;
    }

    /**
     * Claims memory beyond a connection's floor. If there is none the connection is in the queue afterwards, and
     * {@link ConnectionMemory#retry} is called when its turn has come.
     *
     * @return how much has been claimed: {@code bytes}, up to a grain more, or nothing
     */
    long claim(ConnectionMemory by, long bytes) {
        ConnectionMemory first = waiting.peek();
        if (first == null || first == by) {
            long got = claimNow(bytes);
            if (got > 0) {
                return got;
            }
        }
        if (!by.queued) {
            by.queued = true;
            waiting.add(by);
        }
        // Somebody may have given memory back between the attempt and the queue, and have found nobody to tell.
        return waiting.peek() == by ? claimNow(bytes) : 0;
    }

    private long claimNow(long bytes) {
        long generous = bytes + GRAIN_BYTES;
        if (tryClaim(generous)) {
            return generous;
        }
        return tryClaim(bytes) ? bytes : 0;
    }

    private boolean tryClaim(long bytes) {
        long before = claimed.get();
        while (before + bytes <= sharedBytes) {
            if (claimed.compareAndSet(before, before + bytes)) {
                return true;
            }
            before = claimed.get();
        }
        return false;
    }

    void giveBack(long bytes) {
        claimed.addAndGet(-bytes);
        wakeFirst();
    }

    /** A connection waits no longer: it has what it wanted, cannot use it now, or is gone. */
    void leaveQueue(ConnectionMemory by) {
        if (by.queued) {
            by.queued = false;
            waiting.remove(by);
            wakeFirst();
        }
    }

    private void wakeFirst() {
        @Nullable ConnectionMemory first = waiting.peek();
        if (first != null) {
            first.retry();
        }
    }

    /** For tests: what connections hold beyond their floors. */
    long claimedBytes() {
        return claimed.get();
    }
}
