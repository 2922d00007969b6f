package io.holdfast.scsi;

import io.holdfast.block.BlockBackend;
import io.holdfast.block.BlockError;
import io.holdfast.block.Durability;
import io.holdfast.block.Extents;
import io.holdfast.block.IoCallback;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Bytes in an array, which remember what was done with them and fail on demand. */
final class TestBackend implements BlockBackend {
    private final byte[] content;
    private final List<String> operations = new ArrayList<>();
    private volatile long sizeBytes;
    private volatile long holeStart = Long.MAX_VALUE;
    private volatile long holeEnd;
    private volatile boolean readOnly;
    private volatile boolean discards = true;
    private volatile @Nullable BlockError failure;

    TestBackend(int sizeBytes) {
        content = new byte[sizeBytes];
        this.sizeBytes = sizeBytes;
    }

    TestBackend protect() {
        readOnly = true;
        return this;
    }

    TestBackend withoutDiscard() {
        discards = false;
        return this;
    }

    void failWith(BlockError.Kind kind) {
        failure = new BlockError(kind, "as the test wants it");
    }

    void failNoMore() {
        failure = null;
    }

    void resize(long newSizeBytes) {
        sizeBytes = newSizeBytes;
    }

    byte[] content() {
        return content;
    }

    byte[] content(int from, int length) {
        return Arrays.copyOfRange(content, from, from + length);
    }

    /** What was done, in order, such as {@code write 512+1024 CACHED}. */
    synchronized List<String> operations() {
        return List.copyOf(operations);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public boolean discards() {
        return discards;
    }

    @Override
    public String describe() {
        return "test memory";
    }

    @Override
    public void read(long offset, IoMemory into, IoLane lane, IoCallback done) {
        record("read " + offset + "+" + into.length());
        if (failure == null) {
            into.buffer().put(0, content, (int) offset, into.length());
        }
        end(lane, done);
    }

    @Override
    public void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done) {
        record("write " + offset + "+" + from.length() + " " + durability);
        if (failure == null) {
            from.buffer().get(0, content, (int) offset, from.length());
        }
        end(lane, done);
    }

    @Override
    public void flush(IoLane lane, IoCallback done) {
        record("flush");
        end(lane, done);
    }

    @Override
    public void discard(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        record("discard " + offset + "+" + lengthBytes);
        if (failure == null) {
            Arrays.fill(content, (int) offset, (int) (offset + lengthBytes), (byte) 0);
        }
        end(lane, done);
    }

    @Override
    public void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done) {
        record("fill " + offset + "+" + lengthBytes);
        for (long at = 0; failure == null && at < lengthBytes; at += pattern.length()) {
            pattern.buffer().get(0, content, (int) (offset + at), (int) Math.min(lengthBytes - at, pattern.length()));
        }
        end(lane, done);
    }

    @Override
    public void zero(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        record("zero " + offset + "+" + lengthBytes);
        if (failure == null) {
            Arrays.fill(content, (int) offset, (int) (offset + lengthBytes), (byte) 0);
        }
        end(lane, done);
    }

    /** From now on these bytes are a hole, and all the others data. */
    void hole(long from, long to) {
        holeStart = from;
        holeEnd = to;
    }

    @Override
    public void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done) {
        record("extents " + offset + "+" + lengthBytes);
        long end = offset + lengthBytes;
        long start = Math.min(end, Math.max(offset, holeStart));
        long behind = Math.min(end, Math.max(start, holeEnd));
        if (into.add(true, start - offset) && into.add(false, behind - start)) {
            into.add(true, end - behind);
        }
        end(lane, done);
    }

    private void end(IoLane lane, IoCallback done) {
        BlockError error = failure;
        ((TestLane) lane).complete(() -> done.done(error));
    }

    private synchronized void record(String operation) {
        operations.add(operation);
    }

    @Override
    public void close() {}
}
