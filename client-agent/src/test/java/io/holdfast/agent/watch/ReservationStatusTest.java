package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** READ FULL STATUS as SPC-4 §6.15.5 lays it out. */
class ReservationStatusTest {
    private static final int WRITE_EXCLUSIVE = 1;
    private static final int WRITE_EXCLUSIVE_REGISTRANTS = 5;
    private static final Set<String> OWN = Set.of("iqn.t:vm");

    private final ByteArrayOutputStream descriptors = new ByteArrayOutputStream();

    private ReservationStatusTest with(String initiator, boolean holder, int type) {
        byte[] name = (initiator + "\0\0\0").getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(24 + 4 + name.length);
        out.putLong(7).putInt(0).put((byte) (holder ? 1 : 0)).put((byte) type);
        out.putInt(0).putShort((short) 1).putInt(4 + name.length);
        out.put((byte) 0x45).put((byte) 0).putShort((short) name.length).put(name);
        descriptors.writeBytes(out.array());
        return this;
    }

    private String holder() {
        ByteBuffer all = ByteBuffer.allocate(8 + descriptors.size());
        all.putInt(1).putInt(descriptors.size()).put(descriptors.toByteArray());
        return ReservationStatus.foreignHolder(all.array(), OWN);
    }

    @Test
    void shouldFindNobodyWhereNobodyHolds() {
        assertThat(holder()).isEmpty();
        assertThat(with("iqn.t:other", false, 0).holder()).isEmpty();
    }

    @Test
    void shouldNameAForeignHolder() {
        with("IQN.t:Other,i,0x800000000001", true, WRITE_EXCLUSIVE).with("iqn.t:vm", false, 0);

        assertThat(holder()).isEqualTo("iqn.t:other");
    }

    @Test
    void shouldNotObjectToTheVmsOwnReservation() {
        assertThat(with("iqn.t:vm,i,0x80123456000a", true, WRITE_EXCLUSIVE).holder())
                .isEmpty();
    }

    @Test
    void shouldNotObjectWhereTheVmIsOneOfTheRegistrants() {
        with("iqn.t:other", true, WRITE_EXCLUSIVE_REGISTRANTS).with("iqn.t:vm", false, 0);

        assertThat(holder()).isEmpty();
    }

    @Test
    void shouldPassOverWhatIsCutOff() {
        with("iqn.t:other", true, WRITE_EXCLUSIVE);
        byte[] whole = ByteBuffer.allocate(8 + descriptors.size())
                .putLong(0)
                .put(descriptors.toByteArray())
                .array();
        for (int length = 0; length < whole.length; length++) {
            assertThat(ReservationStatus.foreignHolder(java.util.Arrays.copyOf(whole, length), OWN))
                    .isEmpty();
        }
    }
}
