package io.holdfast.block;

import java.io.IOException;

/**
 * The bytes of one logical unit. Operations are asynchronous: they are started on a lane's thread, never block it, and
 * their callback runs on that thread. Operations in flight at the same time have no order among themselves; a flush
 * covers the writes whose callbacks ran before it was started.
 *
 * <p>Thread-safe: several lanes use one backend at the same time.
 */
public interface BlockBackend extends AutoCloseable {

    /** Size in bytes. May grow or shrink while in use (online resize). */
    long sizeBytes();

    /** True if every write and discard fails with {@link BlockError.Kind#READ_ONLY}. */
    boolean readOnly();

    /** For people: what this is, such as the path of the file. */
    String describe();

    /** Reads {@code into.length()} bytes at {@code offset}. Holes read as zeroes. */
    void read(long offset, IoMemory into, IoLane lane, IoCallback done);

    /** Writes all of {@code from} at {@code offset}. */
    void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done);

    /**
     * Writes here and now what can be written without waiting: into memory. Cached, as by {@link Durability#CACHED}. For data
     * that come in pieces, while they are still in the processor's cache. On the lane's thread.
     *
     * @return how many of the first {@code lengthBytes} bytes of {@code from} have been written. Fewer say nothing of why:
     *     whoever {@linkplain #write writes} the others hears it
     */
    default int writeNow(long offset, IoMemory from, int lengthBytes, IoLane lane) {
        return 0;
    }

    /** Makes every write that has been acknowledged so far durable (fdatasync). */
    void flush(IoLane lane, IoCallback done);

    /**
     * Gives the blocks back to the host; the range reads as zeroes afterwards. A file system without hole punching gets
     * zeroes written or answers {@link BlockError.Kind#UNSUPPORTED}, as {@link #discards()} says.
     */
    void discard(long offset, long lengthBytes, IoLane lane, IoCallback done);

    /**
     * Writes {@code pattern} again and again, to the end of the range and there perhaps only its beginning. Not inline:
     * for much data at once. Cached, as by {@link Durability#CACHED}.
     */
    void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done);

    /** Makes a range read as zeroes and keeps its space, in the quickest way there is. Cached. */
    void zero(long offset, long lengthBytes, IoLane lane, IoCallback done);

    /**
     * Tells what of a range holds data and what is a hole, as far as {@code into} has room. What is not known holds data;
     * so does everything on a block device.
     */
    void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done);

    /** True if {@link #discard} frees space on the host, so that thin provisioning may be announced. */
    boolean discards();

    /** Lets the file go. Operations in flight must have ended. */
    @Override
    void close() throws IOException;
}
