package io.holdfast.iscsi;

import io.holdfast.block.BlockBackend;
import io.holdfast.block.BlockError;
import io.holdfast.block.Durability;
import io.holdfast.block.Extents;
import io.holdfast.block.IoCallback;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import io.holdfast.block.MemoryBackend;
import java.util.ArrayList;
import java.util.List;

/** A disk in memory that takes data at once, notes how it is written, and may be full from some place on. */
final class NotingDisk implements BlockBackend {
    private final MemoryBackend behind;
    private final List<String> writes = new ArrayList<>();
    private long fullFrom = Long.MAX_VALUE;

    NotingDisk(long sizeBytes) {
        behind = new MemoryBackend(sizeBytes);
    }

    /** {@code now 4096+8192} for what was written at once, {@code write 4096+8192}, {@code flush}. */
    List<String> writes() {
        return List.copyOf(writes);
    }

    void fullFrom(long offset) {
        fullFrom = offset;
    }

    @Override
    public int writeNow(long offset, IoMemory from, int lengthBytes, IoLane lane) {
        int room = (int) Math.max(0, Math.min(lengthBytes, fullFrom - offset));
        if (room > 0) {
            writes.add("now " + offset + "+" + room);
        }
        return room == 0 ? 0 : behind.writeNow(offset, from, room, lane);
    }

    @Override
    public void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done) {
        if (offset + from.length() > fullFrom) {
            done.done(new BlockError(BlockError.Kind.NO_SPACE, "full, as the test wants it"));
            return;
        }
        writes.add((durability == Durability.DURABLE ? "durable write " : "write ") + offset + "+" + from.length());
        behind.write(offset, from, durability, lane, done);
    }

    @Override
    public void flush(IoLane lane, IoCallback done) {
        writes.add("flush");
        behind.flush(lane, done);
    }

    @Override
    public void read(long offset, IoMemory into, IoLane lane, IoCallback done) {
        behind.read(offset, into, lane, done);
    }

    @Override
    public void discard(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        behind.discard(offset, lengthBytes, lane, done);
    }

    @Override
    public void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done) {
        behind.fill(offset, lengthBytes, pattern, lane, done);
    }

    @Override
    public void zero(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        behind.zero(offset, lengthBytes, lane, done);
    }

    @Override
    public void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done) {
        behind.extents(offset, lengthBytes, into, lane, done);
    }

    @Override
    public long sizeBytes() {
        return behind.sizeBytes();
    }

    @Override
    public boolean readOnly() {
        return behind.readOnly();
    }

    @Override
    public boolean discards() {
        return behind.discards();
    }

    @Override
    public String describe() {
        return behind.describe();
    }

    @Override
    public void close() {
        behind.close();
    }
}
