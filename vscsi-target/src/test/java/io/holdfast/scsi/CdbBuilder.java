package io.holdfast.scsi;

import java.nio.ByteBuffer;

/** Writes CDBs as an initiator does: fields by name, at the place that the length of the CDB gives them. */
final class CdbBuilder {
    private final ScsiCommand command;
    private final byte[] bytes;

    private CdbBuilder(ScsiCommand command) {
        this.command = command;
        bytes = new byte[command.cdbLength()];
        CdbUsage usage = command.usage();
        bytes[0] = (byte) usage.opcode();
        if (usage.serviceAction() != CdbUsage.NO_SERVICE_ACTION) {
            bytes[1] = (byte) usage.serviceAction();
        }
    }

    static CdbBuilder cdb(ScsiCommand command) {
        return new CdbBuilder(command);
    }

    /** A command on blocks. */
    static byte[] blocks(ScsiCommand command, long lba, long count) {
        return cdb(command).lba(lba).count(count).bytes();
    }

    CdbBuilder lba(long lba) {
        switch (bytes.length) {
            case 6 -> {
                bytes[1] |= (byte) (lba >>> 16 & 0x1f);
                bytes[2] = (byte) (lba >>> 8);
                bytes[3] = (byte) lba;
            }
            case 16 -> ByteBuffer.wrap(bytes).putLong(2, lba);
            default -> ByteBuffer.wrap(bytes).putInt(2, (int) lba);
        }
        return this;
    }

    CdbBuilder count(long blocks) {
        switch (bytes.length) {
            case 6 -> bytes[4] = (byte) blocks;
            case 10 -> ByteBuffer.wrap(bytes).putShort(7, (short) blocks);
            case 12 -> ByteBuffer.wrap(bytes).putInt(6, (int) blocks);
            default -> ByteBuffer.wrap(bytes).putInt(10, (int) blocks);
        }
        return this;
    }

    CdbBuilder set(int index, int bits) {
        bytes[index] |= (byte) bits;
        return this;
    }

    CdbBuilder fua() {
        return set(1, 0x08);
    }

    /** ALLOCATION LENGTH or PARAMETER LIST LENGTH. */
    CdbBuilder length(int lengthBytes) {
        switch (command) {
            case REQUEST_SENSE, MODE_SENSE_6, MODE_SELECT_6 -> bytes[4] = (byte) lengthBytes;
            case INQUIRY -> ByteBuffer.wrap(bytes).putShort(3, (short) lengthBytes);
            case PERSISTENT_RESERVE_IN_READ_KEYS,
                    PERSISTENT_RESERVE_IN_READ_RESERVATION,
                    PERSISTENT_RESERVE_IN_REPORT_CAPABILITIES,
                    PERSISTENT_RESERVE_IN_READ_FULL_STATUS,
                    MODE_SENSE_10,
                    MODE_SELECT_10,
                    READ_DEFECT_DATA_10,
                    UNMAP -> ByteBuffer.wrap(bytes).putShort(7, (short) lengthBytes);
            case READ_CAPACITY_16,
                    EXTENDED_COPY_LID1,
                    RECEIVE_COPY_STATUS_LID1,
                    RECEIVE_COPY_OPERATING_PARAMETERS,
                    RECEIVE_COPY_FAILURE_DETAILS_LID1 -> ByteBuffer.wrap(bytes).putInt(10, lengthBytes);
            default -> ByteBuffer.wrap(bytes).putInt(command.usage().opcode() == 0x5f ? 5 : 6, lengthBytes);
        }
        return this;
    }

    byte[] bytes() {
        return bytes.clone();
    }
}
