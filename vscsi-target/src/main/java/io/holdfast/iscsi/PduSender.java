package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The outgoing half of a connection: StatSN, the command window's numbers in every PDU, and batching. PDUs without data
 * are gathered in one buffer; everything is flushed once per batch of reads or completions. Owned by the connection's
 * event loop.
 */
final class PduSender {
    private static final int BATCH_BYTES = 4096;
    private static final byte[] NO_SEGMENT = {};
    /** With more than this of unread answers that carry no data of commands, an initiator is not read. */
    static final int FLOOD_BYTES = 64 << 10;
    /** Below this segment length Data-In are copied together: headers, slices and entries would take more than the data. */
    private static final int COPY_BELOW_BYTES = 4096;

    private static final int COPY_CHUNK_BYTES = 64 << 10;

    private final ChannelHandlerContext context;
    private final PduEncoder encoder = new PduEncoder();
    private final BasicHeader header = new BasicHeader();
    private final Runnable flushLater = this::flushScheduled;
    private @Nullable CommandWindow window;
    private @Nullable ByteBuf batch;
    private int statSn = 1;
    private int maxSegmentBytes = (int) LoginKey.parse(LoginKey.MAX_RECV_DATA_SEGMENT_LENGTH.initial());
    private boolean reading;
    private boolean flushScheduled;
    private boolean unflushed;
    private boolean closed;

    private final Runnable onDrained;
    private @Nullable ConnectionMemory memory;
    private Runnable afterGiving = () -> {};
    /** Of the memory budget, what Data-In take that have not been written to the socket. */
    private long owedBytes;
    /** Bytes of other PDUs that have not been written, which no budget counts. */
    private int smallBytes;
    /** Somebody tells when what has been flushed so far is written. */
    private boolean markerOut;

    /** @param onDrained runs when everything has been written to the socket after a flood */
    PduSender(ChannelHandlerContext context, Runnable onDrained) {
        this.context = context;
        this.onDrained = onDrained;
    }

    /** From now on the memory of what is sent counts until it has left. */
    void memory(ConnectionMemory newMemory, Runnable onRoom) {
        memory = newMemory;
        afterGiving = onRoom;
    }

    void window(CommandWindow newWindow) {
        window = newWindow;
    }

    void digests(Digest headerDigest, Digest dataDigest) {
        encoder.digests(headerDigest, dataDigest);
    }

    /** The longest data segment that the initiator takes, as it declared last. */
    int maxSegmentBytes() {
        return maxSegmentBytes;
    }

    void maxSegmentBytes(int bytes) {
        maxSegmentBytes = bytes;
    }

    /** How many bytes a header takes on the wire now. */
    int headerBytes() {
        return encoder.headerBytes();
    }

    /** Begins a PDU; its fields are set on the returned header, which is valid until it is sent. */
    BasicHeader begin(int opcode, int flags) {
        return header.begin(opcode, flags);
    }

    // ------------------------------------------------------------------ PDUs of a few bytes

    /** Sends what {@link #begin} began, with a StatSN of its own. */
    void send() {
        send(NO_SEGMENT, 0);
    }

    /** The same with a data segment. */
    void send(byte[] segment, int length) {
        number(statSn++);
        small(segment, length);
    }

    /** Sends a PDU that tells StatSN without taking one: R2T, and NOP-In that expects no answer (RFC 7143 §11.19.2). */
    void sendUnnumbered() {
        number(statSn);
        small(NO_SEGMENT, 0);
    }

    private void number(int sn) {
        header.statSn(sn);
        CommandWindow w = window;
        if (w != null) {
            header.window(w.expCmdSn(), w.maxCmdSn());
        }
    }

    private void small(byte[] segment, int length) {
        int bytes = encoder.pduBytes(length);
        ByteBuf out = batch;
        if (out != null && out.writableBytes() < bytes) {
            writeBatch();
            out = null;
        }
        if (out == null) {
            out = context.alloc().directBuffer(Math.max(BATCH_BYTES, bytes), Math.max(BATCH_BYTES, bytes));
            batch = out;
        }
        encoder.writePdu(header, segment, length, out);
        smallBytes += bytes;
        flushSoon();
    }

    // ------------------------------------------------------------------ Data-In

    /**
     * Sends a task's data in as many Data-In PDUs as the initiator's MaxRecvDataSegmentLength and MaxBurstLength call for,
     * the last of them with the status if {@code withStatus} (RFC 7143 §11.7).
     *
     * @param data holds the bytes at {@code offset}, with room for a header before and a trailer behind; released here
     * @return how many PDUs were sent, for ExpDataSN
     */
    int sendDataIn(
            IscsiTask task, ByteBuf data, int offset, int length, SessionParameters agreed, StatusInfo withStatus) {
        writeBatch();
        boolean copied = maxSegmentBytes < COPY_BELOW_BYTES && length > maxSegmentBytes;
        int sent = 0;
        int dataSn = 0;
        while (sent < length) {
            int inBurst = agreed.maxBurstLength() - sent % agreed.maxBurstLength();
            int piece = Math.min(length - sent, Math.min(maxSegmentBytes, inBurst));
            boolean last = sent + piece == length;
            boolean endOfBurst = last || piece == inBurst;
            begin(Opcode.DATA_IN, endOfBurst ? BasicHeader.FINAL : 0)
                    .dataSegmentBytes(piece)
                    .lun(task.lun.value())
                    .initiatorTaskTag(task.initiatorTaskTag)
                    .targetTransferTag(BasicHeader.NO_TAG)
                    .dataSn(dataSn++)
                    .bufferOffset(sent);
            if (last && withStatus.present()) {
                header.bytes()[1] |= (byte) (BasicHeader.STATUS | withStatus.residualFlags());
                header.scsiStatus(withStatus.status()).residualCount(withStatus.residual());
                number(statSn++);
            } else {
                number(0);
            }
            if (copied) {
                copyPiece(data, offset + sent, piece);
            } else {
                writePiece(data, offset, sent, piece, last);
            }
            sent += piece;
        }
        if (copied) {
            data.release();
            writeBatch();
        }
        unflushed = true;
        flushSoon();
        return dataSn;
    }

    /** Header, data and trailer in one stretch, many PDUs to a buffer. */
    private void copyPiece(ByteBuf data, int at, int piece) {
        int bytes = encoder.pduBytes(piece);
        ByteBuf out = batch;
        if (out != null && out.writableBytes() < bytes) {
            writeBatch();
            out = null;
        }
        if (out == null) {
            out = context.alloc().directBuffer(COPY_CHUNK_BYTES, COPY_CHUNK_BYTES);
            batch = out;
        }
        encoder.writeHeader(header, out);
        out.writeBytes(data, at, piece);
        encoder.writeTrailer(data, at, piece, out);
    }

    /** The first header goes into the room before the data, later ones into buffers of their own: no byte is copied. */
    private void writePiece(ByteBuf data, int offset, int sent, int piece, boolean last) {
        int headerBytes = encoder.headerBytes();
        int trailerBytes = encoder.trailerBytes(piece);
        if (sent == 0) {
            data.setIndex(offset - headerBytes, offset - headerBytes);
            encoder.writeHeader(header, data);
            data.writerIndex(offset + piece);
            if (last) {
                encoder.writeTrailer(data, offset, piece, data);
                context.write(data, context.voidPromise());
                return;
            }
            context.write(data.retainedSlice(offset - headerBytes, headerBytes + piece), context.voidPromise());
        } else {
            ByteBuf head = context.alloc().directBuffer(headerBytes, headerBytes);
            encoder.writeHeader(header, head);
            context.write(head, context.voidPromise());
            context.write(data.retainedSlice(offset + sent, piece), context.voidPromise());
        }
        if (trailerBytes > 0) {
            ByteBuf trailer = context.alloc().directBuffer(trailerBytes, trailerBytes);
            encoder.writeTrailer(data, offset + sent, piece, trailer);
            context.write(trailer, context.voidPromise());
        }
        if (last) {
            data.release();
        }
    }

    /** What a response says beside data. Primitive fields in one re-used object: nothing to allocate per command. */
    static final class StatusInfo {
        private boolean present;
        private int status;
        private int residualFlags;
        private int residual;

        StatusInfo none() {
            present = false;
            return this;
        }

        StatusInfo of(int newStatus, int newResidualFlags, int newResidual) {
            present = true;
            status = newStatus;
            residualFlags = newResidualFlags;
            residual = newResidual;
            return this;
        }

        boolean present() {
            return present;
        }

        int status() {
            return status;
        }

        int residualFlags() {
            return residualFlags;
        }

        int residual() {
            return residual;
        }
    }

    // ------------------------------------------------------------------ flushing

    /** Bytes are being decoded: what is sent now is flushed by {@link #readsEnded}. */
    void readsBegan() {
        reading = true;
    }

    void readsEnded() {
        reading = false;
        flush();
    }

    private void flushSoon() {
        if (!reading && !flushScheduled) {
            flushScheduled = true;
            // Runs after the other completions of this turn of the event loop: one flush for all of them.
            context.channel().eventLoop().execute(flushLater);
        }
    }

    private void flushScheduled() {
        flushScheduled = false;
        flush();
    }

    void flush() {
        writeBatch();
        if (unflushed) {
            unflushed = false;
            context.flush();
            settle();
        }
    }

    // ------------------------------------------------------------------ memory

    /** The Data-In just sent took this much of the memory budget, which is due when they have left. */
    void owe(long bytes) {
        owedBytes += bytes;
        if (closed) {
            giveBack(bytes, 0);
        }
    }

    /** True if the initiator asks more than it reads answers. */
    boolean isFlooded() {
        return smallBytes > FLOOD_BYTES;
    }

    /** After a flush: mostly everything has left. If not, a marker behind it tells when it has. */
    private void settle() {
        ChannelOutboundBuffer queue = context.channel().unsafe().outboundBuffer();
        if (queue == null || queue.isEmpty()) {
            giveBack(owedBytes, smallBytes);
        } else if (!markerOut) {
            markerOut = true;
            long owed = owedBytes;
            int small = smallBytes;
            context.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
                markerOut = false;
                if (!closed) {
                    giveBack(owed, small);
                    settle();
                }
            });
            if (isFlooded()) {
                onDrained.run();
            }
        }
    }

    private void giveBack(long owed, int small) {
        boolean flooded = isFlooded();
        smallBytes -= small;
        if (flooded && !isFlooded()) {
            onDrained.run();
        }
        ConnectionMemory of = memory;
        if (of != null && owed > 0) {
            owedBytes -= owed;
            of.give(owed);
            afterGiving.run();
        }
    }

    private void writeBatch() {
        ByteBuf out = batch;
        if (out != null) {
            batch = null;
            unflushed = true;
            context.write(out, context.voidPromise());
        }
    }

    /** Something that was due cannot be sent: ends the connection, whose initiator would wait for ever. */
    void broken(Throwable cause) {
        context.pipeline().fireExceptionCaught(cause);
    }

    /** Gives memory back; nothing can be sent any more. */
    void close() {
        closed = true;
        giveBack(owedBytes, smallBytes);
        ByteBuf out = batch;
        batch = null;
        if (out != null) {
            out.release();
        }
    }
}
