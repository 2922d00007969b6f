package io.holdfast.management.plane;

import io.holdfast.control.ControlJson;
import io.holdfast.control.ControlJson.Fields;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Lines that tell whether they are whole: eight hexadecimal digits of CRC32C over the JSON object, a space, the object, a
 * line feed.
 */
final class CheckedLines {
    private static final int PREFIX_BYTES = 9;

    private final byte[] bytes;
    private int at;

    CheckedLines(byte[] bytes) {
        this.bytes = bytes;
    }

    static void append(ByteArrayOutputStream to, byte[] json) {
        to.writeBytes(HexFormat.of().toHexDigits(crc(json, 0, json.length)).getBytes(StandardCharsets.US_ASCII));
        to.write(' ');
        to.writeBytes(json);
        to.write('\n');
    }

    private static int crc(byte[] bytes, int offset, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /** Where the next line begins: behind the last whole one. */
    int offset() {
        return at;
    }

    boolean atEnd() {
        return at == bytes.length;
    }

    /** The next line; null if there is no whole one. */
    @Nullable
    Fields next() {
        int end = lineEnd(at);
        if (end < 0) {
            return null;
        }
        Fields fields = whole(at, end);
        if (fields != null) {
            at = end + 1;
        }
        return fields;
    }

    /** Is there a whole line anywhere behind the one that is not? Then it is damage, not a write that was cut off. */
    boolean wholeLineFollows() {
        for (int end = lineEnd(at); end >= 0 && end + 1 < bytes.length; ) {
            int start = end + 1;
            end = lineEnd(start);
            if (end >= 0 && whole(start, end) != null) {
                return true;
            }
        }
        return false;
    }

    private int lineEnd(int from) {
        for (int i = from; i < bytes.length; i++) {
            if (bytes[i] == '\n') {
                return i;
            }
        }
        return -1;
    }

    private @Nullable Fields whole(int start, int end) {
        int json = start + PREFIX_BYTES;
        if (end <= json || bytes[json - 1] != ' ') {
            return null;
        }
        String digits = new String(bytes, start, PREFIX_BYTES - 1, StandardCharsets.US_ASCII);
        try {
            if (HexFormat.fromHexDigits(digits) != crc(bytes, json, end - json)) {
                return null;
            }
            return ControlJson.parse(bytes, json, end - json);
        } catch (IllegalArgumentException | IOException e) {
            return null;
        }
    }
}
