package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TransportIdTest {
    @Test
    void shouldWriteAnInitiatorPortAsTheStandardDoes() {
        byte[] id = TransportId.encode("iqn.a,i,0x00023d000001");

        assertThat(id).hasSize(4 + 24).startsWith(0x45, 0, 0, 24);
        assertThat(new String(id, 4, 22, StandardCharsets.US_ASCII)).isEqualTo("iqn.a,i,0x00023d000001");
        assertThat(id[26]).isZero();
        assertThat(TransportId.parse(id, 0, id.length)).isEqualTo(new TransportId("iqn.a,i,0x00023d000001", 28));
    }

    @Test
    void shouldEndNamesThatFillTheirWordsWithANull() {
        byte[] id = TransportId.encode("iqn.abc,i,0x00023d000001");

        assertThat(id).hasSize(4 + 28);
        assertThat(id[31]).isZero();
    }

    @Test
    void shouldReadNamesAsTheyAreCompared() {
        byte[] id = TransportId.encode("IQN.A,i,0x23D000001");
        assertThat(TransportId.parse(id, 0, id.length))
                .extracting(TransportId::name)
                .isEqualTo("iqn.a,i,0x00023d000001");
    }

    @Test
    void shouldMatchThePortsOfADevice() {
        byte[] bytes = TransportId.encode("iqn.a");
        TransportId id = TransportId.parse(bytes, 0, bytes.length);

        assertThat(bytes).startsWith(0x05);
        assertThat(id).isNotNull();
        assertThat(id.names("iqn.a,i,0x00023d000001")).isTrue();
        assertThat(id.names("iqn.ab,i,0x00023d000001")).isFalse();
    }

    @Test
    void shouldRefuseWhatIsNoIscsiTransportId() {
        byte[] good = TransportId.encode("iqn.a,i,0x00023d000001");

        assertThat(parse(good, 0, 0x46)).as("SAS").isNull();
        assertThat(parse(good, 0, 0x05)).as("a port in the format of devices").isNull();
        assertThat(parse(good, 3, 20)).as("cut short").isNull();
        assertThat(parse(good, 3, 28)).as("beyond the list").isNull();
        assertThat(parse(good, 5, ' ')).as("a blank").isNull();
        assertThat(parse(good, 4, 0)).as("no name").isNull();
        assertThat(parse(good, 20, 'x')).as("no hexadecimal number").isNull();
        assertThat(TransportId.parse(Arrays.copyOf(good, 20), 0, 20)).isNull();
    }

    @Test
    void shouldSurviveNonsense() {
        Random random = new Random(1);
        byte[] good = TransportId.encode("iqn.a,i,0x00023d000001");
        for (int i = 0; i < 20_000; i++) {
            byte[] bad = Arrays.copyOf(good, 24 + random.nextInt(12));
            for (int n = random.nextInt(4); n >= 0; n--) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            TransportId id = TransportId.parse(bad, 0, bad.length);
            assertThat(id == null || id.lengthBytes() <= bad.length).isTrue();
        }
    }

    private static @Nullable Object parse(byte[] good, int index, int value) {
        byte[] changed = good.clone();
        changed[index] = (byte) value;
        return TransportId.parse(changed, 0, changed.length);
    }
}
