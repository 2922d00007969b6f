package io.holdfast.scsi;

import io.holdfast.block.IoMemory;
import org.jspecify.annotations.Nullable;

/** Parameter lists as heap arrays, in which they are parsed: they are short. */
final class ParameterList {
    private ParameterList() {}

    /** The first {@code lengthBytes} of what has been sent, or null if less has been sent. */
    static byte @Nullable [] copy(@Nullable IoMemory sent, int lengthBytes) {
        if (sent == null || sent.length() < lengthBytes) {
            return null;
        }
        byte[] bytes = new byte[lengthBytes];
        sent.buffer().get(0, bytes);
        return bytes;
    }
}
