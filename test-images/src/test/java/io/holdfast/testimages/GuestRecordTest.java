package io.holdfast.testimages;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GuestRecordTest {
    private static final GuestRecord RECORD = new GuestRecord(0, 7, 2048, 0, 0x212f3c);

    @Test
    void shouldEncodeTheSameBytesAsTheGuest() {
        // The first 80 bytes of a record that a guest wrote: the two programs share no code, only this.
        assertThat(Arrays.copyOf(RECORD.encode(), 80))
                .isEqualTo(HexFormat.of()
                        .parseHex("484f4c444641535401000000000000000700000000000000"
                                + "00080000000000003c2f21000000000000000000204b7cff"
                                + "7ac0abb6ee47dfa9bfe4aeb75ae845476c9032d138b17fb2"
                                + "1a0d88f401d9266a"));
    }

    @Test
    void shouldReadBackWhatItEncodes() {
        GuestRecord record = new GuestRecord(3, 1L << 40, 256, 3, Long.MAX_VALUE);
        assertThat(GuestRecord.decode(record.encode())).contains(record);
    }

    @Test
    void shouldSeeEveryFlippedByte() {
        Random random = new Random(1);
        byte[] bytes = RECORD.encode();
        for (int at = 0; at < bytes.length; at++) {
            byte before = bytes[at];
            bytes[at] ^= (byte) (1 << random.nextInt(8));
            assertThat(GuestRecord.decode(bytes)).as("byte %d", at).isEmpty();
            bytes[at] = before;
        }
    }

    @Test
    void shouldSeeASectorOfAnotherRecord() {
        byte[] bytes = RECORD.encode();
        byte[] newer = new GuestRecord(0, 7 + 2048, 2048, 0, 0x212f3c).encode();
        for (int sector = 0; sector < bytes.length; sector += 512) {
            byte[] mixed = bytes.clone();
            System.arraycopy(newer, sector, mixed, sector, 512);
            assertThat(GuestRecord.decode(mixed)).as("sector at %d", sector).isEmpty();
        }
    }

    @Test
    void shouldNotTakeZeroesOrNoiseForARecord() {
        byte[] bytes = new byte[GuestRecord.SIZE_BYTES];
        assertThat(GuestRecord.decode(bytes)).isEmpty();
        new Random(2).nextBytes(bytes);
        assertThat(GuestRecord.decode(bytes)).isEmpty();
    }
}
