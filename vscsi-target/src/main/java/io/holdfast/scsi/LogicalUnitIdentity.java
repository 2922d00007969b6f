package io.holdfast.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * Who a logical unit is, to initiators. All of it follows from the UUID, so that a logical unit keeps its names when it
 * is exported again, by another server or under another number.
 *
 * @param uuid identifies the logical unit in every system that knows it
 * @param product PRODUCT IDENTIFICATION, printable ASCII, at most 16 characters
 * @param revision PRODUCT REVISION LEVEL, printable ASCII, at most 4 characters
 */
public record LogicalUnitIdentity(UUID uuid, String product, String revision) {
    /** T10 VENDOR IDENTIFICATION. Not registered with T10: it says who made the target, and collides with nobody's. */
    public static final String VENDOR = "HOLDFAST";

    /** DESIGNATOR TYPE of the two names that follow from the UUID alone (SPC-4 §7.8.6). */
    static final int NAA = 0x03;

    static final int UUID_TYPE = 0x0a;

    private static final int PRODUCT_CHARS = 16;
    private static final int REVISION_CHARS = 4;
    private static final String DEFAULT_PRODUCT = "VIRTUAL DISK";
    private static final String DEFAULT_REVISION = "0001";

    // NAA 3h, locally assigned (SPC-4 §7.8.6.6.5): the registered forms (5h, 6h) need an IEEE company identifier, and
    // borrowing somebody's would promise a world-wide uniqueness that is not ours to promise.
    private static final long NAA_LOCALLY_ASSIGNED = 0x3000_0000_0000_0000L;
    private static final long NAA_VALUE = 0x0fff_ffff_ffff_ffffL;

    public LogicalUnitIdentity {
        requirePrintable("product", product, PRODUCT_CHARS);
        requirePrintable("revision", revision, REVISION_CHARS);
    }

    public static LogicalUnitIdentity of(UUID uuid) {
        return new LogicalUnitIdentity(uuid, DEFAULT_PRODUCT, DEFAULT_REVISION);
    }

    /** PRODUCT SERIAL NUMBER (VPD page 80h). */
    public String serial() {
        return uuid.toString();
    }

    /**
     * The NAA identifier, 64 bits of which the lower 60 come from the UUID's lower half: there the fixed variant bits of
     * RFC 9562 are the topmost, so that nothing constant takes room in the 60.
     */
    public long naa() {
        return NAA_LOCALLY_ASSIGNED | (uuid.getLeastSignificantBits() & NAA_VALUE);
    }

    /** True if a designator of VPD page 83h says who this is: those of a length that others can quote. */
    boolean isNamed(int designatorType, byte[] designator) {
        return switch (designatorType) {
            case NAA -> Arrays.equals(designator, naaDesignator());
            case UUID_TYPE -> Arrays.equals(designator, uuidDesignator());
            default -> false;
        };
    }

    byte[] naaDesignator() {
        return ByteBuffer.allocate(Long.BYTES).putLong(naa()).array();
    }

    byte[] uuidDesignator() {
        ByteBuffer designator = ByteBuffer.allocate(18).put((byte) 0x10).put((byte) 0);
        designator.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
        return designator.array();
    }

    byte[] paddedVendor() {
        return padded(VENDOR, 8);
    }

    byte[] paddedProduct() {
        return padded(product, PRODUCT_CHARS);
    }

    byte[] paddedRevision() {
        return padded(revision, REVISION_CHARS);
    }

    private static byte[] padded(String text, int length) {
        return (text + " ".repeat(length - text.length())).getBytes(StandardCharsets.US_ASCII);
    }

    private static void requirePrintable(String what, String text, int maxChars) {
        boolean printable = text.chars().allMatch(c -> c >= 0x20 && c <= 0x7e);
        if (!printable || text.length() > maxChars) {
            throw new IllegalArgumentException(
                    what + " \"" + text + "\" must be at most " + maxChars + " printable ASCII characters");
        }
    }
}
