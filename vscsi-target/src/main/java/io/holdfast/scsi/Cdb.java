package io.holdfast.scsi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Reads the fields of a command descriptor block. All numbers are big-endian (SPC-4 §3.5). */
final class Cdb {
    private static final VarHandle U16 = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle U32 = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle U64 = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private static final int READ_6_MEANS_256 = 256;

    private Cdb() {}

    static int u8(byte[] bytes, int at) {
        return bytes[at] & 0xff;
    }

    static int u16(byte[] bytes, int at) {
        return (short) U16.get(bytes, at) & 0xffff;
    }

    static long u32(byte[] bytes, int at) {
        return (int) U32.get(bytes, at) & 0xffff_ffffL;
    }

    /** The bits of an unsigned number: negative if it is 2^63 or more. */
    static long u64(byte[] bytes, int at) {
        return (long) U64.get(bytes, at);
    }

    /** LOGICAL BLOCK ADDRESS of a block command of this length; negative if it is 2^63 or more. */
    static long lba(byte[] cdb, int cdbLength) {
        return switch (cdbLength) {
            case 6 -> u32(cdb, 0) & 0x1f_ffffL;
            case 16 -> u64(cdb, 2);
            default -> u32(cdb, 2);
        };
    }

    /** TRANSFER LENGTH (or VERIFICATION, PREFETCH LENGTH, NUMBER OF LOGICAL BLOCKS) of a block command, in blocks. */
    static long lengthBlocks(byte[] cdb, int cdbLength) {
        return switch (cdbLength) {
            case 6 -> cdb[4] == 0 ? READ_6_MEANS_256 : u8(cdb, 4);
            case 10 -> u16(cdb, 7);
            case 12 -> u32(cdb, 6);
            default -> u32(cdb, 10);
        };
    }

    /** Where {@link #lengthBlocks} is, for sense data that points at it. */
    static int lengthField(int cdbLength) {
        return switch (cdbLength) {
            case 6 -> 4;
            case 10 -> 7;
            case 12 -> 6;
            default -> 10;
        };
    }
}
