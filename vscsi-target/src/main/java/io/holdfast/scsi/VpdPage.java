package io.holdfast.scsi;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The vital product data pages (SPC-4 §7.8, SBC-3 §6.6), ascending, as page 00h lists them. */
enum VpdPage {
    SUPPORTED_PAGES(0x00, VpdPage::supportedPages),
    UNIT_SERIAL_NUMBER(0x80, VpdPage::serialNumber),
    DEVICE_IDENTIFICATION(0x83, VpdPage::identification),
    EXTENDED_INQUIRY(0x86, VpdPage::extendedInquiry),
    THIRD_PARTY_COPY(0x8f, VpdPage::thirdPartyCopy),
    BLOCK_LIMITS(0xb0, VpdPage::blockLimits),
    BLOCK_DEVICE_CHARACTERISTICS(0xb1, VpdPage::characteristics),
    LOGICAL_BLOCK_PROVISIONING(0xb2, VpdPage::provisioning);

    @FunctionalInterface
    private interface Writer {
        void write(ByteBuffer page, LogicalUnit unit, Nexus nexus);
    }

    private static final int HEADER_BYTES = 4;
    private static final int FIXED_PAGE_BYTES = 64;
    private static final int MAX_PAGE_BYTES = 1024;

    private final int code;

    @SuppressWarnings("ImmutableEnumChecker") // a method reference
    private final Writer writer;

    VpdPage(int code, Writer writer) {
        this.code = code;
        this.writer = writer;
    }

    int code() {
        return code;
    }

    static @Nullable VpdPage withCode(int code) {
        for (VpdPage page : values()) {
            if (page.code == code) {
                return page;
            }
        }
        return null;
    }

    byte[] content(LogicalUnit unit, Nexus nexus) {
        ByteBuffer page = ByteBuffer.allocate(MAX_PAGE_BYTES);
        page.position(HEADER_BYTES);
        writer.write(page, unit, nexus);
        page.put(1, (byte) code).putShort(2, (short) (page.position() - HEADER_BYTES));
        return Arrays.copyOf(page.array(), page.position());
    }

    private static void supportedPages(ByteBuffer page, LogicalUnit unit, Nexus nexus) {
        for (VpdPage supported : values()) {
            page.put((byte) supported.code);
        }
    }

    private static void serialNumber(ByteBuffer page, LogicalUnit unit, Nexus nexus) {
        page.put(unit.identity().serial().getBytes(StandardCharsets.US_ASCII));
    }

    // ---- 83h

    private static final int CODE_SET_BINARY = 1;
    private static final int CODE_SET_ASCII = 2;
    private static final int CODE_SET_UTF8 = 3;

    private static final int T10_VENDOR_ID = 0x01;
    // Association 1: the target port, without a protocol identifier (PIV=0), which only the transport knows.
    private static final int PORT_RELATIVE = 0x14;
    private static final int PORT_GROUP = 0x15;
    private static final int PORT_NAME = 0x18;

    private static void identification(ByteBuffer page, LogicalUnit unit, Nexus nexus) {
        LogicalUnitIdentity identity = unit.identity();
        designator(page, CODE_SET_BINARY, LogicalUnitIdentity.NAA, Long.BYTES);
        page.put(identity.naaDesignator());

        byte[] serial = identity.serial().getBytes(StandardCharsets.US_ASCII);
        designator(page, CODE_SET_ASCII, T10_VENDOR_ID, 8 + serial.length);
        page.put(identity.paddedVendor()).put(serial);

        byte[] uuid = identity.uuidDesignator();
        designator(page, CODE_SET_BINARY, LogicalUnitIdentity.UUID_TYPE, uuid.length);
        page.put(uuid);

        designator(page, CODE_SET_BINARY, PORT_RELATIVE, 4);
        page.putShort((short) 0).putShort((short) nexus.relativeTargetPort());

        designator(page, CODE_SET_BINARY, PORT_GROUP, 4);
        page.putShort((short) 0).putShort((short) nexus.relativeTargetPort());

        byte[] port = nexus.targetPort().getBytes(StandardCharsets.UTF_8);
        // SCSI name strings end with a null and fill words of four bytes (SPC-4 §7.8.6.11).
        byte[] name = Arrays.copyOf(port, (port.length + 4) & ~3);
        designator(page, CODE_SET_UTF8, PORT_NAME, name.length);
        page.put(name);
    }

    private static void designator(ByteBuffer page, int codeSet, int type, int length) {
        page.put((byte) codeSet).put((byte) type).put((byte) 0).put((byte) length);
    }

    // ---- 8Fh (SPC-4 §7.8.17)

    private static final short SUPPORTED_COMMANDS = 0x0001;
    private static final short PARAMETER_DATA = 0x0004;
    private static final short SUPPORTED_DESCRIPTORS = 0x0008;
    private static final short GENERAL_COPY_OPERATIONS = (short) 0x8001;

    private static void thirdPartyCopy(ByteBuffer page, LogicalUnit unit, Nexus nexus) {
        int start = copyDescriptor(page, SUPPORTED_COMMANDS);
        page.put((byte) 0);
        putServiceActions(page, ScsiCommand.EXTENDED_COPY_LID1);
        putServiceActions(
                page,
                ScsiCommand.RECEIVE_COPY_STATUS_LID1,
                ScsiCommand.RECEIVE_COPY_OPERATING_PARAMETERS,
                ScsiCommand.RECEIVE_COPY_FAILURE_DETAILS_LID1);
        page.put(start, (byte) (page.position() - start - 1));
        endCopyDescriptor(page, start);

        start = copyDescriptor(page, PARAMETER_DATA);
        page.putInt(0).putShort((short) Limits.MAX_COPY_TARGETS).putShort((short) Limits.MAX_COPY_SEGMENTS);
        page.putInt(CopyList.MAX_DESCRIPTOR_BYTES).position(start + 28);
        endCopyDescriptor(page, start);

        start = copyDescriptor(page, SUPPORTED_DESCRIPTORS);
        page.put((byte) 2).put((byte) CopyList.BLOCK_TO_BLOCK).put((byte) CopyList.IDENTIFICATION);
        endCopyDescriptor(page, start);

        start = copyDescriptor(page, GENERAL_COPY_OPERATIONS);
        page.putInt(Limits.MAX_COPIES).putInt(Limits.MAX_COPIES).putInt(CopyCommands.MAX_SEGMENT_BYTES);
        page.put((byte) unit.blockShift()).position(start + 32);
        endCopyDescriptor(page, start);
    }

    private static int copyDescriptor(ByteBuffer page, short type) {
        page.putShort(type).putShort((short) 0);
        return page.position();
    }

    /** Lengths are multiples of four. */
    private static void endCopyDescriptor(ByteBuffer page, int start) {
        page.position(start + (page.position() - start + 3 & ~3));
        page.putShort(start - Short.BYTES, (short) (page.position() - start));
    }

    private static void putServiceActions(ByteBuffer page, ScsiCommand... commands) {
        page.put((byte) commands[0].usage().opcode()).put((byte) commands.length);
        for (ScsiCommand command : commands) {
            page.put((byte) command.usage().serviceAction());
        }
    }

    // ---- 86h, B0h, B1h, B2h: a fixed length each

    private static void extendedInquiry(ByteBuffer page, LogicalUnit unit, Nexus nexus) {
        page.put(5, (byte) 0x01); // SIMPSUP: simple tasks
        page.put(6, (byte) 0x01); // V_SUP: a volatile cache
        page.position(FIXED_PAGE_BYTES);
    }

    private static void blockLimits(ByteBuffer page, LogicalUnit unit, Nexus nexus) {
        int shift = unit.blockShift();
        int physicalBlocks = 1 << unit.blocksPerPhysicalExponent();
        // WSNZ=0: WRITE SAME takes 0 for "to the end", if that is not beyond its maximum.
        page.put(5, (byte) Limits.MAX_COMPARE_BLOCKS);
        page.putShort(6, (short) physicalBlocks);
        page.putInt(8, Limits.MAX_TRANSFER_BYTES >> shift);
        page.putInt(12, Limits.OPTIMAL_TRANSFER_BYTES >> shift);
        page.putInt(16, Limits.MAX_TRANSFER_BYTES >> shift);
        if (unit.thin()) {
            page.putInt(20, Limits.MAX_UNMAP_BLOCKS);
            page.putInt(24, Limits.MAX_UNMAP_DESCRIPTORS);
            page.putInt(28, physicalBlocks);
            page.putInt(32, 0x8000_0000); // UGAVALID, alignment 0
        }
        page.putLong(36, Limits.MAX_WRITE_SAME_BYTES >> shift);
        // Atomic writes: one physical block at its place (SBC-4 §4.29, §6.6.4).
        page.putInt(44, physicalBlocks).putInt(48, physicalBlocks).putInt(52, physicalBlocks);
        page.position(FIXED_PAGE_BYTES);
    }

    private static void characteristics(ByteBuffer page, LogicalUnit unit, Nexus nexus) {
        // Non-rotating: what the file lies on is not known, and guests then do not reorder what the host reorders
        // again.
        page.putShort(4, (short) 0x0001);
        if (unit.supports(ScsiCommand.SANITIZE_BLOCK_ERASE)) {
            // WABEREQ: what has been erased can be read, without having been written before.
            page.put(7, (byte) 0x40);
        }
        page.position(FIXED_PAGE_BYTES);
    }

    private static void provisioning(ByteBuffer page, LogicalUnit unit, Nexus nexus) {
        if (unit.thin()) {
            page.put(5, (byte) 0xe4); // LBPU, LBPWS, LBPWS10, LBPRZ
            page.put(6, (byte) 0x02); // thin
        }
        page.position(8);
    }
}
