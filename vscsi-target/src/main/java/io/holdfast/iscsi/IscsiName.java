package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * iSCSI names (RFC 7143 §4.2.7). Names are the same if they are so in lower case and normalisation form KC, as RFC 3722
 * prepares them.
 */
final class IscsiName {
    /** RFC 7143 §4.2.7.2. */
    static final int MAX_BYTES = 223;

    private static final Pattern EUI = Pattern.compile("[0-9a-f]{16}");
    private static final Pattern NAA = Pattern.compile("[0-9a-f]{16}|[0-9a-f]{32}");

    private IscsiName() {}

    /**
     * The form in which names are compared. Names of no known type, and iqn. names with characters that RFC 3722 leaves
     * out, are taken, because initiators have them; what would make two initiators look like one, or a log line like two,
     * is not.
     *
     * @throws WireException naming what is wrong with it
     */
    static String normalised(String name) throws WireException {
        String same = folded(name);
        if (same.isEmpty()
                || name.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES
                || same.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            throw new WireException(
                    "'" + TextKeys.printable(name) + "' is no iSCSI name of 1 to " + MAX_BYTES + " bytes");
        }
        if (!same.codePoints().allMatch(IscsiName::isVisible)) {
            throw new WireException("'" + TextKeys.printable(name)
                    + "' is no iSCSI name: it holds a character that cannot" + " be seen");
        }
        if (same.startsWith("eui.") && !EUI.matcher(same.substring(4)).matches()) {
            throw new WireException(
                    "'" + TextKeys.printable(name) + "' is no iSCSI name: eui. takes 16 hexadecimal digits");
        }
        if (same.startsWith("naa.") && !NAA.matcher(same.substring(4)).matches()) {
            throw new WireException(
                    "'" + TextKeys.printable(name) + "' is no iSCSI name: naa. takes 16 or 32 hexadecimal digits");
        }
        return same;
    }

    /** What is ASCII is in every normalisation form, and the tables of the others need not be read for it. */
    private static String folded(String name) {
        if (isAscii(name)) {
            return name.toLowerCase(Locale.ROOT);
        }
        return Normalizer.normalize(
                Normalizer.normalize(name, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT), Normalizer.Form.NFKC);
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    /** True if it begins as the names do that RFC 7143 §4.2.7.2 knows. */
    static boolean hasKnownType(String name) {
        return name.startsWith("iqn.") || name.startsWith("eui.") || name.startsWith("naa.");
    }

    private static boolean isVisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SPACE_SEPARATOR,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> false;
            default -> c != 0xfffd;
        };
    }
}
