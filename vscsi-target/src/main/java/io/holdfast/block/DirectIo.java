package io.holdfast.block;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import io.holdfast.linux.LinuxException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Transfers past the page cache (O_DIRECT). The kernel wants offset, length and memory in multiples of the device's blocks;
 * what is not goes through a buffer, and a write of a part of a block reads the rest of it first. So that two such writes to
 * one block, or one beside a whole one, do not undo each other, every write holds the blocks it touches until it is done.
 *
 * <p>On threads of the pool. Thread-safe.
 */
final class DirectIo {
    /** The alignments that devices ask for: most take sectors, some only their physical blocks. */
    private static final int[] ALIGNMENTS = {512, 4096};

    private static final int MAX_ALIGNMENT = 4096;

    /** What is not aligned is moved in pieces of this size. Each thread has one such buffer, from its first need on. */
    private static final int BUFFER_BYTES = 256 * 1024;

    private static final ThreadLocal<Buffer> BUFFERS = ThreadLocal.withInitial(Buffer::new);

    private final int alignment;
    private final RangeLocks locks = new RangeLocks();

    private DirectIo(int alignment) {
        this.alignment = alignment;
    }

    /** Memory that starts at a multiple of every alignment. */
    private static final class Buffer {
        private final ByteBuffer bytes =
                ByteBuffer.allocateDirect(BUFFER_BYTES + MAX_ALIGNMENT).alignedSlice(MAX_ALIGNMENT);
        private final long address = Linux.addressOf(bytes);

        ByteBuffer part(int start, int end) {
            return bytes.duplicate().clear().limit(end).position(start);
        }
    }

    /**
     * Finds out by reading what the device asks for.
     *
     * @param fd opened with O_DIRECT
     * @throws LinuxException if it cannot be read at all
     */
    static DirectIo probe(int fd) throws LinuxException {
        for (int alignment : ALIGNMENTS) {
            Buffer buffer = BUFFERS.get();
            // At an address and offset that are multiples of this alignment and of no larger one.
            long n = Linux.preadv2(fd, buffer.address + alignment, alignment, alignment, 0);
            if (n >= 0) {
                return new DirectIo(alignment);
            }
            if (n != -Errno.EINVAL.number() || alignment == MAX_ALIGNMENT) {
                throw Linux.failure("direct read", n);
            }
        }
        throw new IllegalStateException("no alignment was tried");
    }

    /** What offsets and lengths on the device are multiples of, in bytes. */
    int alignmentBytes() {
        return alignment;
    }

    /** True if the kernel can make this transfer as it is. */
    boolean fits(long offset, IoMemory memory) {
        return ((offset | memory.length() | memory.address()) & alignment - 1) == 0;
    }

    void read(int fd, long offset, IoMemory into) throws IOException {
        int length = into.length();
        if (fits(offset, into)) {
            int done = 0;
            while (done < length) {
                done += readSome(fd, into.address() + done, length - done, offset + done);
            }
            return;
        }
        Buffer buffer = BUFFERS.get();
        ByteBuffer target = into.buffer().duplicate();
        long end = offset + length;
        long at = down(offset);
        while (at < end) {
            int n = readSome(fd, buffer.address, (int) Math.min(BUFFER_BYTES, up(end) - at), at);
            int from = (int) Math.max(offset - at, 0);
            int to = (int) Math.min(end - at, n);
            if (from < to) {
                target.put(buffer.part(from, to));
            }
            at += n;
        }
    }

    /** @param flags as of {@link Linux#pwritev2} */
    void write(int fd, long offset, IoMemory from, int flags) throws IOException {
        RangeLocks.Held held = hold(offset, from.length());
        try {
            if (fits(offset, from)) {
                writeAll(fd, from.address(), from.length(), offset, flags);
            } else {
                writePieces(fd, offset, offset + from.length(), from.buffer().duplicate(), flags);
            }
        } finally {
            held.release();
        }
    }

    /** Writes what remains in a buffer, which may lie anywhere, by way of an aligned one. */
    void write(int fd, long offset, ByteBuffer from) throws IOException {
        RangeLocks.Held held = hold(offset, from.remaining());
        try {
            writePieces(fd, offset, offset + from.remaining(), from, 0);
        } finally {
            held.release();
        }
    }

    /** Writes zeroes, for what cannot be punched. */
    void writeZeroes(int fd, long offset, long lengthBytes) throws IOException {
        RangeLocks.Held held = hold(offset, lengthBytes);
        try {
            ByteBuffer zeroes = ByteBuffer.allocate(BUFFER_BYTES);
            long end = offset + lengthBytes;
            for (long at = offset; at < end; at += BUFFER_BYTES) {
                long pieceEnd = Math.min(at + BUFFER_BYTES, end);
                writePieces(fd, at, pieceEnd, zeroes.clear().limit((int) (pieceEnd - at)), 0);
            }
        } finally {
            held.release();
        }
    }

    /** Keeps writers away from a range, and from the rest of the blocks at its ends. */
    RangeLocks.Held hold(long offset, long lengthBytes) {
        return locks.lock(down(offset), up(offset + lengthBytes));
    }

    private void writePieces(int fd, long offset, long end, ByteBuffer source, int flags) throws IOException {
        Buffer buffer = BUFFERS.get();
        long at = down(offset);
        while (at < end) {
            int n = (int) Math.min(BUFFER_BYTES, up(end) - at);
            int from = (int) Math.max(offset - at, 0);
            int to = (int) Math.min(end - at, n);
            if (from > 0) {
                readBlock(fd, buffer, 0, at);
            }
            if (to < n && (from == 0 || n > alignment)) {
                readBlock(fd, buffer, n - alignment, at + n - alignment);
            }
            int taken = to - from;
            buffer.part(from, to).put(source.duplicate().limit(source.position() + taken));
            source.position(source.position() + taken);
            writeAll(fd, buffer.address, n, at, flags);
            at += n;
        }
    }

    private void readBlock(int fd, Buffer buffer, int start, long offset) throws IOException {
        int done = 0;
        while (done < alignment) {
            done += readSome(fd, buffer.address + start + done, alignment - done, offset + done);
        }
    }

    private int readSome(int fd, long address, int length, long offset) throws IOException {
        long n = Linux.preadv2(fd, address, length, offset, 0);
        int taken = Transferred.read("direct preadv2", n, offset);
        if (taken % alignment != 0) {
            throw new EOFException("the file ends at " + (offset + taken) + ", it has been cut short");
        }
        return taken;
    }

    private static void writeAll(int fd, long address, int length, long offset, int flags) throws IOException {
        int done = 0;
        while (done < length) {
            long at = offset + done;
            long n = Linux.pwritev2(fd, address + done, length - done, at, flags);
            done += Transferred.written("direct pwritev2", n, at);
        }
    }

    private long down(long offset) {
        return offset & -alignment;
    }

    private long up(long offset) {
        return offset + alignment - 1 & -alignment;
    }
}
