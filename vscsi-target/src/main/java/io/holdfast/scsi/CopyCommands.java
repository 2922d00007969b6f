package io.holdfast.scsi;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * EXTENDED COPY (LID1) and the RECEIVE COPY commands that belong to it (SPC-4 §5.16, §6.4, §6.24 to §6.27): the server
 * copies between its own logical units, and the data need not go to the initiator and back.
 */
final class CopyCommands {
    private static final int OPERATING_PARAMETERS_BYTES = 44;
    private static final int FAILURE_DETAILS_BYTES = 60;

    /** A list identifier may be left out (SNLID). */
    private static final byte SNLID = 0x01;

    /** TRANSFER COUNT in units of 2^10 bytes (SPC-4 table 304). */
    private static final byte COUNT_IN_KIB = 0x01;

    /** MAXIMUM SEGMENT LENGTH: what a descriptor can say of the largest blocks. */
    static final int MAX_SEGMENT_BYTES = 0xffff * 4096;

    private CopyCommands() {}

    static void extendedCopy(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        long length = Cdb.u32(task.cdb(), 10);
        task.dataOutWanted(length);
        if (length == 0) {
            execution.good();
            return;
        }
        byte @Nullable [] list = length > CopyList.HEADER_BYTES + CopyList.MAX_DESCRIPTOR_BYTES
                ? null
                : ParameterList.copy(task.dataOut(), (int) length);
        if (list == null || length < CopyList.HEADER_BYTES) {
            execution.fail(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            return;
        }
        CopyList.Parsed parsed = CopyList.parse(list);
        CopyList copy = parsed.list();
        if (copy == null) {
            execution.fail(parsed.complaint());
            return;
        }
        CopyRecords.Entry record = new CopyRecords.Entry();
        switch (unit.copyRecords().begin(task.nexus(), copy.listId(), record)) {
            case BEGUN -> new CopyOperation(unit, task, copy, record).begin();
            case IDENTIFIER_IN_USE -> execution.fail(SenseCode.OPERATION_IN_PROGRESS);
            case TOO_MANY -> execution.answer(ScsiStatus.TASK_SET_FULL);
        }
    }

    static void copyStatus(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        CopyRecords.Entry record = find(unit, task);
        if (record == null) {
            task.execution().fail(Sense.inCdb(2));
            return;
        }
        ByteBuffer answer = ByteBuffer.allocate(12);
        answer.putInt(8).put((byte) record.state().code()).putShort((short) record.segments());
        answer.put(COUNT_IN_KIB).putInt((int) (record.bytes() >> 10));
        task.execution().reply(answer.array(), Cdb.u32(task.cdb(), 10));
    }

    static void failureDetails(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        CopyRecords.Entry record = find(unit, task);
        if (record == null) {
            task.execution().fail(Sense.inCdb(2));
            return;
        }
        byte[] sense = record.sense();
        // Nothing to tell: AVAILABLE DATA is zero.
        ByteBuffer answer = ByteBuffer.allocate(sense.length == 0 ? 4 : FAILURE_DETAILS_BYTES + sense.length);
        if (sense.length > 0) {
            answer.putInt(answer.capacity() - 4);
            answer.put(56, (byte) ScsiStatus.CHECK_CONDITION.code()).putShort(58, (short) sense.length);
            answer.put(FAILURE_DETAILS_BYTES, sense);
        }
        task.execution().reply(answer.array(), Cdb.u32(task.cdb(), 10));
    }

    private static CopyRecords.@Nullable Entry find(LogicalUnit unit, ScsiTask task) {
        return unit.copyRecords().find(task.nexus(), Cdb.u8(task.cdb(), 2));
    }

    static void operatingParameters(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        ByteBuffer answer = ByteBuffer.allocate(OPERATING_PARAMETERS_BYTES + 2);
        answer.putInt(answer.capacity() - 4).put(SNLID);
        answer.putShort(8, (short) Limits.MAX_COPY_TARGETS).putShort(10, (short) Limits.MAX_COPY_SEGMENTS);
        answer.putInt(12, CopyList.MAX_DESCRIPTOR_BYTES).putInt(16, MAX_SEGMENT_BYTES);
        // Neither inline nor held data, and no stream devices.
        answer.putShort(34, (short) Limits.MAX_COPIES).put(36, (byte) Limits.MAX_COPIES);
        answer.put(37, (byte) Integer.numberOfTrailingZeros(unit.blockBytes()));
        answer.put(43, (byte) 2).put(44, (byte) CopyList.BLOCK_TO_BLOCK).put(45, (byte) CopyList.IDENTIFICATION);
        task.execution().reply(answer.array(), Cdb.u32(task.cdb(), 10));
    }
}
