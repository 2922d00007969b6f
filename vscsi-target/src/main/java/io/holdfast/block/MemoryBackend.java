package io.holdfast.block;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Bytes on the heap, gone with the process: for scratch disks and for tests. Sparse, and every operation is done when its
 * method returns. Durable and cached writes are the same.
 */
public final class MemoryBackend implements BlockBackend {
    private static final int CHUNK_BYTES = 64 * 1024;

    private final ConcurrentMap<Long, byte[]> chunks = new ConcurrentHashMap<>();
    private final long sizeBytes;
    private final boolean readOnly;

    /** @param sizeBytes 0 or more; takes no memory until it is written */
    public MemoryBackend(long sizeBytes) {
        this(sizeBytes, false);
    }

    private MemoryBackend(long sizeBytes, boolean readOnly) {
        if (sizeBytes < 0) {
            throw new IllegalArgumentException("size " + sizeBytes + " is negative");
        }
        this.sizeBytes = sizeBytes;
        this.readOnly = readOnly;
    }

    /** All zeroes, for ever. */
    public static MemoryBackend readOnlyZeroes(long sizeBytes) {
        return new MemoryBackend(sizeBytes, true);
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
    public String describe() {
        return String.format(Locale.ROOT, "memory of %d bytes", sizeBytes);
    }

    @Override
    public boolean discards() {
        return !readOnly;
    }

    @Override
    public void read(long offset, IoMemory into, IoLane lane, IoCallback done) {
        if (beyondEnd(offset, into.length())) {
            done.done(BlockErrors.outOfRange("read", offset, into.length(), sizeBytes));
            return;
        }
        ByteBuffer to = into.buffer();
        long at = offset;
        while (to.hasRemaining()) {
            int within = (int) (at % CHUNK_BYTES);
            int n = Math.min(to.remaining(), CHUNK_BYTES - within);
            byte @Nullable [] chunk = chunks.get(at / CHUNK_BYTES);
            to.put(chunk != null ? chunk : Zeroes.CHUNK, within, n);
            at += n;
        }
        done.done(null);
    }

    @Override
    public void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done) {
        BlockError refusal = refusal("write", offset, from.length());
        if (refusal == null) {
            put(offset, from.buffer());
        }
        done.done(refusal);
    }

    @Override
    public int writeNow(long offset, IoMemory from, int lengthBytes, IoLane lane) {
        if (refusal("write", offset, lengthBytes) != null) {
            return 0;
        }
        put(offset, from.buffer().slice(0, lengthBytes));
        return lengthBytes;
    }

    private void put(long offset, ByteBuffer bytes) {
        long at = offset;
        while (bytes.hasRemaining()) {
            int within = (int) (at % CHUNK_BYTES);
            int n = Math.min(bytes.remaining(), CHUNK_BYTES - within);
            byte[] chunk = chunks.computeIfAbsent(at / CHUNK_BYTES, number -> new byte[CHUNK_BYTES]);
            bytes.get(chunk, within, n);
            at += n;
        }
    }

    @Override
    public void flush(IoLane lane, IoCallback done) {
        done.done(null);
    }

    @Override
    public void discard(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        BlockError refusal = refusal("discard", offset, lengthBytes);
        if (refusal == null) {
            forget(offset, offset + lengthBytes);
        }
        done.done(refusal);
    }

    @Override
    public void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done) {
        BlockError refusal = refusal("fill", offset, lengthBytes);
        if (refusal == null) {
            ByteBuffer bytes = pattern.buffer();
            long end = offset + lengthBytes;
            for (long at = offset; at < end; at += pattern.length()) {
                put(at, bytes.slice(0, (int) Math.min(end - at, pattern.length())));
            }
        }
        done.done(refusal);
    }

    @Override
    public void zero(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        discard(offset, lengthBytes, lane, done);
    }

    @Override
    public void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done) {
        if (beyondEnd(offset, lengthBytes)) {
            done.done(BlockErrors.outOfRange("look at", offset, lengthBytes, sizeBytes));
            return;
        }
        long end = offset + lengthBytes;
        long at = offset;
        boolean room = true;
        while (at < end && room) {
            long chunkEnd = Math.min(end, (at / CHUNK_BYTES + 1) * CHUNK_BYTES);
            room = into.add(chunks.containsKey(at / CHUNK_BYTES), chunkEnd - at);
            at = chunkEnd;
        }
        done.done(null);
    }

    private void forget(long start, long end) {
        long firstWhole = -Math.floorDiv(-start, CHUNK_BYTES);
        long endWhole = end / CHUNK_BYTES;
        // Whichever is less work: the chunks in the range, or the chunks there are.
        if (endWhole - firstWhole > chunks.size()) {
            chunks.keySet().removeIf(number -> number >= firstWhole && number < endWhole);
        } else {
            for (long number = firstWhole; number < endWhole; number++) {
                chunks.remove(number);
            }
        }
        zero(start, Math.min(end, firstWhole * CHUNK_BYTES));
        zero(Math.max(start, endWhole * CHUNK_BYTES), end);
    }

    /** Zeroes a range within one chunk; does nothing if it is empty. */
    private void zero(long start, long end) {
        byte @Nullable [] chunk = start < end ? chunks.get(start / CHUNK_BYTES) : null;
        if (chunk != null) {
            int within = (int) (start % CHUNK_BYTES);
            Arrays.fill(chunk, within, within + (int) (end - start), (byte) 0);
        }
    }

    private @Nullable BlockError refusal(String doing, long offset, long lengthBytes) {
        if (readOnly) {
            return BlockErrors.readOnly(describe());
        }
        return beyondEnd(offset, lengthBytes) ? BlockErrors.outOfRange(doing, offset, lengthBytes, sizeBytes) : null;
    }

    private boolean beyondEnd(long offset, long lengthBytes) {
        return offset < 0 || lengthBytes < 0 || offset > sizeBytes - lengthBytes;
    }

    @Override
    public void close() {
        chunks.clear();
    }

    private static final class Zeroes {
        static final byte[] CHUNK = new byte[CHUNK_BYTES];
    }
}
