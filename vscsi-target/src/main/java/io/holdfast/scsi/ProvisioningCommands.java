package io.holdfast.scsi;

import io.holdfast.block.Extents;
import io.holdfast.block.IoMemory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** GET LBA STATUS, UNMAP and WRITE SAME (SBC-3 §5.4, §5.28, §5.43, §5.44). Unmapped blocks read as zeroes (LBPRZ=1). */
final class ProvisioningCommands {
    private static final int UNMAP_HEADER_BYTES = 8;
    private static final int UNMAP_DESCRIPTOR_BYTES = 16;

    private static final int STATUS_HEADER_BYTES = 8;
    private static final int STATUS_DESCRIPTOR_BYTES = 16;

    private static final int UNMAP = 0x08;
    private static final int NO_DATA_OUT = 0x01;

    // PROVISIONING STATUS (SBC-3 table 49).
    private static final int MAPPED = 0;
    private static final int DEALLOCATED = 1;
    private static final long MAX_STATUS_BLOCKS = 0xffff_ffffL;

    private static final Execution.Step REPORT_STATUS = ProvisioningCommands::reportStatus;
    private static final Execution.Step UNMAP_NEXT = ProvisioningCommands::unmapNext;
    private static final Execution.Step DISCARD_NEXT = ProvisioningCommands::discardNext;
    private static final Execution.Step ZERO_NEXT = ProvisioningCommands::zeroNext;
    private static final Execution.Step FILL_NEXT = ProvisioningCommands::fillNext;

    private ProvisioningCommands() {}

    /**
     * GET LBA STATUS (SBC-3 §5.4): where the file has holes. QEMU asks before its larger reads of thin disks, and does not
     * read what it is told to be deallocated. A block of which a part is data is mapped; space that was reserved but never
     * written counts as deallocated, as the file system makes no difference.
     */
    static void getLbaStatus(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        long lba = Cdb.u64(cdb, 2);
        long capacity = unit.blocks();
        Execution execution = task.execution();
        if (lba < 0 || lba >= capacity) {
            execution.fail(Sense.atLba(SenseCode.LBA_OUT_OF_RANGE, lba));
            return;
        }
        long room = (Cdb.u32(cdb, 10) - STATUS_HEADER_BYTES) / STATUS_DESCRIPTOR_BYTES;
        int descriptors = (int) Math.max(1, Math.min(room, Limits.MAX_STATUS_DESCRIPTORS));
        Extents extents = new Extents(descriptors);
        execution.lba = lba;
        execution.offset = lba << unit.blockShift();
        execution.extents = extents;
        long length = (capacity - lba) << unit.blockShift();
        unit.backend().extents(execution.offset, length, extents, task.lane(), execution.then(REPORT_STATUS));
    }

    private static void reportStatus(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        Extents extents = Objects.requireNonNull(execution.extents);
        ByteBuffer answer = ByteBuffer.allocate(STATUS_HEADER_BYTES + extents.size() * STATUS_DESCRIPTOR_BYTES);
        answer.position(STATUS_HEADER_BYTES);
        long lba = execution.lba;
        long end = execution.offset;
        for (int i = 0; i < extents.size(); i++) {
            end += extents.lengthBytes(i);
            boolean mapped = extents.isData(i);
            // A block belongs to the data if any of its bytes does.
            long endLba = (mapped ? end + unit.blockBytes() - 1 : end) >> unit.blockShift();
            long blocks = Math.min(endLba - lba, MAX_STATUS_BLOCKS);
            if (blocks > 0) {
                answer.putLong(lba).putInt((int) blocks).put((byte) (mapped ? MAPPED : DEALLOCATED));
                answer.position(answer.position() + 3);
                lba += blocks;
            }
            if (lba < endLba) {
                // More than a descriptor can say: the initiator asks again from there.
                break;
            }
        }
        answer.putInt(0, answer.position() - Integer.BYTES);
        byte[] bytes = Arrays.copyOf(answer.array(), answer.position());
        execution.reply(bytes, Cdb.u32(task.cdb(), 10));
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
        execution.parameters = Arrays.copyOf(list, UNMAP_HEADER_BYTES + descriptors * UNMAP_DESCRIPTOR_BYTES);
        execution.cursor = UNMAP_HEADER_BYTES;
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

    /** Takes the next descriptor that names blocks, and discards them piece by piece. */
    private static void unmapNext(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        byte[] list = Objects.requireNonNull(execution.parameters);
        while (execution.cursor < list.length) {
            int at = execution.cursor;
            execution.cursor += UNMAP_DESCRIPTOR_BYTES;
            long blocks = Cdb.u32(list, at + 8);
            if (blocks > 0) {
                execution.lba = Cdb.u64(list, at);
                execution.offset = execution.lba << unit.blockShift();
                execution.remaining = blocks << unit.blockShift();
                discardNext(unit, task);
                return;
            }
        }
        settle(unit, task);
    }

    /**
     * WRITE SAME. With UNMAP the blocks are unmapped if the data is what unmapped blocks read as, and written otherwise
     * (SBC-3 §4.7.3.4.4): the initiator finds what it wrote in either case. A number of 0 means all blocks to the end.
     *
     * <p>Deviation: UNMAP without any Data-Out is taken for NDOB, since a block that nobody sent can only mean "give the
     * space back". All other data that is not exactly one block is refused.
     */
    static void writeSame(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        byte[] cdb = task.cdb();
        boolean unmap = (cdb[1] & UNMAP) != 0;
        if (unmap && !unit.thin()) {
            execution.fail(Sense.inCdb(1, 3));
            return;
        }
        int cdbLength = command.cdbLength();
        long lba = Cdb.lba(cdb, cdbLength);
        long asked = Cdb.lengthBlocks(cdb, cdbLength);
        long blocks = asked == 0 && lba >= 0 ? Math.max(0, unit.blocks() - lba) : asked;
        if (!DataCommands.takeRange(unit, task, lba, blocks, Cdb.lengthField(cdbLength), Limits.MAX_WRITE_SAME_BYTES)) {
            return;
        }
        boolean noData = (cdb[1] & NO_DATA_OUT) != 0;
        task.dataOutWanted(noData ? 0 : unit.blockBytes());
        IoMemory sent = task.dataOut();
        int sentBytes = sent == null ? 0 : sent.length();
        boolean nothing = noData || (unmap && sentBytes == 0);
        if (!nothing && sentBytes != unit.blockBytes()) {
            execution.fail(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
            return;
        }
        ByteBuffer block = nothing || sent == null ? null : sent.buffer();
        if (block != null && !isZero(block)) {
            int chunk = (int) Math.min(execution.remaining, Limits.FILL_PATTERN_BYTES);
            execution.data = filled(task.allocateDataIn(chunk), block);
            execution.share(FILL_NEXT);
        } else {
            execution.share(unmap ? DISCARD_NEXT : ZERO_NEXT);
        }
    }

    // ---- much work, in pieces: the pool's threads are everybody's

    private static void discardNext(LogicalUnit unit, ScsiTask task) {
        long offset = task.execution().offset;
        long length = nextPiece(task, Limits.DISCARD_PIECE_BYTES);
        if (length > 0) {
            unit.backend().discard(offset, length, task.lane(), task.execution().then(DISCARD_NEXT));
        } else if (task.execution().parameters != null && !task.aborted()) {
            unmapNext(unit, task);
        } else {
            settle(unit, task);
        }
    }

    private static void zeroNext(LogicalUnit unit, ScsiTask task) {
        long offset = task.execution().offset;
        long length = nextPiece(task, Limits.FILL_PIECE_BYTES);
        if (length > 0) {
            unit.backend().zero(offset, length, task.lane(), task.execution().then(ZERO_NEXT));
        } else {
            settle(unit, task);
        }
    }

    private static void fillNext(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        long offset = execution.offset;
        long length = nextPiece(task, Limits.FILL_PIECE_BYTES);
        if (length > 0) {
            IoMemory pattern = Objects.requireNonNull(execution.data);
            unit.backend().fill(offset, length, pattern, task.lane(), execution.then(FILL_NEXT));
        } else {
            settle(unit, task);
        }
    }

    /** @return how much is to be done next; 0 at the end, or if nobody waits for it any more */
    private static long nextPiece(ScsiTask task, long maxBytes) {
        Execution execution = task.execution();
        task.progressed();
        long length = task.aborted() ? 0 : Math.min(execution.remaining, maxBytes);
        execution.offset += length;
        execution.remaining -= length;
        return length;
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
