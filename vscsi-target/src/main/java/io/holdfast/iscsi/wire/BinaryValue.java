package io.holdfast.iscsi.wire;

import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;

/** A binary value of a text key (RFC 7143 §6.1): {@code 0x} and hexadecimal digits, or {@code 0b} and base64. */
public final class BinaryValue {
    /** RFC 7143 §12.1.3: a binary value is at most 1024 bytes. */
    private static final int MAX_BYTES = 1024;

    private BinaryValue() {}

    /** @throws WireException if it is not that; what stands in it is not repeated */
    public static byte[] parse(String text) throws WireException {
        String form = text.substring(0, Math.min(2, text.length())).toLowerCase(Locale.ROOT);
        String digits = text.substring(form.length());
        byte[] bytes;
        try {
            bytes = switch (form) {
                case "0x" -> HexFormat.of().parseHex(digits.length() % 2 == 0 ? digits : "0" + digits);
                case "0b" -> Base64.getDecoder().decode(digits);
                default -> throw new WireException("a binary value begins with neither 0x nor 0b");
            };
        } catch (IllegalArgumentException e) {
            throw new WireException("a binary value that is not hexadecimal or base64");
        }
        if (bytes.length == 0 || bytes.length > MAX_BYTES) {
            throw new WireException("a binary value of " + bytes.length + " bytes");
        }
        return bytes;
    }

    public static String print(byte[] bytes) {
        return "0x" + HexFormat.of().formatHex(bytes);
    }
}
