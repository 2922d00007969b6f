package io.holdfast.block;

import io.holdfast.linux.Linux;
import java.io.EOFException;
import java.io.IOException;

/**
 * What the kernel says of a transfer: how many bytes of it there were, or that there will be no more. A signal's interruption
 * (EINTR) is no answer: {@link Linux} repeats the call.
 */
final class Transferred {
    private Transferred() {}

    /**
     * @param n what a read of at least one byte at {@code at} returned: bytes, 0 or -1 at the end, or a negative errno
     * @throws IOException if there is nothing more to be read, in words
     */
    static int read(String call, long n, long at) throws IOException {
        // FileChannel's -1 is the end; the kernel's would be EPERM, which no read of an open file returns.
        if (n == 0 || n == -1) {
            throw new EOFException("the file ends at " + at + ", it has been cut short");
        }
        return taken(call, n);
    }

    /**
     * @param n what a write of at least one byte at {@code at} returned: bytes or a negative errno
     * @throws IOException if it failed, or if not a byte was taken: repeated, it might go on for ever
     */
    static int written(String call, long n, long at) throws IOException {
        if (n == 0) {
            throw new EOFException(call + " takes not a byte at " + at);
        }
        return taken(call, n);
    }

    private static int taken(String call, long n) throws IOException {
        if (n < 0) {
            throw Linux.failure(call, n);
        }
        return (int) n;
    }
}
