package io.holdfast.npiv;

import java.util.regex.Pattern;

/** The rules for iSCSI names (RFC 7143 §4.2.7, RFC 3722). */
public final class InitiatorName {
    /** RFC 7143 §4.2.7.2. */
    public static final int MAX_BYTES = 223;

    private static final String WHAT = "an iSCSI qualified name";
    private static final String IQN_PREFIX = "iqn.";
    /** RFC 7143 §4.2.7.4: the date, the reversed domain name, and after a colon whatever its owner likes. */
    private static final Pattern IQN = Pattern.compile(
            "iqn\\.[0-9]{4}-(0[1-9]|1[0-2])\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:.+)?");

    private InitiatorName() {}

    /**
     * The form in which names are compared. RFC 3722 §4 folds case; of what else it does to names beyond ASCII nothing is
     * needed, because no name here has such characters, and a name that has some must not become one that has none.
     */
    public static String normalise(String name) {
        return asciiLowerCase(name);
    }

    /**
     * A name that can be bound to a port name, normalised.
     *
     * @throws NameFormatException with the text, and the place where it goes wrong
     */
    static String checkedIqn(String name) {
        String normal = normalise(name);
        if (!normal.startsWith(IQN_PREFIX)) {
            throw new NameFormatException(
                    WHAT, name, 0, "it must begin with iqn.; naa. and eui. names carry their port name in themselves");
        }
        for (int i = 0; i < normal.length(); i++) {
            if (!isAllowed(normal.charAt(i))) {
                throw new NameFormatException(WHAT, name, i, "only letters, digits, '-', '.' and ':' are allowed");
            }
        }
        if (normal.length() > MAX_BYTES) {
            throw new NameFormatException(WHAT, name, MAX_BYTES, "more than " + MAX_BYTES + " characters");
        }
        if (!IQN.matcher(normal).matches()) {
            throw new NameFormatException(
                    WHAT, name, IQN_PREFIX.length(), "it must be iqn.YYYY-MM.reversed.domain[:text]");
        }
        return normal;
    }

    /** RFC 3722 §6: of ASCII, names hold nothing else. */
    private static boolean isAllowed(char c) {
        return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == ':';
    }

    // Not String.toLowerCase: it makes an ASCII k of the Kelvin sign.
    static String asciiLowerCase(String text) {
        StringBuilder lower = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            lower.append(c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c);
        }
        return lower.toString();
    }
}
