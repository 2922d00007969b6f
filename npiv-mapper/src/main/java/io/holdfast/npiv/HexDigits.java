package io.holdfast.npiv;

import java.util.Locale;

/**
 * Hexadecimal digits the way people and tools write names: plain ({@code c05076075aac0002}: HMC, VIOS), with a colon
 * after every second ({@code c0:50:76:…}: switches) or every fourth digit ({@code c050:7607:…}).
 */
final class HexDigits {
    private static final int PAIR = 2;
    private static final int QUAD = 4;

    /** Whether digits may stand in groups. */
    enum Grouping {
        NONE,
        COLONS
    }

    private final String what;
    private final String text;
    private final int start;

    /** @param start where the digits begin */
    HexDigits(String what, String text, int start) {
        this.what = what;
        this.text = text;
        this.start = start;
    }

    /**
     * The digits without colons, in lower case.
     *
     * @throws NameFormatException at the first character that does not fit
     */
    String read(int minDigits, int maxDigits, Grouping grouping) {
        StringBuilder digits = new StringBuilder();
        int group = 0;
        int inGroup = 0;
        for (int i = start; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == ':' && grouping == Grouping.COLONS) {
                if (group == 0 ? inGroup != PAIR && inGroup != QUAD : inGroup != group) {
                    throw wrong(i, "colons stand after every second or every fourth digit");
                }
                group = inGroup;
                inGroup = 0;
            } else if (!isDigit(c)) {
                throw wrong(i, "not a hexadecimal digit");
            } else if (digits.length() == maxDigits) {
                throw wrong(i, "more than " + maxDigits + " hexadecimal digits");
            } else if (group != 0 && inGroup == group) {
                throw wrong(i, "a colon is missing");
            } else {
                digits.append(c);
                inGroup++;
            }
        }
        if (digits.length() < minDigits) {
            throw wrong(
                    text.length(),
                    "it ends after " + digits.length() + " hexadecimal digits; " + minDigits + " are needed");
        }
        if (group != 0 && inGroup != group) {
            throw wrong(text.length(), "the last group is too short");
        }
        return digits.toString().toLowerCase(Locale.ROOT);
    }

    NameFormatException wrong(int position, String why) {
        return new NameFormatException(what, text, position, why);
    }

    // Character.digit takes digits of every script: one name must not have two spellings that look alike.
    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F';
    }
}
