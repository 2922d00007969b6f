package io.holdfast.iscsi.wire;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The {@code key=value} pairs of login and text PDUs (RFC 7143 §6.1), in order.
 *
 * @param pairs unmodifiable, in the order of the wire
 */
public record TextKeys(Map<String, String> pairs) {
    /** RFC 7143 §6.1: a key name is at most 63 bytes. */
    public static final int MAX_KEY_BYTES = 63;
    /** RFC 7143 §6.1: a value is at most 255 bytes unless its key says otherwise; large binary values may take 8 KiB. */
    public static final int MAX_VALUE_BYTES = 8192;
    /** How many pairs one negotiation step may carry: several times what the RFC defines. */
    public static final int MAX_PAIRS = 128;

    public TextKeys {
        pairs = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(pairs));
    }

    /**
     * Parses the text of one negotiation step, continuation already joined.
     *
     * @throws WireException if a pair has no {@code =}, a key is repeated, empty or too long, or there are too many
     */
    public static TextKeys parse(byte[] text, int length) throws WireException {
        Map<String, String> pairs = new LinkedHashMap<>();
        int at = 0;
        while (at < length) {
            int end = at;
            while (end < length && text[end] != 0) {
                end++;
            }
            if (end > at) {
                addPair(pairs, new String(text, at, end - at, StandardCharsets.UTF_8));
            }
            at = end + 1;
        }
        return new TextKeys(pairs);
    }

    private static void addPair(Map<String, String> pairs, String pair) throws WireException {
        int equals = pair.indexOf('=');
        if (equals <= 0 || equals > MAX_KEY_BYTES) {
            throw new WireException(
                    "text '" + printable(pair) + "' is not key=value with a key of 1 to " + MAX_KEY_BYTES + " bytes");
        }
        String key = pair.substring(0, equals);
        if (!key.chars().allMatch(TextKeys::mayStandInKey)) {
            throw new WireException(
                    "text key '" + printable(key) + "' has other characters than letters, digits and . - + @ _");
        }
        String value = pair.substring(equals + 1);
        if (value.length() > MAX_VALUE_BYTES) {
            throw new WireException("the value of " + printable(key) + " has " + value.length()
                    + " bytes; the limit is " + MAX_VALUE_BYTES);
        }
        if (pairs.size() >= MAX_PAIRS) {
            throw new WireException("more than " + MAX_PAIRS + " text keys in one step");
        }
        // RFC 7143 §6.3: offering a key twice in one negotiation is a protocol error.
        if (pairs.put(key, value) != null) {
            throw new WireException("text key " + printable(key) + " is repeated");
        }
    }

    /** RFC 7143 §6.1, standard-label. */
    private static boolean mayStandInKey(int c) {
        return c < 0x80 && (Character.isLetterOrDigit(c) || ".-+@_".indexOf(c) >= 0);
    }

    /** Shortens and cleans text from the network so that it can stand in a message. */
    public static String printable(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().limit(80).forEach(c -> out.appendCodePoint(c < 0x20 || c == 0x7f || c == 0xfffd ? '?' : c));
        return out.length() < text.length() ? out + "…" : out.toString();
    }

    /** The pairs as bytes, each ended by a zero byte. */
    public byte[] encode() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        pairs.forEach((key, value) -> {
            out.writeBytes((key + '=' + value).getBytes(StandardCharsets.UTF_8));
            out.write(0);
        });
        return out.toByteArray();
    }
}
