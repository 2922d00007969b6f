package io.holdfast.iscsi.wire;

import io.netty.buffer.ByteBuf;
import java.util.zip.CRC32C;

/** Puts PDUs on the wire (RFC 7143 §11.1), with the digests that login agreed on. Not thread-safe. */
public final class PduEncoder {
    private Digest headerDigest = Digest.NONE;
    private Digest dataDigest = Digest.NONE;

    /** Takes effect with the next PDU: called when login has agreed on them. */
    public void digests(Digest newHeaderDigest, Digest newDataDigest) {
        headerDigest = newHeaderDigest;
        dataDigest = newDataDigest;
    }

    /** How many bytes a header takes, its digest included. */
    public int headerBytes() {
        return BasicHeader.BYTES + headerDigest.bytes();
    }

    /** How many bytes follow a data segment: padding and digest. */
    public int trailerBytes(int dataSegmentBytes) {
        return dataSegmentBytes == 0 ? 0 : Padding.of(dataSegmentBytes) + dataDigest.bytes();
    }

    /** Writes the header and its digest at the writer index. */
    public void writeHeader(BasicHeader header, ByteBuf out) {
        out.writeBytes(header.bytes());
        if (headerDigest == Digest.CRC32C) {
            CRC32C crc = new CRC32C();
            crc.update(header.bytes(), 0, BasicHeader.BYTES);
            out.writeIntLE((int) crc.getValue());
        }
    }

    /**
     * Writes padding and data digest of a segment that stands in {@code data}.
     *
     * @param data holds the segment at {@code index}; may be {@code out} itself
     */
    public void writeTrailer(ByteBuf data, int index, int length, ByteBuf out) {
        if (length == 0) {
            return;
        }
        int digest = dataDigest == Digest.CRC32C ? Digest.crc32c(data, index, length) : 0;
        out.writeZero(Padding.of(length));
        if (dataDigest == Digest.CRC32C) {
            out.writeIntLE(digest);
        }
    }

    /** Writes a whole PDU whose data segment is a few bytes of heap memory; sets the header's DataSegmentLength. */
    public void writePdu(BasicHeader header, byte[] segment, int length, ByteBuf out) {
        header.dataSegmentBytes(length);
        writeHeader(header, out);
        int at = out.writerIndex();
        out.writeBytes(segment, 0, length);
        writeTrailer(out, at, length, out);
    }

    /** How many bytes {@link #writePdu} will write. */
    public int pduBytes(int dataSegmentBytes) {
        return headerBytes() + dataSegmentBytes + trailerBytes(dataSegmentBytes);
    }
}
