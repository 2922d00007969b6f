package io.holdfast.scsi;

import java.util.Arrays;

/**
 * Sense data (SPC-4 §4.5).
 *
 * @param code what happened
 * @param information the INFORMATION field, for most errors an LBA; {@link #NONE} if it says nothing
 * @param fieldPointer the three sense key specific bytes; {@link #NONE} if they say nothing
 * @param segment the COMMAND-SPECIFIC INFORMATION of EXTENDED COPY, the number of a segment; {@link #NONE} for all others
 */
record Sense(SenseCode code, long information, int fieldPointer, int segment) {
    static final int NONE = -1;

    private static final int SKSV = 0x80_0000;
    private static final int IN_CDB = 0x40_0000;
    private static final int BIT_POINTER_VALID = 0x08_0000;

    /** The two layouts; an initiator chooses by D_SENSE of the control mode page. */
    enum Format {
        FIXED,
        DESCRIPTOR
    }

    static Sense of(SenseCode code) {
        return new Sense(code, NONE, NONE, NONE);
    }

    static Sense atLba(SenseCode code, long lba) {
        return new Sense(code, lba, NONE, NONE);
    }

    /** @param offset in the data that was sent, in bytes */
    static Sense atOffset(SenseCode code, long offset) {
        return new Sense(code, offset, NONE, NONE);
    }

    /** A copy that ended at a segment, 0..65535 (SPC-4 §5.16.7.4). */
    static Sense inSegment(SenseCode code, int segment) {
        return new Sense(code, NONE, NONE, segment);
    }

    /** INVALID FIELD IN CDB, pointing at a bit (SPC-4 §4.5.2.4.2). */
    static Sense inCdb(int byteIndex, int bit) {
        int pointer = SKSV | IN_CDB | BIT_POINTER_VALID | (bit << 16) | byteIndex;
        return new Sense(SenseCode.INVALID_FIELD_IN_CDB, NONE, pointer, NONE);
    }

    /** INVALID FIELD IN CDB, pointing at a field. */
    static Sense inCdb(int byteIndex) {
        return new Sense(SenseCode.INVALID_FIELD_IN_CDB, NONE, SKSV | IN_CDB | byteIndex, NONE);
    }

    /** INVALID FIELD IN PARAMETER LIST, pointing at a field. */
    static Sense inParameters(int byteIndex) {
        return new Sense(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST, NONE, SKSV | (byteIndex & 0xffff), NONE);
    }

    /** A progress indication, in 65536ths (SPC-4 §4.5.2.4.4). */
    static Sense inProgress(SenseCode code, int progress) {
        return new Sense(code, NONE, SKSV | progress & 0xffff, NONE);
    }

    /** What sense data that was made by {@link #encode} says. */
    static SenseCode code(byte[] encoded) {
        boolean descriptors = encoded[0] == 0x72;
        int key = encoded[descriptors ? 1 : 2] & 0xf;
        int asc = encoded[descriptors ? 2 : 12] & 0xff;
        int ascq = encoded[descriptors ? 3 : 13] & 0xff;
        return Arrays.stream(SenseCode.values())
                .filter(code -> code.key().code() == key && code.asc() == asc && code.ascq() == ascq)
                .findFirst()
                .orElseThrow();
    }

    /** @return how many bytes of {@code into} have been used */
    int encode(byte[] into, Format format) {
        Arrays.fill(into, (byte) 0);
        return format == Format.FIXED ? encodeFixed(into) : encodeDescriptors(into);
    }

    private int encodeFixed(byte[] into) {
        into[0] = 0x70;
        into[2] = (byte) code.key().code();
        // Four bytes only: an LBA that does not fit is left out (SPC-4 §4.5.3), the code alone is still true.
        if (information >= 0 && information <= 0xffff_ffffL) {
            into[0] |= (byte) 0x80;
            putBytes(into, 3, information, 4);
        }
        into[7] = 10;
        if (segment != NONE) {
            putBytes(into, 8, segment, 4);
        }
        into[12] = (byte) code.asc();
        into[13] = (byte) code.ascq();
        if (fieldPointer != NONE) {
            putBytes(into, 15, fieldPointer, 3);
        }
        return 18;
    }

    private int encodeDescriptors(byte[] into) {
        into[0] = 0x72;
        into[1] = (byte) code.key().code();
        into[2] = (byte) code.asc();
        into[3] = (byte) code.ascq();
        int end = 8;
        if (information != NONE) {
            into[end + 1] = 0x0a;
            into[end + 2] = (byte) 0x80;
            putBytes(into, end + 4, information, 8);
            end += 12;
        }
        if (fieldPointer != NONE) {
            into[end] = 0x02;
            into[end + 1] = 0x06;
            putBytes(into, end + 4, fieldPointer, 3);
            end += 8;
        }
        if (segment != NONE) {
            into[end] = 0x01;
            into[end + 1] = 0x0a;
            putBytes(into, end + 8, segment, 4);
            end += 12;
        }
        into[7] = (byte) (end - 8);
        return end;
    }

    private static void putBytes(byte[] into, int at, long value, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] = (byte) (value >>> (8 * (count - 1 - i)));
        }
    }
}
