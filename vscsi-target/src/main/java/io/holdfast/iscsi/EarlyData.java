package io.holdfast.iscsi;

import io.netty.buffer.ByteBuf;
import java.util.function.Predicate;

/**
 * Hands data to their device server while they come, from the socket's buffer, instead of gathering them first. Whether it
 * takes them is the device server's to say, for every piece anew ({@link io.holdfast.scsi.DeviceServer#takeData}); the task is
 * executed when all have come, in any case. Owned by the connection's event loop.
 *
 * <pre>
 *   socket's buffer ─┬─► device server                 (whole blocks)
 *                    └─► the task's memory             (the beginning of one, or whatever the device server does not take)
 *                            └─► device server         (when the rest of the block has come)
 * </pre>
 *
 * Once a device server leaves a whole block where it is, nothing more of that task is offered: the data behind it are gathered
 * and written when the task is executed, and then it is said what was in the way.
 */
final class EarlyData {
    /** A task with less data gathers them: it costs less than to ask twice whether it may write. */
    static final int MIN_TASK_BYTES = 32 << 10;

    /** No device server takes data in larger blocks. */
    static final int BLOCK_BYTES = 4096;

    private final Predicate<IscsiTask> mayBegin;
    /** One for all tasks: it is used within one call only. */
    private final NettyMemory piece = new NettyMemory();

    /** @param mayBegin whether a task could be executed at once, if its data were there */
    EarlyData(Predicate<IscsiTask> mayBegin) {
        this.mayBegin = mayBegin;
    }

    /**
     * The next data of a task have come.
     *
     * @param memory the task's, with what came before up to its writer index
     * @param in where they are, {@code lengthBytes} from its reader index
     * @return how many need not be put into the memory any more
     */
    int take(IscsiTask task, ByteBuf memory, ByteBuf in, int lengthBytes) {
        if (!mayOffer(task)) {
            return 0;
        }
        int at = memory.writerIndex();
        if (at - task.dataOutTaken() >= BLOCK_BYTES) {
            // Its turn came in the middle of a PDU: what was gathered before goes first, with what follows, at the end
            // of the PDU.
            return 0;
        }
        int moved = 0;
        while (moved < lengthBytes && at + moved > task.dataOutTaken()) {
            int kept = at + moved - task.dataOutTaken();
            int more = Math.min(BLOCK_BYTES - kept, lengthBytes - moved);
            memory.setBytes(at + moved, in, in.readerIndex() + moved, more);
            moved += more;
            offer(task, memory, task.dataOutTaken(), kept + more);
            if (!task.offersData) {
                return moved;
            }
        }
        return moved + offer(task, in, in.readerIndex() + moved, lengthBytes - moved);
    }

    /** Data that had to be put into the task's memory first: because of their digest, or because it was not their turn. */
    void takeGathered(IscsiTask task) {
        ByteBuf memory = task.dataOutBuffer();
        int kept = task.gatheredBytes - task.dataOutTaken();
        if (memory != null && kept >= BLOCK_BYTES && mayOffer(task)) {
            offer(task, memory, task.dataOutTaken(), kept);
        }
    }

    private boolean mayOffer(IscsiTask task) {
        task.offersData = task.offersData && !task.isSpoiled() && mayBegin.test(task);
        return task.offersData;
    }

    private int offer(IscsiTask task, ByteBuf from, int index, int lengthBytes) {
        int done = 0;
        int taken;
        do {
            int rest = lengthBytes - done;
            taken = rest == 0 ? 0 : task.device().takeData(task, piece.of(from, index + done, rest), rest);
            task.took(taken);
            done += taken;
        } while (taken > 0 && lengthBytes - done >= BLOCK_BYTES);
        task.offersData = lengthBytes - done < BLOCK_BYTES;
        return done;
    }
}
