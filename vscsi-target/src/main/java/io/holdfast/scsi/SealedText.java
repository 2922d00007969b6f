package io.holdfast.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Lines of text that people can read, with a checksum in the last one: a file that is torn or was edited is not taken for what
 * was written.
 */
final class SealedText {
    private SealedText() {}

    /** Why a text is not believed. */
    static final class DamagedException extends Exception {
        private static final long serialVersionUID = 1L;

        DamagedException(String message) {
            super(message);
        }
    }

    /** @param text whole lines */
    static byte[] seal(String text) {
        return (text + "crc32c " + checksum(text) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /**
     * @param magic the first line
     * @return the lines between the first and the seal
     */
    static List<String> open(String magic, byte[] bytes) throws DamagedException {
        String text = text(bytes);
        if (!text.startsWith(magic + "\n")) {
            throw new DamagedException("it does not begin with '" + magic + "'");
        }
        int last = text.lastIndexOf("\ncrc32c ") + 1;
        if (last == 0 || !text.substring(last).equals("crc32c " + checksum(text.substring(0, last)) + "\n")) {
            throw new DamagedException("its checksum does not match: it is torn, or was changed");
        }
        List<String> lines =
                new ArrayList<>(Arrays.asList(text.substring(0, last).split("\n", -1)));
        lines.remove(lines.size() - 1);
        lines.remove(0);
        return lines;
    }

    private static String checksum(String text) {
        CRC32C crc = new CRC32C();
        crc.update(text.getBytes(StandardCharsets.UTF_8));
        return String.format("%08x", crc.getValue());
    }

    private static String text(byte[] bytes) throws DamagedException {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new DamagedException("it is not text");
        }
    }
}
