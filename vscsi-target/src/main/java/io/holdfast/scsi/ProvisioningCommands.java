package io.holdfast.scsi;

import io.holdfast.block.Durability;
import io.holdfast.block.IoMemory;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** GET LBA STATUS, UNMAP and WRITE SAME (SBC-3 §5.4, §5.28, §5.42, §5.44). Unmapped blocks read as zeroes (LBPRZ=1). */
final class ProvisioningCommands {
    private static final int UNMAP_HEADER_BYTES = 8;
    private static final int UNMAP_DESCRIPTOR_BYTES = 16;

    private static final int STATUS_HEADER_BYTES = 8;
    private static final int STATUS_DESCRIPTOR_BYTES = 16;

    private static final int UNMAP = 0x08;
    private static final int NO_DATA_OUT = 0x01;

    private static final Execution.Step UNMAP_NEXT = ProvisioningCommands::unmapNext;
    private static final Execution.Step DISCARD = ProvisioningCommands::discard;
    private static final Execution.Step WRITE_NEXT = ProvisioningCommands::writeNext;
    private static final Execution.Step SETTLE = ProvisioningCommands::settle;

    private ProvisioningCommands() {}

    /**
     * GET LBA STATUS (SBC-3 §5.4). One descriptor: from the LBA on everything is "mapped, or its state is unknown", which is
     * true of any block. QEMU asks before its reads of thin disks; where it is told so once, it does not ask again.
     */
    static void getLbaStatus(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        long lba = Cdb.u64(cdb, 2);
        long capacity = unit.blocks();
        if (lba < 0 || lba >= capacity) {
            task.execution().fail(Sense.atLba(SenseCode.LBA_OUT_OF_RANGE, lba));
            return;
        }
        ByteBuffer answer = ByteBuffer.allocate(STATUS_HEADER_BYTES + STATUS_DESCRIPTOR_BYTES);
        answer.putInt(answer.capacity() - Integer.BYTES).putInt(0);
        answer.putLong(lba).putInt((int) Math.min(capacity - lba, 0xffff_ffffL));
        task.execution().reply(answer.array(), Cdb.u32(cdb, 10));
    }

    static void unmap(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        int listLength = Cdb.u16(task.cdb(), 7);
        task.dataOutWanted(listLength);
        if (listLength == 0) {
            execution.good();
            return;
        }
        byte[] list = ParameterList.copy(task.dataOut(), listLength);
        if (list == null || list.length < UNMAP_HEADER_BYTES) {
            execution.fail(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            return;
        }
        // What the header says beyond the list is cut off, and so is a fragment of a descriptor (SBC-3 §5.28.2).
        int descriptors = Math.min(Cdb.u16(list, 2), list.length - UNMAP_HEADER_BYTES) / UNMAP_DESCRIPTOR_BYTES;
        Sense complaint = checkDescriptors(unit, list, descriptors);
        if (complaint != null) {
            execution.fail(complaint);
            return;
        }
        execution.parameters = list;
        execution.cursor = UNMAP_HEADER_BYTES;
        execution.remaining = descriptors;
        long start = Long.MAX_VALUE;
        long end = 0;
        for (int i = 0; i < descriptors; i++) {
            int at = UNMAP_HEADER_BYTES + i * UNMAP_DESCRIPTOR_BYTES;
            long lba = Cdb.u64(list, at);
            start = Math.min(start, lba);
            end = Math.max(end, lba + Cdb.u32(list, at + 8));
        }
        execution.share(start << unit.blockShift(), end << unit.blockShift(), UNMAP_NEXT);
    }

    // All of them before the first is carried out: a refused UNMAP has unmapped nothing.
    private static @Nullable Sense checkDescriptors(LogicalUnit unit, byte[] list, int descriptors) {
        if (descriptors > Limits.MAX_UNMAP_DESCRIPTORS) {
            return Sense.inParameters(2);
        }
        long capacity = unit.blocks();
        long total = 0;
        for (int i = 0; i < descriptors; i++) {
            int at = UNMAP_HEADER_BYTES + i * UNMAP_DESCRIPTOR_BYTES;
            long lba = Cdb.u64(list, at);
            long blocks = Cdb.u32(list, at + 8);
            if (lba < 0 || lba > capacity || blocks > capacity - lba) {
                return Sense.atLba(SenseCode.LBA_OUT_OF_RANGE, lba < 0 || lba > capacity ? lba : capacity);
            }
            total += blocks;
            if (total > Limits.MAX_UNMAP_BLOCKS) {
                return Sense.inParameters(at + 8);
            }
        }
        return null;
    }

    private static void unmapNext(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        byte[] list = execution.parameters;
        while (list != null && execution.remaining > 0) {
            int at = execution.cursor;
            execution.cursor += UNMAP_DESCRIPTOR_BYTES;
            execution.remaining--;
            long blocks = Cdb.u32(list, at + 8);
            if (blocks > 0) {
                execution.lba = Cdb.u64(list, at);
                unit.backend()
                        .discard(
                                execution.lba << unit.blockShift(),
                                blocks << unit.blockShift(),
                                task.lane(),
                                execution.then(UNMAP_NEXT));
                return;
            }
        }
        settle(unit, task);
    }

    /**
     * WRITE SAME. With UNMAP the blocks are unmapped if the data is what unmapped blocks read as, and written otherwise
     * (SBC-3 §4.7.3.4.4): the initiator finds what it wrote in either case.
     *
     * <p>Deviation: UNMAP without any Data-Out is taken for NDOB, since a block that nobody sent can only mean "give the
     * space back". All other data that is not exactly one block is refused.
     */
    static void writeSame(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        byte flags = task.cdb()[1];
        boolean unmap = (flags & UNMAP) != 0;
        if (unmap && !unit.thin()) {
            execution.fail(Sense.inCdb(1, 3));
            return;
        }
        if (!DataCommands.takeRange(unit, command, task, Limits.MAX_WRITE_SAME_BYTES)) {
            return;
        }
        if (execution.remaining == 0) {
            // 0 would mean "to the end of the medium": not taken, as WSNZ announces.
            execution.fail(Sense.inCdb(Cdb.lengthField(command.cdbLength())));
            return;
        }
        boolean noData = (flags & NO_DATA_OUT) != 0;
        task.dataOutWanted(noData ? 0 : unit.blockBytes());
        IoMemory sent = task.dataOut();
        int sentBytes = sent == null ? 0 : sent.length();
        boolean zeroes = noData || (unmap && sentBytes == 0);
        if (!zeroes && sentBytes != unit.blockBytes()) {
            execution.fail(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
            return;
        }
        ByteBuffer pattern = zeroes || sent == null ? ByteBuffer.allocate(unit.blockBytes()) : sent.buffer();
        if (unmap && (zeroes || isZero(pattern))) {
            execution.share(DISCARD);
        } else {
            int chunk = (int) Math.min(execution.remaining, Limits.WRITE_SAME_CHUNK_BYTES);
            execution.data = filled(task.allocateDataIn(chunk), pattern);
            execution.share(WRITE_NEXT);
        }
    }

    private static void discard(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        unit.backend().discard(execution.offset, execution.remaining, task.lane(), execution.then(SETTLE));
    }

    private static void writeNext(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory data = execution.data;
        if (data == null || execution.remaining == 0) {
            settle(unit, task);
            return;
        }
        int length = (int) Math.min(execution.remaining, data.length());
        long offset = execution.offset;
        execution.offset += length;
        execution.remaining -= length;
        unit.backend()
                .write(
                        offset,
                        IoMemorySlice.first(data, length),
                        Durability.CACHED,
                        task.lane(),
                        execution.then(WRITE_NEXT));
    }

    /** With WCE=0 many writes become durable by one flush at their end. */
    private static void settle(LogicalUnit unit, ScsiTask task) {
        task.dataInLength(0);
        if (unit.modes().writeCache()) {
            task.execution().good();
        } else {
            unit.backend().flush(task.lane(), task.execution().thenGood());
        }
    }

    private static boolean isZero(ByteBuffer block) {
        return block.mismatch(ByteBuffer.allocate(block.remaining())) < 0;
    }

    private static IoMemory filled(IoMemory memory, ByteBuffer block) {
        ByteBuffer into = memory.buffer();
        int blockBytes = block.remaining();
        for (int at = 0; at < memory.length(); at += blockBytes) {
            into.put(at, block, block.position(), blockBytes);
        }
        return memory;
    }
}
