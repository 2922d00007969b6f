package io.holdfast.scsi;

import java.util.HexFormat;

/**
 * The CDB usage data of a command (SPC-4 §6.35.3): which bits an initiator may set. Written as hexadecimal bytes, blanks
 * as the reader likes; the first byte is the operation code, {@code /xx} behind it a service action, which then stands
 * in bits 4 to 0 of byte 1 as well.
 *
 * <p>The text is the truth; the two words of forbidden bits are derived from it, so that the check of a READ is two
 * loads, two ANDs and a branch.
 */
final class CdbUsage {
    static final int NO_SERVICE_ACTION = -1;
    private static final int SERVICE_ACTION_BITS = 0x1f;

    private final int serviceAction;
    private final byte[] usage;
    private final long forbiddenHigh;
    private final long forbiddenLow;

    CdbUsage(String text) {
        String digits = text.replace(" ", "");
        if (digits.charAt(2) == '/') {
            serviceAction = Integer.parseInt(digits.substring(3, 5), 16);
            digits = digits.substring(0, 2) + digits.substring(5);
        } else {
            serviceAction = NO_SERVICE_ACTION;
        }
        usage = HexFormat.of().parseHex(digits);
        // Bytes behind the CDB's end are the transport's padding: whatever they hold means nothing.
        byte[] forbidden = new byte[ScsiTask.CDB_BYTES];
        for (int i = 1; i < usage.length; i++) {
            forbidden[i] = (byte) ~usage[i];
        }
        if (serviceAction != NO_SERVICE_ACTION) {
            forbidden[1] &= (byte) ~SERVICE_ACTION_BITS;
        }
        forbiddenHigh = Cdb.u64(forbidden, 0);
        forbiddenLow = Cdb.u64(forbidden, Long.BYTES);
    }

    int opcode() {
        return Cdb.u8(usage, 0);
    }

    int serviceAction() {
        return serviceAction;
    }

    int length() {
        return usage.length;
    }

    /** What REPORT SUPPORTED OPERATION CODES returns. */
    byte[] bytes() {
        return usage.clone();
    }

    boolean allows(byte[] cdb) {
        return ((Cdb.u64(cdb, 0) & forbiddenHigh) | (Cdb.u64(cdb, Long.BYTES) & forbiddenLow)) == 0;
    }

    /** Where the first bit is that {@link #allows} objects to. */
    Sense complaint(byte[] cdb) {
        long high = Cdb.u64(cdb, 0) & forbiddenHigh;
        long low = Cdb.u64(cdb, Long.BYTES) & forbiddenLow;
        int bit = high != 0 ? Long.numberOfLeadingZeros(high) : Long.SIZE + Long.numberOfLeadingZeros(low);
        return Sense.inCdb(bit / Byte.SIZE, 7 - bit % Byte.SIZE);
    }
}
