package io.holdfast.testimages;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Copies disk images without filling their holes. */
final class SparseFiles {
    private static final int CHUNK_BYTES = 64 * 1024;

    private SparseFiles() {}

    /** Copies {@code lengthBytes} from {@code offset} on into a new file; zeroes become holes. */
    static void copy(Path from, long offset, long lengthBytes, Path to) throws IOException {
        try (FileChannel source = FileChannel.open(from, StandardOpenOption.READ);
                FileChannel target = FileChannel.open(to, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
            ByteBuffer zeroes = ByteBuffer.allocateDirect(CHUNK_BYTES);
            long done = 0;
            while (done < lengthBytes) {
                chunk.clear().limit((int) Math.min(CHUNK_BYTES, lengthBytes - done));
                int got = source.read(chunk, offset + done);
                if (got < 0) {
                    throw new IOException(from + " ends at byte " + (offset + done) + ", " + lengthBytes
                            + " bytes from " + offset + " were expected");
                }
                chunk.flip();
                if (chunk.mismatch(zeroes.slice(0, got)) >= 0) {
                    writeAll(target, chunk, done);
                }
                done += got;
            }
            if (target.size() < lengthBytes) {
                // One byte at the very end gives the file its size; the hole before it stays.
                writeAll(target, ByteBuffer.allocate(1), lengthBytes - 1);
            }
        }
    }

    private static void writeAll(FileChannel target, ByteBuffer bytes, long offset) throws IOException {
        long at = offset;
        while (bytes.hasRemaining()) {
            at += target.write(bytes, at);
        }
    }
}
