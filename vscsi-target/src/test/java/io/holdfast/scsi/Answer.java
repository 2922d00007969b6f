package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** What came back for a command, with the sense data read as an initiator reads it. */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Answer(ScsiStatus status, byte[] sense, byte[] data, long dataOutWanted) {

    Answer isGood() {
        assertThat(status).as("status, sense %s", Arrays.toString(sense)).isEqualTo(ScsiStatus.GOOD);
        assertThat(sense).isEmpty();
        return this;
    }

    Answer failsWith(SenseCode code) {
        assertThat(status).isEqualTo(ScsiStatus.CHECK_CONDITION);
        assertThat(data).isEmpty();
        assertThat(describe(key(), asc(), ascq())).isEqualTo(describe(code.key().code(), code.asc(), code.ascq()));
        return this;
    }

    /** INVALID FIELD IN CDB, pointing at a byte. */
    Answer complainsOfCdbByte(int index) {
        failsWith(SenseCode.INVALID_FIELD_IN_CDB);
        assertThat(sense[15] & 0xc0).as("SKSV and C/D").isEqualTo(0xc0);
        assertThat(ByteBuffer.wrap(sense).getShort(16)).as("field pointer").isEqualTo((short) index);
        return this;
    }

    /** INVALID FIELD IN PARAMETER LIST, pointing at a byte. */
    Answer complainsOfParameterByte(int index) {
        failsWith(SenseCode.INVALID_FIELD_IN_PARAMETER_LIST);
        assertThat(sense[15] & 0xc0).as("SKSV and C/D").isEqualTo(0x80);
        assertThat(ByteBuffer.wrap(sense).getShort(16)).as("field pointer").isEqualTo((short) index);
        return this;
    }

    boolean isDescriptorFormat() {
        return (sense[0] & 0x7f) == 0x72;
    }

    int key() {
        return sense[isDescriptorFormat() ? 1 : 2] & 0x0f;
    }

    int asc() {
        return sense[isDescriptorFormat() ? 2 : 12] & 0xff;
    }

    int ascq() {
        return sense[isDescriptorFormat() ? 3 : 13] & 0xff;
    }

    /** The INFORMATION field of fixed format sense data, which must be valid. */
    long information() {
        assertThat(sense[0] & 0xff).as("VALID and fixed format").isEqualTo(0xf0);
        return ByteBuffer.wrap(sense).getInt(3) & 0xffff_ffffL;
    }

    int u8(int at) {
        return data[at] & 0xff;
    }

    int u16(int at) {
        return ByteBuffer.wrap(data).getShort(at) & 0xffff;
    }

    long u32(int at) {
        return ByteBuffer.wrap(data).getInt(at) & 0xffff_ffffL;
    }

    long u64(int at) {
        return ByteBuffer.wrap(data).getLong(at);
    }

    private static String describe(int key, int asc, int ascq) {
        return String.format("%Xh/%02Xh/%02Xh", key, asc, ascq);
    }
}
