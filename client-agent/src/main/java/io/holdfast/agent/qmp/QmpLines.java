package io.holdfast.agent.qmp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/** Cuts a stream into lines. Owned by one reading thread. */
final class QmpLines {
    /** The longest reply asked for, query-named-block-nodes, takes about 1 KiB per node. */
    static final int MAX_LINE_BYTES = 4 * 1024 * 1024;

    private static final int PREVIEW_BYTES = 60;

    private byte[] line = new byte[8 * 1024];
    private int length;

    /** @throws IOException if a line grows over the limit */
    void accept(ByteBuffer bytes, Consumer<byte[]> receiver) throws IOException {
        while (bytes.hasRemaining()) {
            byte b = bytes.get();
            if (b == '\n') {
                if (length > 0 && line[length - 1] == '\r') {
                    length--;
                }
                byte[] whole = Arrays.copyOf(line, length);
                length = 0;
                receiver.accept(whole);
            } else {
                if (length == MAX_LINE_BYTES) {
                    throw new IOException("a line of more than " + MAX_LINE_BYTES + " bytes: " + preview(line, length));
                }
                if (length == line.length) {
                    line = Arrays.copyOf(line, Math.min(MAX_LINE_BYTES, length * 2));
                }
                line[length++] = b;
            }
        }
    }

    /** The unfinished line, for people. */
    String unfinished() {
        return preview(line, length);
    }

    int unfinishedBytes() {
        return length;
    }

    /** The beginning of some bytes in a form that can stand in a message. */
    static String preview(byte[] bytes, int length) {
        StringBuilder out = new StringBuilder("'");
        new String(bytes, 0, Math.min(length, PREVIEW_BYTES), StandardCharsets.UTF_8)
                .codePoints()
                .forEach(c -> out.appendCodePoint(c < 0x20 || c == 0x7f || c == 0xfffd ? '?' : c));
        return out.append(length > PREVIEW_BYTES ? "…'" : "'").toString();
    }
}
