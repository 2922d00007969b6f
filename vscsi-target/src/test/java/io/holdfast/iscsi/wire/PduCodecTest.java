package io.holdfast.iscsi.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Framing both ways (RFC 7143 §11.1, §13.1). */
class PduCodecTest {
    private static final int LIMIT = 65536;

    /** A NOP-Out with "ping!" as it stands on the wire: header, data, three bytes of padding. */
    private static final String GOLDEN = "4080000000000005" // I, NOP-Out, F, no AHS, 5 bytes
            + "0000000000000000" // LUN
            + "00000001ffffffff" // task tag, no transfer tag
            + "0000000200000003" // CmdSN, ExpStatSN
            + "00000000000000000000000000000000"
            + "70696e6721000000";

    private static final byte[] GOLDEN_BYTES = HexFormat.of().parseHex(GOLDEN);

    private static BasicHeader goldenHeader() {
        BasicHeader header = new BasicHeader()
                .begin(Opcode.NOP_OUT, BasicHeader.FINAL)
                .initiatorTaskTag(1)
                .targetTransferTag(BasicHeader.NO_TAG)
                .cmdSn(2)
                .expStatSn(3);
        header.immediate(true);
        return header;
    }

    /** Writes down what the decoder hands over. */
    private static final class Heard implements PduDecoder.Receiver {
        final List<String> heard = new ArrayList<>();

        @Override
        public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
            return Unpooled.buffer(lengthBytes, lengthBytes);
        }

        @Override
        public void pduReceived(BasicHeader header, ByteBuf data) {
            heard.add(header + " " + ByteBufUtil.hexDump(data));
        }

        @Override
        public void dataDigestFailed(BasicHeader header, ByteBuf data) {
            heard.add("wrong data digest");
        }
    }

    private static PduDecoder decoder(Digest header, Digest data) {
        PduDecoder decoder = new PduDecoder(LIMIT);
        decoder.digests(header, data);
        return decoder;
    }

    private static byte[] encode(BasicHeader header, byte[] data, Digest headerDigest, Digest dataDigest) {
        PduEncoder encoder = new PduEncoder();
        encoder.digests(headerDigest, dataDigest);
        ByteBuf out = Unpooled.buffer();
        encoder.writePdu(header, data, data.length, out);
        assertThat(out.readableBytes()).isEqualTo(encoder.pduBytes(data.length));
        return ByteBufUtil.getBytes(out);
    }

    @Test
    void shouldWriteTheGoldenBytes() {
        byte[] written = encode(goldenHeader(), "ping!".getBytes(StandardCharsets.US_ASCII), Digest.NONE, Digest.NONE);
        assertThat(HexFormat.of().formatHex(written)).isEqualTo(GOLDEN);
    }

    @Test
    void shouldReadTheGoldenBytesCutAtEveryPlace() throws WireException {
        for (int cut = 0; cut <= GOLDEN_BYTES.length; cut++) {
            PduDecoder decoder = decoder(Digest.NONE, Digest.NONE);
            Heard record = new Heard();
            decoder.decode(Unpooled.wrappedBuffer(GOLDEN_BYTES, 0, cut), record);
            assertThat(record.heard).as("after %d bytes", cut).hasSize(cut == GOLDEN_BYTES.length ? 1 : 0);
            assertThat(decoder.atBoundary()).isEqualTo(cut == 0 || cut == GOLDEN_BYTES.length);
            decoder.decode(Unpooled.wrappedBuffer(GOLDEN_BYTES, cut, GOLDEN_BYTES.length - cut), record);
            assertThat(record.heard).containsExactly("NOP-Out itt 0x00000001, 5 bytes 70696e6721");
        }
    }

    @ParameterizedTest
    @CsvSource({"NONE,5", "CRC32C,5", "NONE,4096", "CRC32C,4096"})
    void shouldThrowDataAwayAndStillCheckTheirDigest(Digest dataDigest, int length) throws WireException {
        byte[] data = new byte[length];
        new Random(length).nextBytes(data);
        byte[] whole = encode(goldenHeader(), data, Digest.NONE, dataDigest);
        byte[] wrong = whole.clone();
        wrong[50] ^= 1;
        List<String> heard = new ArrayList<>();
        PduDecoder.Receiver careless = new PduDecoder.Receiver() {
            @Override
            public @Nullable ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
                return null;
            }

            @Override
            public void pduReceived(BasicHeader header, ByteBuf nothing) {
                heard.add(header.dataSegmentBytes() + " bytes, " + nothing.readableBytes() + " kept");
            }

            @Override
            public void dataDigestFailed(BasicHeader header, ByteBuf nothing) {
                heard.add("wrong data digest");
            }
        };
        PduDecoder decoder = decoder(Digest.NONE, dataDigest);
        for (byte[] pdu : List.of(whole, wrong, whole)) {
            for (byte one : pdu) {
                decoder.decode(Unpooled.wrappedBuffer(new byte[] {one}), careless);
            }
        }
        String taken = length + " bytes, 0 kept";
        assertThat(heard).containsExactly(taken, dataDigest == Digest.NONE ? taken : "wrong data digest", taken);
    }

    /** Takes the first half of whatever data it is offered. */
    private static final class HalfTaker implements PduDecoder.Receiver {
        private final byte[] all;
        private int offers;
        private int received;

        HalfTaker(int lengthBytes) {
            all = new byte[lengthBytes];
        }

        @Override
        public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
            return Unpooled.buffer(lengthBytes, lengthBytes);
        }

        @Override
        public int dataCame(BasicHeader header, ByteBuf target, ByteBuf in, int lengthBytes) {
            offers++;
            int taken = lengthBytes - lengthBytes / 2;
            in.getBytes(in.readerIndex(), all, target.writerIndex(), taken);
            return taken;
        }

        @Override
        public void pduReceived(BasicHeader header, ByteBuf data) {
            // What it took has been left out of the target, which was all zeroes.
            for (int i = 0; i < data.readableBytes(); i++) {
                all[i] |= data.getByte(i);
            }
            received++;
        }

        @Override
        public void dataDigestFailed(BasicHeader header, ByteBuf data) {
            throw new AssertionError("wrong data digest in " + header);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 1000, 5000})
    void shouldPutWhereItBelongsWhatTheReceiverDoesNotTake(int pieceBytes) throws WireException {
        byte[] data = new byte[4095];
        new Random(pieceBytes).nextBytes(data);
        byte[] pdu = encode(goldenHeader(), data, Digest.NONE, Digest.NONE);
        HalfTaker receiver = new HalfTaker(data.length);
        PduDecoder decoder = decoder(Digest.NONE, Digest.NONE);
        for (int at = 0; at < pdu.length; at += pieceBytes) {
            ByteBuf in = Unpooled.directBuffer().writeBytes(pdu, at, Math.min(pieceBytes, pdu.length - at));
            decoder.decode(in, receiver);
            assertThat(in.isReadable()).as("everything is taken").isFalse();
            in.release();
        }
        assertThat(receiver.received).isEqualTo(1);
        assertThat(receiver.offers).isPositive();
        assertThat(receiver.all).isEqualTo(data);
    }

    @ParameterizedTest
    @CsvSource({"CRC32C,true", "NONE,false"})
    void shouldOfferNoDataThatADigestCoversOrThatLieOnTheHeap(Digest dataDigest, boolean offHeap) throws WireException {
        byte[] data = new byte[4095];
        new Random(1).nextBytes(data);
        byte[] pdu = encode(goldenHeader(), data, Digest.NONE, dataDigest);
        HalfTaker receiver = new HalfTaker(data.length);
        ByteBuf in = (offHeap ? Unpooled.directBuffer() : Unpooled.buffer()).writeBytes(pdu);
        decoder(Digest.NONE, dataDigest).decode(in, receiver);
        in.release();
        assertThat(receiver.offers).isZero();
        assertThat(receiver.all).isEqualTo(data);
    }

    @Test
    void shouldCarryTheKnownDigestOfZeroes() {
        // RFC 7143 Appendix A.4: 32 bytes of zeroes have the CRC aa 36 91 8a on the wire.
        byte[] written = encode(goldenHeader(), new byte[32], Digest.NONE, Digest.CRC32C);
        assertThat(HexFormat.of().formatHex(written, 80, 84)).isEqualTo("aa36918a");
    }

    @ParameterizedTest
    @CsvSource({"NONE,NONE", "CRC32C,NONE", "NONE,CRC32C", "CRC32C,CRC32C"})
    void shouldReadWhatItWritesByteByByteWithEveryPaddingAndDigest(Digest headerDigest, Digest dataDigest)
            throws WireException {
        PduDecoder decoder = decoder(headerDigest, dataDigest);
        Heard record = new Heard();
        List<String> expected = new ArrayList<>();
        Random random = new Random(7);
        for (int length = 0; length < 40; length++) {
            byte[] data = new byte[length];
            random.nextBytes(data);
            byte[] wire = encode(goldenHeader(), data, headerDigest, dataDigest);
            assertThat((wire.length - BasicHeader.BYTES) % 4).as("whole words").isZero();
            for (byte b : wire) {
                decoder.decode(Unpooled.wrappedBuffer(new byte[] {b}), record);
            }
            expected.add("NOP-Out itt 0x00000001, " + length + " bytes "
                    + HexFormat.of().formatHex(data));
        }
        assertThat(record.heard).isEqualTo(expected);
    }

    @Test
    void shouldReadManyPdusFromOneBuffer() throws WireException {
        ByteBuf all = Unpooled.buffer();
        for (int i = 0; i < 100; i++) {
            all.writeBytes(GOLDEN_BYTES);
        }
        Heard record = new Heard();
        decoder(Digest.NONE, Digest.NONE).decode(all, record);
        assertThat(record.heard).hasSize(100);
    }

    @ParameterizedTest
    @ValueSource(ints = {48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59})
    void shouldFindEveryFlippedByteOfTheDataSegment(int at) throws WireException {
        byte[] wire = encode(goldenHeader(), new byte[5], Digest.NONE, Digest.CRC32C);
        assertThat(wire).hasSize(60);
        wire[at] ^= 0x10;
        Heard record = new Heard();
        decoder(Digest.NONE, Digest.CRC32C).decode(Unpooled.wrappedBuffer(wire), record);
        boolean padding = at >= 53 && at < 56;
        // The digest covers the padding as zeroes, so what really stands there does not matter.
        assertThat(record.heard.get(0)).startsWith(padding ? "NOP-Out" : "wrong data digest");
    }

    @Test
    void shouldEndAtAWrongHeaderDigest() {
        for (int at = 0; at < BasicHeader.BYTES + 4; at++) {
            if (at >= 4 && at < 8) {
                continue; // lengths: what follows is framed differently, and not to be had here
            }
            byte[] wire = encode(goldenHeader(), new byte[0], Digest.CRC32C, Digest.NONE);
            wire[at] ^= 1;
            assertThatThrownBy(
                            () -> decoder(Digest.CRC32C, Digest.NONE).decode(Unpooled.wrappedBuffer(wire), new Heard()))
                    .isInstanceOf(WireException.class)
                    .hasMessageContaining("header digest");
        }
    }

    @ParameterizedTest
    @EnumSource(Digest.class)
    void shouldSkipAdditionalHeadersAndCoverThemWithTheDigest(Digest digest) throws WireException {
        BasicHeader header = goldenHeader();
        header.bytes()[4] = 2; // two words of AHS
        byte[] ahs = {0, 5, 1, 0, 1, 2, 3, 4};
        ByteBuf wire = Unpooled.buffer();
        wire.writeBytes(header.bytes());
        wire.writeBytes(ahs);
        if (digest == Digest.CRC32C) {
            wire.writeIntLE(Digest.crc32c(wire, 0, BasicHeader.BYTES + ahs.length));
        }
        wire.writeBytes(GOLDEN_BYTES, 0, 0);
        byte[] whole = ByteBufUtil.getBytes(wire);
        Heard record = new Heard();
        PduDecoder decoder = decoder(digest, Digest.NONE);
        for (byte b : whole) {
            decoder.decode(Unpooled.wrappedBuffer(new byte[] {b}), record);
        }
        assertThat(record.heard).containsExactly("NOP-Out itt 0x00000001, 0 bytes ");
        assertThat(decoder.atBoundary()).isTrue();
    }

    @Test
    void shouldEndAtASegmentThatIsTooLongBeforeTakingMemoryForIt() {
        BasicHeader header = goldenHeader().dataSegmentBytes(LIMIT + 1);
        assertThatThrownBy(() ->
                        decoder(Digest.NONE, Digest.NONE).decode(Unpooled.wrappedBuffer(header.bytes()), new Heard()))
                .isInstanceOf(WireException.class)
                .hasMessage("NOP-Out announces a data segment of 65537 bytes; the limit is 65536");
    }

    @Test
    void shouldSurviveRandomBytes() {
        Random random = new Random(1);
        for (int round = 0; round < 2000; round++) {
            byte[] junk = new byte[random.nextInt(600)];
            random.nextBytes(junk);
            if (round % 2 == 0 && junk.length > 8) {
                junk[5] = 0; // lengths that fit, so that more than the first header is reached
                junk[6] = 0;
                junk[4] &= 3;
            }
            Digest digest = round % 3 == 0 ? Digest.CRC32C : Digest.NONE;
            PduDecoder decoder = decoder(round % 5 == 0 ? Digest.CRC32C : Digest.NONE, digest);
            Heard record = new Heard();
            int cut = junk.length == 0 ? 0 : random.nextInt(junk.length);
            try {
                decoder.decode(Unpooled.wrappedBuffer(Arrays.copyOf(junk, cut)), record);
                decoder.decode(Unpooled.wrappedBuffer(Arrays.copyOfRange(junk, cut, junk.length)), record);
            } catch (WireException e) {
                assertThat(e.getMessage()).isNotBlank().doesNotContain("\n");
            }
            assertThat(record.heard.size()).isLessThanOrEqualTo(junk.length / BasicHeader.BYTES);
        }
    }
}
