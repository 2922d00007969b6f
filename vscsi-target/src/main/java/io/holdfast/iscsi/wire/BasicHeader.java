package io.holdfast.iscsi.wire;

import java.util.Arrays;

/**
 * A basic header segment (RFC 7143 §11.2.1): 48 bytes with names. Re-used from PDU to PDU, so that a header costs no
 * garbage; whoever needs a field later copies the field. Not thread-safe.
 *
 * <p>One offset has several names because the RFC gives it several: which of them is meaningful depends on the opcode.
 */
public final class BasicHeader {
    /** Length of a basic header segment in bytes. */
    public static final int BYTES = 48;

    /** A tag that stands for no task and no transfer (RFC 7143 §11.2.1.8, §11.7.4). */
    public static final int NO_TAG = 0xffff_ffff;

    /** The F bit of requests and responses; T, "transit", in login PDUs. */
    public static final int FINAL = 0x80;
    /** The C bit of text and login PDUs: the text goes on in the next one (RFC 7143 §11.10.2). */
    public static final int CONTINUE = 0x40;
    /** R and W bits of a SCSI Command (RFC 7143 §11.3.1). */
    public static final int READ = 0x40;

    public static final int WRITE = 0x20;
    /** Residual bits of a SCSI Response and Data-In (RFC 7143 §11.4.1). */
    public static final int OVERFLOW = 0x04;

    public static final int UNDERFLOW = 0x02;
    /** The S bit of a Data-In: it carries the status (RFC 7143 §11.7.3). */
    public static final int STATUS = 0x01;

    private static final int IMMEDIATE = 0x40;
    private static final int OPCODE_MASK = 0x3f;

    private final byte[] bytes = new byte[BYTES];

    /** All 48 bytes; changes show through. */
    public byte[] bytes() {
        return bytes;
    }

    /** A header that stays as this one is now. */
    public BasicHeader copy() {
        BasicHeader copy = new BasicHeader();
        System.arraycopy(bytes, 0, copy.bytes, 0, BYTES);
        return copy;
    }

    /** Forgets everything and begins a PDU of this opcode with its byte 1. */
    public BasicHeader begin(int opcode, int flags) {
        Arrays.fill(bytes, (byte) 0);
        bytes[0] = (byte) opcode;
        bytes[1] = (byte) flags;
        return this;
    }

    // ------------------------------------------------------------------ every PDU

    public int opcode() {
        return bytes[0] & OPCODE_MASK;
    }

    /** The I bit of a request: it is not ordered by CmdSN (RFC 7143 §11.2.1.1). */
    public boolean immediate() {
        return (bytes[0] & IMMEDIATE) != 0;
    }

    public void immediate(boolean on) {
        bytes[0] = (byte) (on ? bytes[0] | IMMEDIATE : bytes[0] & ~IMMEDIATE);
    }

    /** Byte 1, whose bits depend on the opcode. */
    public int flags() {
        return bytes[1] & 0xff;
    }

    public boolean flag(int mask) {
        return (bytes[1] & mask) != 0;
    }

    /** Length of all additional header segments in bytes, 0..1020 (RFC 7143 §11.2.1.5). */
    public int additionalHeaderBytes() {
        return (bytes[4] & 0xff) * 4;
    }

    /** Length of the data segment without its padding, 0..16777215 (RFC 7143 §11.2.1.6). */
    public int dataSegmentBytes() {
        return (bytes[5] & 0xff) << 16 | (bytes[6] & 0xff) << 8 | bytes[7] & 0xff;
    }

    public BasicHeader dataSegmentBytes(int length) {
        bytes[5] = (byte) (length >>> 16);
        bytes[6] = (byte) (length >>> 8);
        bytes[7] = (byte) length;
        return this;
    }

    public long lun() {
        return getLong(8);
    }

    public BasicHeader lun(long lun) {
        putLong(8, lun);
        return this;
    }

    public int initiatorTaskTag() {
        return getInt(16);
    }

    public BasicHeader initiatorTaskTag(int tag) {
        putInt(16, tag);
        return this;
    }

    // ------------------------------------------------------------------ requests

    public int cmdSn() {
        return getInt(24);
    }

    public BasicHeader cmdSn(int sn) {
        putInt(24, sn);
        return this;
    }

    public int expStatSn() {
        return getInt(28);
    }

    public BasicHeader expStatSn(int sn) {
        putInt(28, sn);
        return this;
    }

    /** SCSI Command: how many bytes the initiator will send or has room for (RFC 7143 §11.3.4), 0..2³²-1. */
    public long expectedDataTransferLength() {
        return getInt(20) & 0xffff_ffffL;
    }

    /** SCSI Command: copies the 16 bytes of the CDB field. */
    public void copyCdb(byte[] cdb) {
        System.arraycopy(bytes, 32, cdb, 0, 16);
    }

    /** SCSI Command: the ATTR field (RFC 7143 §11.3.1), 0..7. */
    public int taskAttribute() {
        return bytes[1] & 0x07;
    }

    /** Task management: function 1..8 (RFC 7143 §11.5.1). */
    public int function() {
        return bytes[1] & 0x7f;
    }

    /** Task management: the tag of the task that is meant (RFC 7143 §11.5.4). */
    public int referencedTaskTag() {
        return getInt(20);
    }

    /** Task management: the CmdSN of the task that is meant (RFC 7143 §11.5.5). */
    public int referencedCmdSn() {
        return getInt(32);
    }

    /** Logout: why, 0..2 (RFC 7143 §11.14.1). */
    public int logoutReason() {
        return bytes[1] & 0x7f;
    }

    /** Login and logout: the connection's identifier. */
    public int connectionId() {
        return getShort(20);
    }

    // ------------------------------------------------------------------ login (RFC 7143 §11.12, §11.13)

    /** Current stage, 0 security, 1 operational, 3 full feature. */
    public int currentStage() {
        return bytes[1] >>> 2 & 3;
    }

    public int nextStage() {
        return bytes[1] & 3;
    }

    /** Login Request: the lowest version the initiator speaks; Login Response: the version in use. */
    public int versionMin() {
        return bytes[3] & 0xff;
    }

    /** The initiator's part of the session identifier, in the low 48 bits. */
    public long isid() {
        return getLong(8) >>> 16;
    }

    /** Target session identifying handle, 0 for a new session. */
    public int tsih() {
        return getShort(14);
    }

    public BasicHeader isidAndTsih(long isid, int tsih) {
        putLong(8, isid << 16 | tsih & 0xffffL);
        return this;
    }

    public BasicHeader loginStatus(int statusClass, int detail) {
        bytes[36] = (byte) statusClass;
        bytes[37] = (byte) detail;
        return this;
    }

    public int loginStatusClass() {
        return bytes[36] & 0xff;
    }

    public int loginStatusDetail() {
        return bytes[37] & 0xff;
    }

    // ------------------------------------------------------------------ transfers

    public int targetTransferTag() {
        return getInt(20);
    }

    public BasicHeader targetTransferTag(int tag) {
        putInt(20, tag);
        return this;
    }

    /** Data-Out and Data-In: number of this PDU in its sequence; R2T: its R2TSN. */
    public int dataSn() {
        return getInt(36);
    }

    public BasicHeader dataSn(int sn) {
        putInt(36, sn);
        return this;
    }

    /** Data-Out, Data-In, R2T: where in the command's data the segment begins, 0..2³²-1. */
    public long bufferOffset() {
        return getInt(40) & 0xffff_ffffL;
    }

    public BasicHeader bufferOffset(long offset) {
        putInt(40, (int) offset);
        return this;
    }

    /** R2T: how many bytes the target asks for (RFC 7143 §11.8.4). */
    public BasicHeader desiredTransferLength(int length) {
        putInt(44, length);
        return this;
    }

    public int desiredTransferLength() {
        return getInt(44);
    }

    // ------------------------------------------------------------------ responses

    public int statSn() {
        return getInt(24);
    }

    public BasicHeader statSn(int sn) {
        putInt(24, sn);
        return this;
    }

    public int expCmdSn() {
        return getInt(28);
    }

    public int maxCmdSn() {
        return getInt(32);
    }

    public BasicHeader window(int expCmdSn, int maxCmdSn) {
        putInt(28, expCmdSn);
        putInt(32, maxCmdSn);
        return this;
    }

    /** Byte 2: iSCSI response, reject reason, task management response, logout response. */
    public BasicHeader response(int code) {
        bytes[2] = (byte) code;
        return this;
    }

    public int response() {
        return bytes[2] & 0xff;
    }

    /** Byte 3 of a SCSI Response or Data-In: the SCSI status. */
    public BasicHeader scsiStatus(int code) {
        bytes[3] = (byte) code;
        return this;
    }

    public int scsiStatus() {
        return bytes[3] & 0xff;
    }

    /** Residual count in bytes (RFC 7143 §11.4.5.1). */
    public BasicHeader residualCount(int count) {
        putInt(44, count);
        return this;
    }

    public int residualCount() {
        return getInt(44);
    }

    /** SCSI Response: number of R2T and Data-In PDUs sent for the command (RFC 7143 §11.4.8). */
    public BasicHeader expDataSn(int sn) {
        putInt(36, sn);
        return this;
    }

    /** Asynchronous Message (RFC 7143 §11.9): event code and its three parameters. */
    public BasicHeader asyncEvent(int event, int parameter1, int parameter2, int parameter3) {
        bytes[36] = (byte) event;
        putShort(38, parameter1);
        putShort(40, parameter2);
        putShort(42, parameter3);
        return this;
    }

    public int asyncEvent() {
        return bytes[36] & 0xff;
    }

    // ------------------------------------------------------------------ raw

    public int getShort(int at) {
        return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
    }

    public void putShort(int at, int value) {
        bytes[at] = (byte) (value >>> 8);
        bytes[at + 1] = (byte) value;
    }

    public int getInt(int at) {
        return (bytes[at] & 0xff) << 24
                | (bytes[at + 1] & 0xff) << 16
                | (bytes[at + 2] & 0xff) << 8
                | bytes[at + 3] & 0xff;
    }

    public void putInt(int at, int value) {
        bytes[at] = (byte) (value >>> 24);
        bytes[at + 1] = (byte) (value >>> 16);
        bytes[at + 2] = (byte) (value >>> 8);
        bytes[at + 3] = (byte) value;
    }

    public long getLong(int at) {
        return (long) getInt(at) << 32 | getInt(at + 4) & 0xffff_ffffL;
    }

    public void putLong(int at, long value) {
        putInt(at, (int) (value >>> 32));
        putInt(at + 4, (int) value);
    }

    @Override
    public String toString() {
        return Opcode.name(opcode()) + String.format(" itt 0x%08x, %d bytes", initiatorTaskTag(), dataSegmentBytes());
    }
}
