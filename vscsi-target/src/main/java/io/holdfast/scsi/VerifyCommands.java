package io.holdfast.scsi;

import io.holdfast.block.Durability;
import io.holdfast.block.IoMemory;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** VERIFY and WRITE AND VERIFY (SBC-3 §5.29 ff., §5.37 ff.): the blocks are really read, into memory nobody sees. */
final class VerifyCommands {
    private static final int NO_COMPARISON = 0;
    private static final int COMPARE_ALL = 1;
    private static final int COMPARE_EACH_WITH_ONE = 3;

    private static final Execution.Step WRITE = VerifyCommands::write;
    private static final Execution.Step READ_BACK = VerifyCommands::readBack;
    private static final Execution.Step COMPARE = VerifyCommands::compare;

    private VerifyCommands() {}

    static void verify(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        int byteCheck = byteCheck(task);
        if (byteCheck == 2) {
            execution.fail(Sense.inCdb(1, 2));
            return;
        }
        if (!DataCommands.takeRange(unit, command, task, Limits.MAX_TRANSFER_BYTES)) {
            return;
        }
        if (execution.remaining == 0) {
            execution.good();
            return;
        }
        long wanted = switch (byteCheck) {
            case COMPARE_ALL -> execution.remaining;
            case COMPARE_EACH_WITH_ONE -> unit.blockBytes();
            default -> 0;
        };
        task.dataOutWanted(wanted);
        IoMemory sent = task.dataOut();
        if (wanted > (sent == null ? 0 : sent.length())) {
            execution.fail(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
            return;
        }
        execution.share(READ_BACK);
    }

    static void writeAndVerify(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        if (byteCheck(task) > COMPARE_ALL) {
            execution.fail(Sense.inCdb(1, 2));
            return;
        }
        if (!DataCommands.takeRange(unit, command, task, Limits.MAX_TRANSFER_BYTES)) {
            return;
        }
        IoMemory from = DataCommands.takeWholeBlocks(unit, task);
        if (from != null) {
            execution.data = from;
            execution.share(WRITE);
        }
    }

    private static void write(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory from = execution.data;
        if (from != null) {
            // To the medium, whatever WCE says: verifying a cache is what nobody asked for (SBC-3 §4.15).
            unit.backend().write(execution.offset, from, Durability.DURABLE, task.lane(), execution.then(READ_BACK));
        }
    }

    private static void readBack(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        IoMemory data = task.allocateDataIn((int) execution.remaining);
        execution.data = data;
        unit.backend().read(execution.offset, data, task.lane(), execution.then(COMPARE));
    }

    private static void compare(LogicalUnit unit, ScsiTask task) {
        Execution execution = task.execution();
        int at = mismatch(unit, task, execution.data, task.dataOut());
        if (at < 0) {
            DataCommands.dropData(unit, task);
        } else {
            long lba = execution.lba + (at >>> unit.blockShift());
            execution.fail(Sense.atLba(SenseCode.MISCOMPARE_DURING_VERIFY, lba));
        }
    }

    /** The first byte at which the medium differs from what was sent, or -1. */
    private static int mismatch(LogicalUnit unit, ScsiTask task, @Nullable IoMemory read, @Nullable IoMemory sent) {
        int byteCheck = byteCheck(task);
        if (byteCheck == NO_COMPARISON || read == null || sent == null) {
            return -1;
        }
        int length = (int) task.execution().remaining;
        ByteBuffer medium = read.buffer().slice(0, length);
        if (byteCheck == COMPARE_ALL) {
            return medium.mismatch(sent.buffer().slice(0, length));
        }
        ByteBuffer one = sent.buffer().slice(0, unit.blockBytes());
        for (int block = 0; block < length; block += unit.blockBytes()) {
            int at = medium.slice(block, unit.blockBytes()).mismatch(one);
            if (at >= 0) {
                return block + at;
            }
        }
        return -1;
    }

    private static int byteCheck(ScsiTask task) {
        return task.cdb()[1] >>> 1 & 3;
    }
}
