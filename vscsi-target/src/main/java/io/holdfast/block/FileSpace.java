package io.holdfast.block;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import io.holdfast.linux.LinuxException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The blocks of an open file in the large: given back, zeroed, filled with a pattern. Asks the file system to do it, and does it
 * by writing where that cannot. For the threads of the pool: every call may wait for the storage.
 */
final class FileSpace {
    /** What is open. */
    enum Kind {
        FILE,
        DEVICE
    }

    /** What becomes of blocks that are discarded: they read as zeroes in either case. */
    enum Discarded {
        IS_GIVEN_BACK,
        /** A file that was pre-allocated keeps them. */
        STAYS
    }

    /** Zeroes are written in pieces of this size where the file system cannot do it. */
    private static final int ZEROES_BYTES = 1 << 20;

    private static final int PUNCH = Linux.FALLOC_FL_PUNCH_HOLE | Linux.FALLOC_FL_KEEP_SIZE;
    private static final int ZERO = Linux.FALLOC_FL_ZERO_RANGE | Linux.FALLOC_FL_KEEP_SIZE;

    private final OpenFile file;
    private final Kind kind;
    private final Discarded discarded;
    // Taken for granted until the native library is there to try it: the file systems that images live on can do it.
    private volatile boolean punchesHoles = true;
    private volatile boolean zeroesRanges = true;

    FileSpace(OpenFile file, Kind kind, Discarded discarded) {
        this.file = file;
        this.kind = kind;
        this.discarded = discarded;
    }

    /**
     * Whether holes can be punched: tried beyond the end, where it changes nothing. A device has no beyond: its first discard
     * will tell.
     *
     * @param fd what will be the file's descriptor
     */
    void tryPunching(int fd, long sizeBytes) {
        punchesHoles = kind == Kind.DEVICE || isKept() || canPunch(fd, sizeBytes);
    }

    /** Whether what is discarded is free for others, as far as is known. */
    boolean isGivenBack() {
        return punchesHoles && !isKept();
    }

    /** Whether the file has all its blocks, and is to have them always. */
    boolean isKept() {
        return discarded == Discarded.STAYS;
    }

    private static boolean canPunch(int fd, long sizeBytes) {
        try {
            Linux.fallocate(fd, PUNCH, sizeBytes, FileOpener.SECTOR_BYTES);
            return true;
        } catch (LinuxException e) {
            return BlockErrors.kindOf(e) != BlockError.Kind.UNSUPPORTED;
        }
    }

    void discard(long offset, long lengthBytes) throws IOException {
        int fd = file.descriptor();
        if (punchesHoles && fd != OpenFile.NO_DESCRIPTOR) {
            try {
                // The kernel zeroes what is left of blocks that the range covers in part (fallocate(2)).
                fallocate(fd, isKept() ? ZERO : PUNCH, offset, lengthBytes);
                return;
            } catch (LinuxException e) {
                punchesHoles = !isUnsupported(e);
            }
        }
        writeZeroes(offset, lengthBytes);
    }

    void zero(long offset, long lengthBytes) throws IOException {
        int fd = file.descriptor();
        if (zeroesRanges && fd != OpenFile.NO_DESCRIPTOR) {
            try {
                // Never beyond the end, so the size stays. A device has no size to keep, and refuses to be told.
                fallocate(fd, Linux.FALLOC_FL_ZERO_RANGE, offset, lengthBytes);
                return;
            } catch (LinuxException e) {
                zeroesRanges = !isUnsupported(e);
            }
        }
        writeZeroes(offset, lengthBytes);
    }

    /** In one piece for writers past the page cache, which may be at the rest of the blocks at its ends. */
    private void fallocate(int fd, int mode, long offset, long lengthBytes) throws LinuxException {
        DirectIo direct = file.direct();
        if (direct == null) {
            Linux.fallocate(fd, mode, offset, lengthBytes);
            return;
        }
        RangeLocks.Held held = direct.hold(offset, lengthBytes);
        try {
            Linux.fallocate(fd, mode, offset, lengthBytes);
        } finally {
            held.release();
        }
    }

    /** @throws LinuxException if it is trouble */
    private boolean isUnsupported(LinuxException e) throws LinuxException {
        boolean unsupported = BlockErrors.kindOf(e) == BlockError.Kind.UNSUPPORTED;
        // A device wants multiples of its own blocks, and gets zeroes for this one range.
        if (!unsupported && !(kind == Kind.DEVICE && e.is(Errno.EINVAL))) {
            throw e;
        }
        return unsupported;
    }

    /** Writes the pattern again and again. */
    void fill(long offset, long lengthBytes, IoMemory pattern) throws IOException {
        ByteBuffer bytes = pattern.buffer().duplicate();
        long end = offset + lengthBytes;
        for (long at = offset; at < end; at += pattern.length()) {
            bytes.clear().limit((int) Math.min(end - at, pattern.length()));
            write(bytes, at);
        }
    }

    private void writeZeroes(long offset, long lengthBytes) throws IOException {
        DirectIo direct = file.direct();
        if (direct != null) {
            direct.writeZeroes(file.descriptor(), offset, lengthBytes);
            return;
        }
        ByteBuffer zeroes = ByteBuffer.allocateDirect((int) Math.min(lengthBytes, ZEROES_BYTES));
        long at = offset;
        long end = offset + lengthBytes;
        while (at < end) {
            zeroes.clear().limit((int) Math.min(end - at, zeroes.capacity()));
            write(zeroes, at);
            at += zeroes.position();
        }
    }

    /** Writes all that is left in {@code bytes}. */
    void write(ByteBuffer bytes, long offset) throws IOException {
        DirectIo direct = file.direct();
        if (direct != null) {
            direct.write(file.descriptor(), offset, bytes);
            return;
        }
        long at = offset;
        while (bytes.hasRemaining()) {
            at += Transferred.written("write", file.channel().write(bytes, at), at);
        }
    }
}
