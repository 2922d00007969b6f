package io.holdfast.scsi;

import io.holdfast.block.BlockBackend;
import io.holdfast.block.Durability;
import io.holdfast.block.Extents;
import io.holdfast.block.IoCallback;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;

/** Does nothing, at once, and allocates nothing. */
final class QuietBackend implements BlockBackend {
    @Override
    public long sizeBytes() {
        return 1 << 20;
    }

    @Override
    public boolean readOnly() {
        return false;
    }

    @Override
    public String describe() {
        return "nothing";
    }

    @Override
    public void read(long offset, IoMemory into, IoLane lane, IoCallback done) {
        done.done(null);
    }

    @Override
    public void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done) {
        done.done(null);
    }

    @Override
    public void flush(IoLane lane, IoCallback done) {
        done.done(null);
    }

    @Override
    public void discard(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        done.done(null);
    }

    @Override
    public void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done) {
        done.done(null);
    }

    @Override
    public void zero(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        done.done(null);
    }

    @Override
    public void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done) {
        done.done(null);
    }

    @Override
    public boolean discards() {
        return true;
    }

    @Override
    public void close() {}
}
