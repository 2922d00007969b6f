package io.holdfast.block;

import java.io.IOException;

/**
 * A backend in front of another. What a filter does to operations is said in one place, {@link #pass}; everything else goes
 * through.
 */
abstract class BackendFilter implements BlockBackend {
    private final BlockBackend behind;

    BackendFilter(BlockBackend behind) {
        this.behind = behind;
    }

    /** Runs the operation, now, later or never; if never, tells the callback why. On the lane's thread. */
    abstract void pass(BlockOperation operation, IoLane lane, Runnable action, IoCallback done);

    /** True if such an operation would run now, as if there were no filter: what cannot wait is done then, or not at all. */
    abstract boolean passesNow(BlockOperation operation);

    @Override
    public int writeNow(long offset, IoMemory from, int lengthBytes, IoLane lane) {
        return passesNow(BlockOperation.WRITE) ? behind.writeNow(offset, from, lengthBytes, lane) : 0;
    }

    @Override
    public void read(long offset, IoMemory into, IoLane lane, IoCallback done) {
        pass(BlockOperation.READ, lane, () -> behind.read(offset, into, lane, done), done);
    }

    @Override
    public void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done) {
        pass(BlockOperation.WRITE, lane, () -> behind.write(offset, from, durability, lane, done), done);
    }

    @Override
    public void flush(IoLane lane, IoCallback done) {
        pass(BlockOperation.FLUSH, lane, () -> behind.flush(lane, done), done);
    }

    @Override
    public void discard(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        pass(BlockOperation.DISCARD, lane, () -> behind.discard(offset, lengthBytes, lane, done), done);
    }

    @Override
    public void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done) {
        pass(BlockOperation.WRITE, lane, () -> behind.fill(offset, lengthBytes, pattern, lane, done), done);
    }

    @Override
    public void zero(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        pass(BlockOperation.WRITE, lane, () -> behind.zero(offset, lengthBytes, lane, done), done);
    }

    @Override
    public void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done) {
        pass(BlockOperation.READ, lane, () -> behind.extents(offset, lengthBytes, into, lane, done), done);
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
    public String describe() {
        return behind.describe();
    }

    @Override
    public boolean discards() {
        return behind.discards();
    }

    @Override
    public void close() throws IOException {
        behind.close();
    }
}
