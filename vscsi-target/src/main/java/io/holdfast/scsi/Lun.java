package io.holdfast.scsi;

/**
 * A logical unit number in its 64-bit form on the wire (SAM-5 §4.7).
 *
 * @param value the eight bytes, the first the most significant
 */
public record Lun(long value) implements Comparable<Lun> {

    /** The largest number that flat space addressing can hold. */
    public static final int MAX_NUMBER = 16_383;

    private static final int PERIPHERAL_LIMIT = 256;

    /**
     * The LUN with this number: peripheral device addressing (SAM-5 §4.7.7.2) below 256, flat space addressing above.
     *
     * @throws IllegalArgumentException if the number is not in 0..{@value #MAX_NUMBER}
     */
    public static Lun ofNumber(int number) {
        if (number < 0 || number > MAX_NUMBER) {
            throw new IllegalArgumentException("LUN " + number + " is not in 0.." + MAX_NUMBER);
        }
        long level = number < PERIPHERAL_LIMIT ? number : 0x4000L | number;
        return new Lun(level << 48);
    }

    /**
     * The number this LUN stands for, or -1 if it uses an addressing method with more than one level. Peripheral and
     * flat forms of one number are the same logical unit.
     */
    public int number() {
        if ((value & 0xffff_ffff_ffffL) != 0) {
            return -1;
        }
        int level = (int) (value >>> 48);
        return switch (level >>> 14) {
            case 0 -> (level >>> 8) == 0 ? level : -1;
            case 1 -> level & 0x3fff;
            default -> -1;
        };
    }

    @Override
    public int compareTo(Lun other) {
        return Long.compareUnsigned(value, other.value);
    }

    @Override
    public String toString() {
        int number = number();
        return number >= 0 ? Integer.toString(number) : String.format("0x%016x", value);
    }
}
