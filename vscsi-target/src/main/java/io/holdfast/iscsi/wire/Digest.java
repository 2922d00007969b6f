package io.holdfast.iscsi.wire;

import io.netty.buffer.ByteBuf;
import java.util.zip.CRC32C;

/** Whether headers or data carry a CRC-32C (RFC 7143 §13.1). */
public enum Digest {
    NONE,
    CRC32C;

    /** Length on the wire. */
    public int bytes() {
        return this == NONE ? 0 : Integer.BYTES;
    }

    /** The value of the login key. */
    public String keyValue() {
        return this == NONE ? "None" : "CRC32C";
    }

    /**
     * The CRC-32C of {@code length} bytes at {@code index}, padded with zeroes to a multiple of four, as it stands on the
     * wire when written with {@link ByteBuf#writeIntLE}.
     */
    public static int crc32c(ByteBuf buffer, int index, int length) {
        CRC32C crc = new CRC32C();
        update(crc, buffer, index, length);
        return finish(crc, length);
    }

    /** The CRC-32C of {@code length} bytes that have been put into it, with their padding. */
    static int finish(CRC32C crc, int length) {
        for (int pad = Padding.of(length); pad > 0; pad--) {
            crc.update(0);
        }
        return (int) crc.getValue();
    }

    static void update(CRC32C crc, ByteBuf buffer, int index, int length) {
        if (length > 0) {
            // The buffer's own view, not a new one: it is used here and now, by the thread that owns the buffer.
            crc.update(buffer.internalNioBuffer(index, length));
        }
    }
}
