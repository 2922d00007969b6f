package io.holdfast.npiv;

import java.util.HexFormat;
import java.util.UUID;

/**
 * The digits that all port names of a pool begin with.
 *
 * @param digits {@value #MIN_DIGITS} to {@value #MAX_DIGITS} hexadecimal digits; the constructor takes colons and capitals
 *     as in a port name, and drops them
 */
public record WwpnPrefix(String digits) implements Comparable<WwpnPrefix> {
    public static final int MIN_DIGITS = 4;
    public static final int MAX_DIGITS = 15;
    /** What a machine's prefix has on IBM Power: 32,768 pairs. */
    public static final int USUAL_DIGITS = 12;

    private static final String WHAT = "a prefix of worldwide port names";
    private static final int BITS_PER_DIGIT = 4;

    /** @throws NameFormatException with the text, and the place where it goes wrong */
    public WwpnPrefix {
        HexDigits hex = new HexDigits(WHAT, digits, 0);
        digits = hex.read(MIN_DIGITS, MAX_DIGITS, HexDigits.Grouping.COLONS);
        if (Naa.ofDigit(Character.digit(digits.charAt(0), 16)).isEmpty()) {
            throw hex.wrong(0, "the first digit must be " + Naa.ALLOWED);
        }
    }

    /**
     * A prefix of the locally assigned form for those who have none of their own, made of the cluster's identity: 44 bits
     * of it, so that two clusters that meet one day do not have the same.
     */
    public static WwpnPrefix locallyAssigned(UUID cluster) {
        String low = HexFormat.of().toHexDigits(cluster.getLeastSignificantBits());
        return new WwpnPrefix("3" + low.substring(low.length() - (USUAL_DIGITS - 1)));
    }

    /** How many pairs of names begin with it. */
    public long pairs() {
        return 1L << (BITS_PER_DIGIT * (Wwpn.DIGITS - digits.length()) - 1);
    }

    /** @param index 0 up to, not including, {@link #pairs()} */
    WwpnPair pair(long index) {
        long base = Long.parseUnsignedLong(digits + "0".repeat(Wwpn.DIGITS - digits.length()), 16);
        return new WwpnPair(new Wwpn(base + 2 * index), new Wwpn(base + 2 * index + 1));
    }

    /** Is there a name that begins with both? */
    public boolean overlaps(WwpnPrefix other) {
        return digits.startsWith(other.digits) || other.digits.startsWith(digits);
    }

    public boolean covers(Wwpn name) {
        return name.toString().startsWith(digits);
    }

    /** Which pair this covered name is of. */
    long indexOf(Wwpn name) {
        return Long.parseUnsignedLong(name.toString().substring(digits.length()), 16) / 2;
    }

    @Override
    public int compareTo(WwpnPrefix other) {
        return digits.compareTo(other.digits);
    }

    @Override
    public String toString() {
        return digits;
    }
}
