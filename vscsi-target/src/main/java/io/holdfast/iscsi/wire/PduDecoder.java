package io.holdfast.iscsi.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of bytes into PDUs (RFC 7143 §11.1). A data segment is copied once, from the socket's buffer to where the
 * receiver wants it, unless it has taken it from there; a header is read into one re-used {@link BasicHeader}. Not thread-safe.
 *
 * <pre>
 *   HEADER ──► ADDITIONAL ──► DATA ──► TRAILER ──► (PDU is handed over) ──► HEADER
 *     48 bytes   AHS + digest   segment   padding + digest
 * </pre>
 */
public final class PduDecoder {

    /** Where decoded PDUs go. */
    public interface Receiver {

        /**
         * Asked when a header with a data segment has come: where to put its {@code lengthBytes} bytes. They are written
         * at the writer index. The buffer stays the receiver's.
         *
         * @return null to throw them away; their digest is checked all the same
         * @throws WireException to end the connection
         */
        @Nullable
        ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) throws WireException;

        /**
         * Data of a segment have come for which there is a target, and no digest. A receiver that can do at once what it wants
         * them for saves that they are copied.
         *
         * @param target with all of the segment that came before, up to its writer index
         * @param in where they are: {@code lengthBytes} from its reader index, off-heap. Not the receiver's
         * @return how many of them, from the beginning, are not to be put into the target
         */
        default int dataCame(BasicHeader header, ByteBuf target, ByteBuf in, int lengthBytes) {
            return 0;
        }

        /**
         * A whole PDU is there.
         *
         * @param data what {@link #dataSegmentTarget} returned, or an empty buffer if there was no data segment or it was
         *     thrown away
         * @throws WireException to end the connection
         */
        void pduReceived(BasicHeader header, ByteBuf data) throws WireException;

        /**
         * A whole PDU is there, but its data digest is wrong (RFC 7143 §7.8: the PDU is to be rejected).
         *
         * @throws WireException to end the connection
         */
        void dataDigestFailed(BasicHeader header, ByteBuf data) throws WireException;
    }

    private enum Stage {
        HEADER,
        ADDITIONAL,
        DATA,
        TRAILER
    }

    private static final int MAX_ADDITIONAL_BYTES = 255 * 4 + Integer.BYTES;

    private final BasicHeader header = new BasicHeader();
    private int maxDataSegmentBytes;
    private Digest headerDigest = Digest.NONE;
    private Digest dataDigest = Digest.NONE;

    private Stage stage = Stage.HEADER;
    private int filled;
    /** Additional header segments and digest. No request we take needs the segments; the digest covers them. */
    private byte @Nullable [] additional;

    private ByteBuf data = Unpooled.EMPTY_BUFFER;
    private int dataStart;
    /** The data segment is thrown away; its digest goes on from piece to piece. */
    private boolean skipping;

    private final CRC32C skipped = new CRC32C();
    private int receivedDigest;

    /** @param maxDataSegmentBytes our MaxRecvDataSegmentLength: a longer segment ends the connection */
    public PduDecoder(int maxDataSegmentBytes) {
        this.maxDataSegmentBytes = maxDataSegmentBytes;
    }

    /** Takes effect with the next header: called when login has agreed on them. */
    public void digests(Digest newHeaderDigest, Digest newDataDigest) {
        headerDigest = newHeaderDigest;
        dataDigest = newDataDigest;
    }

    /** Takes effect with the next header: called when login has agreed on it. */
    public void maxDataSegmentBytes(int newMaxDataSegmentBytes) {
        maxDataSegmentBytes = newMaxDataSegmentBytes;
    }

    /** True if the stream could end here without cutting a PDU in two. */
    public boolean atBoundary() {
        return stage == Stage.HEADER && filled == 0;
    }

    /**
     * Takes all of {@code in} and hands over the PDUs that became complete.
     *
     * @throws WireException if the bytes are not iSCSI or the receiver refused them; the decoder is of no use afterwards
     */
    public void decode(ByteBuf in, Receiver receiver) throws WireException {
        while (in.isReadable() || stage == Stage.TRAILER && trailerBytes() == 0) {
            switch (stage) {
                case HEADER -> readHeader(in, receiver);
                case ADDITIONAL -> readAdditional(in, receiver);
                case DATA -> readData(in, receiver);
                case TRAILER -> readTrailer(in, receiver);
            }
        }
    }

    private void readHeader(ByteBuf in, Receiver receiver) throws WireException {
        int take = Math.min(BasicHeader.BYTES - filled, in.readableBytes());
        in.readBytes(header.bytes(), filled, take);
        filled += take;
        if (filled < BasicHeader.BYTES) {
            return;
        }
        filled = 0;
        int length = header.dataSegmentBytes();
        if (length > maxDataSegmentBytes) {
            throw new WireException(Opcode.name(header.opcode()) + " announces a data segment of " + length
                    + " bytes; the limit is " + maxDataSegmentBytes);
        }
        if (additionalBytes() > 0) {
            stage = Stage.ADDITIONAL;
        } else {
            beginData(receiver);
        }
    }

    private int additionalBytes() {
        return header.additionalHeaderBytes() + headerDigest.bytes();
    }

    private void readAdditional(ByteBuf in, Receiver receiver) throws WireException {
        byte[] bytes = additional;
        if (bytes == null) {
            bytes = new byte[MAX_ADDITIONAL_BYTES];
            additional = bytes;
        }
        int take = Math.min(additionalBytes() - filled, in.readableBytes());
        in.readBytes(bytes, filled, take);
        filled += take;
        if (filled < additionalBytes()) {
            return;
        }
        filled = 0;
        if (headerDigest == Digest.CRC32C) {
            checkHeaderDigest(bytes);
        }
        beginData(receiver);
    }

    /** RFC 7143 §7.7: after a header digest error nothing in the stream can be trusted, the connection ends. */
    private void checkHeaderDigest(byte[] bytes) throws WireException {
        int at = header.additionalHeaderBytes();
        CRC32C crc = new CRC32C();
        crc.update(header.bytes(), 0, BasicHeader.BYTES);
        crc.update(bytes, 0, at);
        int sent = bytes[at] & 0xff
                | (bytes[at + 1] & 0xff) << 8
                | (bytes[at + 2] & 0xff) << 16
                | (bytes[at + 3] & 0xff) << 24;
        if (sent != (int) crc.getValue()) {
            throw new WireException(String.format("header digest 0x%08x, computed 0x%08x", sent, (int) crc.getValue()));
        }
    }

    private void beginData(Receiver receiver) throws WireException {
        int length = header.dataSegmentBytes();
        if (length == 0) {
            data = Unpooled.EMPTY_BUFFER;
            stage = Stage.HEADER;
            receiver.pduReceived(header, data);
            return;
        }
        ByteBuf target = receiver.dataSegmentTarget(header, length);
        skipping = target == null;
        skipped.reset();
        data = target == null ? Unpooled.EMPTY_BUFFER : target;
        dataStart = data.writerIndex();
        stage = Stage.DATA;
    }

    private void readData(ByteBuf in, Receiver receiver) {
        int take = Math.min(header.dataSegmentBytes() - filled, in.readableBytes());
        if (skipping) {
            if (dataDigest == Digest.CRC32C) {
                Digest.update(skipped, in, in.readerIndex(), take);
            }
            in.skipBytes(take);
        } else {
            int taken =
                    dataDigest == Digest.NONE && in.hasMemoryAddress() ? receiver.dataCame(header, data, in, take) : 0;
            in.skipBytes(taken);
            data.writerIndex(data.writerIndex() + taken).writeBytes(in, take - taken);
        }
        filled += take;
        if (filled == header.dataSegmentBytes()) {
            filled = 0;
            receivedDigest = 0;
            stage = Stage.TRAILER;
        }
    }

    private int trailerBytes() {
        return Padding.of(header.dataSegmentBytes()) + dataDigest.bytes();
    }

    private void readTrailer(ByteBuf in, Receiver receiver) throws WireException {
        int padding = Padding.of(header.dataSegmentBytes());
        int end = trailerBytes();
        while (filled < end && in.isReadable()) {
            int b = in.readUnsignedByte();
            if (filled >= padding) {
                receivedDigest |= b << 8 * (filled - padding);
            }
            filled++;
        }
        if (filled < end) {
            return;
        }
        filled = 0;
        stage = Stage.HEADER;
        if (dataDigest == Digest.CRC32C && computedDigest() != receivedDigest) {
            receiver.dataDigestFailed(header, data);
        } else {
            receiver.pduReceived(header, data);
        }
    }

    private int computedDigest() {
        return skipping
                ? Digest.finish(skipped, header.dataSegmentBytes())
                : Digest.crc32c(data, dataStart, header.dataSegmentBytes());
    }
}
