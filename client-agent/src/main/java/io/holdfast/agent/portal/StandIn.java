package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduEncoder;
import io.netty.buffer.ByteBuf;

/**
 * A target that has nothing to offer: it answers every command with an error that makes QEMU put the request aside and
 * pause, and everything else so that the session lives on. Speaks full feature phase; owned by its connection.
 *
 * <p>The error is HARDWARE ERROR, INTERNAL TARGET FAILURE: libiscsi does not retry it by itself, and QEMU, started with
 * {@code werror=stop,rerror=stop}, keeps the request and issues it again when the VM is resumed.
 */
final class StandIn {
    private static final byte[] SENSE_DATA = {
        0,
        18, // SenseLength (RFC 7143 §11.4.7.2)
        0x70,
        0,
        4,
        0,
        0,
        0,
        0,
        10,
        0,
        0,
        0,
        0,
        0x44,
        0,
        0,
        0,
        0,
        0 // SPC-4 §4.5.3, fixed format, 4h/44h/00h
    };
    private static final byte[] NOTHING = {};
    private static final int CHECK_CONDITION = 0x02;
    private static final int ASYNC_CONNECTION_DROP = 2;
    private static final int WINDOW = 127;
    private static final int MAX_ECHO_BYTES = 4096;

    private final PduEncoder encoder = new PduEncoder();
    private final BasicHeader out = new BasicHeader();
    private int statSn;
    private int expCmdSn;
    private int connectionId;

    StandIn(int statSn, int expCmdSn) {
        this.statSn = statSn;
        this.expCmdSn = expCmdSn;
    }

    void digests(Digest header, Digest data) {
        encoder.digests(header, data);
    }

    void connectionId(int id) {
        connectionId = id;
    }

    /** What became of a request. */
    enum Answer {
        GIVEN,
        /** It was a command, and it was failed. */
        FAILED_COMMAND,
        /** The session is over when the answer is out. */
        LAST
    }

    /**
     * @param data the data segment of the request; not kept
     * @param to receives the answer, if the request has one
     */
    Answer answer(BasicHeader request, ByteBuf data, ByteBuf to) {
        int opcode = request.opcode();
        if (!request.immediate() && opcode != Opcode.DATA_OUT && opcode != Opcode.SNACK_REQUEST) {
            expCmdSn = request.cmdSn() + 1;
        }
        int tag = request.initiatorTaskTag();
        switch (opcode) {
            case Opcode.SCSI_COMMAND -> {
                fail(tag, to);
                return Answer.FAILED_COMMAND;
            }
            case Opcode.NOP_OUT -> {
                // Without a tag it is the answer to a ping of the target's.
                if (tag != BasicHeader.NO_TAG) {
                    pong(tag, data, to);
                }
            }
            case Opcode.TASK_MANAGEMENT_REQUEST -> taskManagementDone(tag, to);
            case Opcode.TEXT_REQUEST -> {
                out.begin(Opcode.TEXT_RESPONSE, BasicHeader.FINAL);
                out.targetTransferTag(BasicHeader.NO_TAG);
                send(tag, NOTHING, 0, to);
            }
            case Opcode.LOGOUT_REQUEST -> {
                out.begin(Opcode.LOGOUT_RESPONSE, BasicHeader.FINAL);
                send(tag, NOTHING, 0, to);
                return Answer.LAST;
            }
            case Opcode.DATA_OUT -> {
                // Its command has been failed already.
            }
            default -> {
                return Answer.LAST;
            }
        }
        return Answer.GIVEN;
    }

    /** Fails a SCSI command. */
    void fail(int tag, ByteBuf to) {
        out.begin(Opcode.SCSI_RESPONSE, BasicHeader.FINAL).scsiStatus(CHECK_CONDITION);
        send(tag, SENSE_DATA, SENSE_DATA.length, to);
    }

    void taskManagementDone(int tag, ByteBuf to) {
        out.begin(Opcode.TASK_MANAGEMENT_RESPONSE, BasicHeader.FINAL);
        send(tag, NOTHING, 0, to);
    }

    void pong(int tag, ByteBuf data, ByteBuf to) {
        byte[] echo = new byte[Math.min(data.readableBytes(), MAX_ECHO_BYTES)];
        data.getBytes(data.readerIndex(), echo);
        out.begin(Opcode.NOP_IN, BasicHeader.FINAL).targetTransferTag(BasicHeader.NO_TAG);
        send(tag, echo, echo.length, to);
    }

    /** Answers a text request with text. */
    void text(int tag, byte[] text, ByteBuf to) {
        out.begin(Opcode.TEXT_RESPONSE, BasicHeader.FINAL).targetTransferTag(BasicHeader.NO_TAG);
        send(tag, text, text.length, to);
    }

    /**
     * Says that the connection will be dropped and may be made again at once (RFC 7143 §11.9.1, event 2, Time2Wait 0).
     * libiscsi otherwise waits until three seconds after its last login. Said as soon as the session is there, because an
     * agent that is killed says nothing: the next one would have to wait for QEMU.
     */
    void mayComeBackAtOnce(ByteBuf to) {
        out.begin(Opcode.ASYNC_MESSAGE, BasicHeader.FINAL).asyncEvent(ASYNC_CONNECTION_DROP, connectionId, 0, 0);
        send(BasicHeader.NO_TAG, NOTHING, 0, to);
    }

    private void send(int tag, byte[] segment, int length, ByteBuf to) {
        out.initiatorTaskTag(tag).statSn(statSn++).window(expCmdSn, expCmdSn + WINDOW);
        encoder.writePdu(out, segment, length, to);
    }
}
