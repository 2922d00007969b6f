package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.scsi.ScsiStatus;
import io.holdfast.scsi.ScsiTask;
import io.netty.buffer.ByteBuf;

/** Tells an initiator how a task ended (RFC 7143 §11.4, §11.7). Owned by the connection's event loop. */
final class TaskResponder {
    private static final int SENSE_LENGTH_FIELD_BYTES = 2;

    private final SessionParameters agreed;
    private final PduSender sender;
    private final PduSender.StatusInfo statusInfo = new PduSender.StatusInfo();
    private final byte[] senseSegment = new byte[SENSE_LENGTH_FIELD_BYTES + ScsiTask.SENSE_BYTES];

    TaskResponder(SessionParameters agreed, PduSender sender) {
        this.agreed = agreed;
        this.sender = sender;
    }

    /** @return true if Data-In are on their way, with the memory they take */
    boolean respond(IscsiTask task) {
        long moved = task.writes() ? task.dataOutWanted() : task.dataInLength();
        long room = task.reads() || task.writes() ? task.expectedBytes : 0;
        int residualFlags = moved > room ? BasicHeader.OVERFLOW : moved < room ? BasicHeader.UNDERFLOW : 0;
        int residual = (int) Math.abs(moved - room);
        int status = task.status().code();
        ByteBuf data = task.takeDataIn();
        int length = data == null ? 0 : (int) Math.min(task.dataInLength(), task.dataInRoom());
        int dataPdus = 0;
        if (data != null && length > 0) {
            boolean collapse = task.status() == ScsiStatus.GOOD;
            statusInfo.none();
            if (collapse) {
                statusInfo.of(status, residualFlags, residual);
            }
            dataPdus = sender.sendDataIn(task, data, task.dataInOffset(), length, agreed, statusInfo);
            if (collapse) {
                return true;
            }
        } else if (data != null) {
            data.release();
        }
        beginResponse(task, status, residualFlags, residual, dataPdus);
        sender.send(senseSegment, copySense(task));
        return dataPdus > 0;
    }

    /** Somebody else's task management ended it, and the control mode page says that its initiator hears (SAM-5 §5.7). */
    void respondAborted(IscsiTask task) {
        int room = (int) (task.reads() || task.writes() ? task.expectedBytes : 0);
        beginResponse(task, ScsiStatus.TASK_ABORTED.code(), room == 0 ? 0 : BasicHeader.UNDERFLOW, room, 0);
        sender.send();
    }

    private void beginResponse(IscsiTask task, int status, int residualFlags, int residual, int dataPdus) {
        sender.begin(Opcode.SCSI_RESPONSE, BasicHeader.FINAL | residualFlags)
                .initiatorTaskTag(task.initiatorTaskTag)
                .scsiStatus(status)
                .residualCount(residual)
                .expDataSn(dataPdus + task.nextR2tSn);
    }

    /** RFC 7143 §11.4.7: two bytes of length, then the sense data. */
    private int copySense(IscsiTask task) {
        int length = task.senseLength();
        if (length == 0) {
            return 0;
        }
        senseSegment[0] = (byte) (length >>> 8);
        senseSegment[1] = (byte) length;
        System.arraycopy(task.sense(), 0, senseSegment, SENSE_LENGTH_FIELD_BYTES, length);
        return SENSE_LENGTH_FIELD_BYTES + length;
    }
}
