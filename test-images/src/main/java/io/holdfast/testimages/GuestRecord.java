package io.holdfast.testimages;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * One numbered record as the guest writes it; the layout is described in {@code src/main/c/record.h}. Every byte follows
 * from these fields, so a record is intact exactly if its bytes are those it would be written with again.
 *
 * @param writer number of the writer
 * @param sequence from 1
 * @param slots of the writer's ring
 * @param mode how the writer makes records durable
 * @param uptimeMicros the guest's CLOCK_MONOTONIC when the record was made
 */
record GuestRecord(int writer, long sequence, int slots, int mode, long uptimeMicros) {
    static final int SIZE_BYTES = 4096;

    private static final byte[] MAGIC = "HOLDFAST".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int CRC_OFFSET = 44;
    private static final int PAYLOAD_OFFSET = 48;

    /** The record in these {@link #SIZE_BYTES} bytes; empty if they are not an intact one. */
    static Optional<GuestRecord> decode(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        GuestRecord claimed = new GuestRecord(
                buffer.getInt(12), buffer.getLong(16), buffer.getInt(24), buffer.getInt(28), buffer.getLong(32));
        return Arrays.equals(bytes, claimed.encode()) ? Optional.of(claimed) : Optional.empty();
    }

    byte[] encode() {
        byte[] bytes = new byte[SIZE_BYTES];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        buffer.put(MAGIC).putInt(VERSION).putInt(writer).putLong(sequence);
        buffer.putInt(slots).putInt(mode).putLong(uptimeMicros);
        fillPayload(buffer.position(PAYLOAD_OFFSET));
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        buffer.putInt(CRC_OFFSET, (int) crc.getValue());
        return bytes;
    }

    /** splitmix64, seeded so that every sector of every record is different. */
    private void fillPayload(ByteBuffer buffer) {
        long state = sequence * 1000003L + Integer.toUnsignedLong(writer);
        while (buffer.hasRemaining()) {
            state += 0x9e3779b97f4a7c15L;
            long z = state;
            z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
            z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
            buffer.putLong(z ^ (z >>> 31));
        }
    }
}
