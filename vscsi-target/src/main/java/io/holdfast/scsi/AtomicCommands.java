package io.holdfast.scsi;

import io.holdfast.block.IoMemory;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * COMPARE AND WRITE, ORWRITE and WRITE ATOMIC (SBC-3 §5.2, §5.5; SBC-4 §5.46): no other command sees their blocks, or
 * changes them, between their beginning and their end. See {@link RangeLock}.
 */
final class AtomicCommands {
    private static final Execution.Step READ_TO_COMPARE = AtomicCommands::readToCompare;
    private static final Execution.Step COMPARE = AtomicCommands::compare;
    private static final Execution.Step READ_TO_OR = AtomicCommands::readToOr;
    private static final Execution.Step OR = AtomicCommands::or;
    private static final Execution.Step WRITE = DataCommands::writeNow;
    private static final Execution.Step DROP_DATA = DataCommands::dropData;

    // Fields of the CDBs.
    private static final int COMPARE_LENGTH = 13;
    private static final int ATOMIC_LENGTH = 12;

    private AtomicCommands() {}

    /** COMPARE AND WRITE: the first half of the data is what must be there, the second what is to be there. */
    static void compareAndWrite(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        byte[] cdb = task.cdb();
        long blocks = Cdb.u8(cdb, COMPARE_LENGTH);
        if (!DataCommands.takeRange(
                unit, task, Cdb.u64(cdb, 2), blocks, COMPARE_LENGTH, Limits.MAX_COMPARE_BLOCKS << unit.blockShift())) {
            return;
        }
        long wanted = 2 * execution.remaining;
        IoMemory sent = task.dataOut();
        if (wanted == 0) {
            // Two halves of something, but a number of blocks that its byte could not hold: GOOD would be a lie.
            if (sent != null && sent.length() >= 2 * unit.blockBytes()) {
                execution.fail(Sense.inCdb(COMPARE_LENGTH));
            } else {
                execution.good();
            }
        } else if (sent != null && sent.length() > wanted) {
            // Where the second half begins follows from the length: more than both halves is a mistake about it.
            task.dataOutWanted(wanted);
            execution.fail(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        } else if (DataCommands.takeAll(task, wanted) != null) {
            execution.durability = DataCommands.durability(unit, command, task);
            execution.exclude(READ_TO_COMPARE);
        }
    }

    private static void readToCompare(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        execution.data = task.allocateDataIn((int) execution.remaining);
        unit.backend().read(execution.offset, execution.data, task.lane(), execution.then(COMPARE));
    }

    private static void compare(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory there = execution.data;
        IoMemory sent = task.dataOut();
        int length = (int) execution.remaining;
        if (there == null || sent == null) {
            throw new IllegalStateException("the data of a running command is gone");
        }
        int at = there.buffer().slice(0, length).mismatch(sent.buffer().slice(0, length));
        if (at >= 0) {
            // The offset in the Data-Out, not an LBA (SBC-3 §5.2).
            execution.fail(Sense.atOffset(SenseCode.MISCOMPARE_DURING_VERIFY, at));
            return;
        }
        unit.backend()
                .write(
                        execution.offset,
                        new IoMemorySlice(sent, length, length),
                        execution.durability,
                        task.lane(),
                        execution.then(DROP_DATA));
    }

    /** ORWRITE (16) (SBC-3 §5.5): sets bits. The 32-byte form, which can also clear them, is not there. */
    static void orWrite(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        if (!DataCommands.takeRange(unit, command, task, Limits.MAX_TRANSFER_BYTES)) {
            return;
        }
        if (execution.remaining == 0) {
            execution.good();
        } else if (DataCommands.takeAll(task, execution.remaining) != null) {
            execution.durability = DataCommands.durability(unit, command, task);
            execution.exclude(READ_TO_OR);
        }
    }

    private static void readToOr(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        execution.data = task.allocateDataIn((int) execution.remaining);
        unit.backend().read(execution.offset, execution.data, task.lane(), execution.then(OR));
    }

    private static void or(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory there = execution.data;
        if (there != null) {
            or(there.buffer(), task.dataOut(), (int) execution.remaining);
            unit.backend().write(execution.offset, there, execution.durability, task.lane(), execution.then(DROP_DATA));
        }
    }

    private static void or(ByteBuffer into, @Nullable IoMemory sent, int length) {
        if (sent != null) {
            ByteBuffer bits = sent.buffer();
            // Whole blocks, so whole words; their byte order is the same on both sides.
            for (int at = 0; at < length; at += Long.BYTES) {
                into.putLong(at, into.getLong(at) | bits.getLong(at));
            }
        }
    }

    /**
     * WRITE ATOMIC (16): one physical block at its place, or none. That is what the page cache changes as a whole, so
     * neither another command nor the end of this process sees a part of it.
     */
    static void writeAtomic(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        byte[] cdb = task.cdb();
        int physicalBlocks = 1 << unit.blocksPerPhysicalExponent();
        long lba = Cdb.u64(cdb, 2);
        long blocks = Cdb.u16(cdb, ATOMIC_LENGTH);
        if (!DataCommands.takeRange(
                unit, task, lba, blocks, ATOMIC_LENGTH, (long) physicalBlocks << unit.blockShift())) {
            return;
        }
        if (blocks == 0) {
            execution.good();
        } else if (lba % physicalBlocks != 0) {
            execution.fail(Sense.inCdb(2));
        } else if (blocks % physicalBlocks != 0) {
            execution.fail(Sense.inCdb(ATOMIC_LENGTH));
        } else {
            IoMemory from = DataCommands.takeAll(task, execution.remaining);
            if (from != null) {
                execution.durability = DataCommands.durability(unit, command, task);
                execution.data = from;
                execution.exclude(WRITE);
            }
        }
    }
}
