package io.holdfast.iscsi.wire;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.provider.MethodSource;

/** Any stream of bytes, cut anywhere: the decoder hands over the same PDUs, or refuses at the same place. */
class PduDecoderFuzz {
    private static final int LIMIT = 4096;
    private static final int HEADER_DIGEST = 1;
    private static final int DATA_DIGEST = 2;
    private static final int SKIP = 4;

    /** The first byte says which digests were agreed on and whether data are thrown away, the second where it is cut. */
    private static final int PREFIX_BYTES = 2;

    static Stream<byte[]> seeds() {
        String ping = "40800000000000050000000000000000" + "00000001ffffffff" + "0000000200000003" + "00".repeat(16)
                + "70696e6721000000";
        String additional = "01810000010000000000000000000000" + "0000000200000200" + "0000000200000003"
                + "28000000000000000100" + "000000000000" + "aabbccdd";
        return Stream.of("0000" + ping, "0007" + ping + ping, "0003" + additional + ping, "0530" + ping, "0630" + ping)
                .map(HexFormat.of()::parseHex);
    }

    @MethodSource("seeds")
    @FuzzTest
    void shouldTakeTheSameFromAStreamHoweverItIsCut(byte[] input) {
        if (input.length < PREFIX_BYTES) {
            return;
        }
        int piece = Math.max(1, input[1] & 0xff);
        assertThat(decode(input, piece)).isEqualTo(decode(input, input.length));
    }

    private static List<String> decode(byte[] input, int pieceBytes) {
        int options = input[0];
        PduDecoder decoder = new PduDecoder(LIMIT);
        decoder.digests(
                (options & HEADER_DIGEST) != 0 ? Digest.CRC32C : Digest.NONE,
                (options & DATA_DIGEST) != 0 ? Digest.CRC32C : Digest.NONE);
        Heard heard = new Heard((options & SKIP) != 0);
        try {
            for (int at = PREFIX_BYTES; at < input.length; at += pieceBytes) {
                ByteBuf in = Unpooled.wrappedBuffer(input, at, Math.min(pieceBytes, input.length - at));
                decoder.decode(in, heard);
                assertThat(in.isReadable()).as("everything is taken").isFalse();
            }
            heard.all.add("at boundary: " + decoder.atBoundary());
        } catch (WireException e) {
            heard.all.add("refused: " + e.getMessage());
        }
        return heard.all;
    }

    private static final class Heard implements PduDecoder.Receiver {
        private final List<String> all = new ArrayList<>();
        private final boolean skip;

        Heard(boolean skip) {
            this.skip = skip;
        }

        @Override
        public @Nullable ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
            assertThat(lengthBytes).isBetween(1, LIMIT);
            return skip ? null : Unpooled.buffer(lengthBytes, lengthBytes);
        }

        @Override
        public void pduReceived(BasicHeader header, ByteBuf data) {
            assertThat(data.readableBytes()).isEqualTo(skip ? 0 : header.dataSegmentBytes());
            all.add(ByteBufUtil.hexDump(header.bytes()) + " " + ByteBufUtil.hexDump(data));
        }

        @Override
        public void dataDigestFailed(BasicHeader header, ByteBuf data) {
            all.add("wrong data digest: " + header);
        }
    }
}
