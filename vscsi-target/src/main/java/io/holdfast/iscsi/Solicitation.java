package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.scsi.SenseCode;
import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * R2T and Data-Out (RFC 7143 §11.7, §11.8): asks for what a command's PDU did not bring, and puts it where it belongs. Owned
 * by the connection's event loop.
 *
 * <p>With DataPDUInOrder, DataSequenceInOrder and InitialR2T every byte has one place in the order of arrival; taking
 * anything else could complete a task whose memory has holes. What comes out of place spoils its task: the rest of what was
 * asked for is thrown away, then the task ends with the sense data of §11.4.7.2.
 */
final class Solicitation {
    private final List<IscsiTask> slots;
    private final SessionParameters agreed;
    private final PduSender sender;
    private final EarlyData early;
    private final Consumer<IscsiTask> whole;
    /** The task of the Data-Out that is being received, while it wants it. */
    private @Nullable IscsiTask receiving;

    /**
     * @param slots the tasks of the connection, by slot
     * @param whole takes a task whose data are all there, or spoiled
     */
    Solicitation(
            List<IscsiTask> slots,
            SessionParameters agreed,
            PduSender sender,
            EarlyData early,
            Consumer<IscsiTask> whole) {
        this.slots = slots;
        this.agreed = agreed;
        this.sender = sender;
        this.early = early;
        this.whole = whole;
    }

    /** Asks for what is missing of a task's data, or passes it on when nothing is. */
    void gather(IscsiTask task) {
        if (task.isSpoiled()) {
            if (task.outstandingR2ts() == 0 && !task.unsolicitedOpen) {
                whole.accept(task);
            }
            return;
        }
        early.takeGathered(task);
        if (task.gatheredBytes == task.gatherBytes) {
            whole.accept(task);
        } else {
            ask(task);
        }
    }

    private void ask(IscsiTask task) {
        while (task.askedBytes < task.gatherBytes && task.outstandingR2ts() < agreed.maxOutstandingR2t()) {
            int length = Math.min(task.gatherBytes - task.askedBytes, agreed.maxBurstLength());
            if (task.outstandingR2ts() == 0) {
                task.burstEndBytes = task.askedBytes + length;
            }
            sender.begin(Opcode.R2T, BasicHeader.FINAL)
                    .lun(task.lun.value())
                    .initiatorTaskTag(task.initiatorTaskTag)
                    .targetTransferTag(task.askAgain())
                    .dataSn(task.nextR2tSn++)
                    .bufferOffset(task.askedBytes)
                    .desiredTransferLength(length);
            sender.sendUnnumbered();
            task.askedBytes += length;
        }
    }

    /**
     * Where the data of a Data-Out go.
     *
     * @return null if they are to be thrown away: their task was aborted, or is spoiled
     * @throws WireException if nobody asked for them
     */
    @Nullable
    ByteBuf target(BasicHeader header) throws WireException {
        receiving = null;
        IscsiTask task = taskOf(header);
        if (task == null || isOutOfPlace(task, header)) {
            return null;
        }
        receiving = task;
        ByteBuf buffer = task.dataOutBuffer();
        return buffer == null ? null : buffer.writerIndex(task.gatheredBytes);
    }

    /** The task whose data are being put where {@link #target} said; it may have ended since. */
    @Nullable
    IscsiTask receiving() {
        return receiving;
    }

    /** A whole Data-Out is there. */
    void received(BasicHeader header) throws WireException {
        IscsiTask task = taskOf(header);
        if (task == null) {
            return;
        }
        if (isOutOfPlace(task, header)) {
            if (header.flag(BasicHeader.FINAL)) {
                endSequence(task, header);
            }
        } else {
            task.gatheredBytes += header.dataSegmentBytes();
            task.nextDataSn++;
            if (task.gatheredBytes == task.burstEndBytes) {
                task.answered();
                task.burstEndBytes = Math.min(task.burstEndBytes + agreed.maxBurstLength(), task.gatherBytes);
            }
        }
        gather(task);
    }

    private static void endSequence(IscsiTask task, BasicHeader header) {
        if (header.targetTransferTag() == BasicHeader.NO_TAG) {
            task.unsolicitedOpen = false;
        } else {
            task.answered();
        }
    }

    /** The task whose R2T a Data-Out answers; null if it was aborted. */
    private @Nullable IscsiTask taskOf(BasicHeader header) throws WireException {
        int tag = header.targetTransferTag();
        if (tag == BasicHeader.NO_TAG) {
            return unsolicited(header);
        }
        int slot = IscsiTask.slotOf(tag);
        IscsiTask task = slot < slots.size() ? slots.get(slot) : null;
        if (task != null && task.abandoned(tag)) {
            return null;
        }
        if (task == null || !task.answers(tag) || task.initiatorTaskTag != header.initiatorTaskTag()) {
            throw new WireException(String.format(
                    "SCSI Data-Out for task 0x%08x, transfer 0x%08x: nobody asked for it",
                    header.initiatorTaskTag(), tag));
        }
        return task;
    }

    /** InitialR2T=Yes was agreed on: nothing may come that was not asked for. */
    private @Nullable IscsiTask unsolicited(BasicHeader header) throws WireException {
        for (IscsiTask task : slots) {
            if (task.initiatorTaskTag == header.initiatorTaskTag() && task.isGathering()) {
                task.spoil(SenseCode.UNEXPECTED_UNSOLICITED_DATA);
                task.unsolicitedOpen = true;
                return task;
            }
        }
        throw new WireException(
                String.format("unsolicited SCSI Data-Out for task 0x%08x: there is none", header.initiatorTaskTag()));
    }

    private static boolean isOutOfPlace(IscsiTask task, BasicHeader header) {
        if (!task.isSpoiled()) {
            int end = task.gatheredBytes + header.dataSegmentBytes();
            if (header.dataSn() != task.nextDataSn) {
                // RFC 7143 §7.9: one before it must have been lost.
                task.spoil(SenseCode.PROTOCOL_SERVICE_CRC_ERROR);
            } else if (header.bufferOffset() != task.gatheredBytes
                    || end > task.burstEndBytes
                    || header.flag(BasicHeader.FINAL) && end < task.burstEndBytes) {
                task.spoil(SenseCode.INCORRECT_AMOUNT_OF_DATA);
            }
        }
        return task.isSpoiled();
    }
}
