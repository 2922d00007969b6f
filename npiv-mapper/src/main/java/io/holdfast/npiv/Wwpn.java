package io.holdfast.npiv;

import java.util.HexFormat;

/**
 * A worldwide port name: 64 bits that name one port of one client. Compared as an unsigned number.
 *
 * <p>One port name has several spellings and {@link #parse} takes them all; there is no spelling of two port names.
 *
 * @param value the eight bytes, the first the most significant; of a form that {@link Naa} knows
 */
public record Wwpn(long value) implements Comparable<Wwpn> {
    static final int DIGITS = 16;
    static final String NAA_PREFIX = "naa.";
    static final String EUI_PREFIX = "eui.";

    private static final String LINUX_PREFIX = "0x";
    private static final String WHAT = "a worldwide port name";
    private static final int NAA_SHIFT = 60;

    public Wwpn {
        if (Naa.ofDigit((int) (value >>> NAA_SHIFT)).isEmpty()) {
            throw new NameFormatException(WHAT, plain(value), 0, "the first digit must be " + Naa.ALLOWED);
        }
    }

    /**
     * Reads {@code c05076075aac0002} (HMC, VIOS), {@code c0:50:76:07:5a:ac:00:02} (switches),
     * {@code c050:7607:5aac:0002}, {@code 0xc05076075aac0002} (Linux, sysfs) and the iSCSI names
     * {@code naa.c05076075aac0002} and {@code eui.c05076075aac0002} (RFC 7143 §4.2.7.5 and §4.2.7.6), in any case.
     *
     * @throws NameFormatException with the text, and the place where it goes wrong
     */
    public static Wwpn parse(String text) {
        String lower = InitiatorName.asciiLowerCase(text);
        boolean prefixed = lower.startsWith(NAA_PREFIX) || lower.startsWith(EUI_PREFIX);
        int start = prefixed ? NAA_PREFIX.length() : lower.startsWith(LINUX_PREFIX) ? LINUX_PREFIX.length() : 0;
        HexDigits digits = new HexDigits(WHAT, text, start);
        HexDigits.Grouping grouping = start > 0 ? HexDigits.Grouping.NONE : HexDigits.Grouping.COLONS;
        String hex = digits.read(DIGITS, DIGITS, grouping);
        if (Naa.ofDigit(Character.digit(hex.charAt(0), 16)).isEmpty()) {
            throw digits.wrong(start, "the first digit must be " + Naa.ALLOWED);
        }
        return new Wwpn(Long.parseUnsignedLong(hex, 16));
    }

    public Naa naa() {
        return Naa.ofDigit((int) (value >>> NAA_SHIFT)).orElseThrow();
    }

    /** Switches' spelling, {@code c0:50:76:07:5a:ac:00:02}. */
    public String withColons() {
        return toString().replaceAll("(..)(?!$)", "$1:");
    }

    /** {@code c050:7607:5aac:0002}. */
    public String inQuads() {
        return toString().replaceAll("(....)(?!$)", "$1:");
    }

    /** The initiator name, {@code naa.c05076075aac0002} (RFC 7143 §4.2.7.6). */
    public String naaName() {
        return NAA_PREFIX + this;
    }

    /**
     * {@code eui.c05076075aac0002}, for initiators that know no other numbered form (RFC 7143 §4.2.7.5). The digits are
     * the port name's own: it is not turned into the EUI-64 it may have been made of, which only some port names have,
     * and which would make two readings of one text possible.
     */
    public String euiName() {
        return EUI_PREFIX + this;
    }

    /** Sixteen digits in lower case, as HMC prints them. */
    @Override
    public String toString() {
        return plain(value);
    }

    @Override
    public int compareTo(Wwpn other) {
        return Long.compareUnsigned(value, other.value);
    }

    /** Written out, as is {@link #hashCode}: what a record makes of itself is put together at its first use, 30 ms of a start. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Wwpn wwpn && value == wwpn.value;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(value);
    }

    private static String plain(long value) {
        return HexFormat.of().toHexDigits(value);
    }
}
