package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModeTest {
    private static final int CURRENT = 0x00;
    private static final int CHANGEABLE = 0x40;
    private static final int DEFAULT = 0x80;
    private static final int SAVED = 0xc0;
    private static final int DBD = 0x08;

    private final TestBackend backend = new TestBackend(1 << 20);
    private final LogicalUnit unit = Initiator.unit(backend);
    private final Initiator initiator = Initiator.of(unit);

    @Test
    void shouldReturnAllPagesWithHeaderAndBlockDescriptor() {
        Answer answer = sense6(CURRENT, 0x3f, 0).isGood();

        assertThat(answer.u8(0)).as("mode data length").isEqualTo(answer.data().length - 1);
        assertThat(answer.u8(2)).as("DPOFUA, not write protected").isEqualTo(0x10);
        assertThat(answer.u8(3)).as("block descriptor length").isEqualTo(8);
        assertThat(answer.u32(4)).isEqualTo(2048);
        assertThat(answer.u32(8)).isEqualTo(512);
        assertThat(List.of(answer.u8(12), answer.u8(32), answer.u8(44))).containsExactly(0x08, 0x0a, 0x1c);
        assertThat(answer.data()).hasSize(56);
    }

    @Test
    void shouldReturnTheSameInTheTenByteForm() {
        Answer ten = initiator
                .send(CdbBuilder.cdb(ScsiCommand.MODE_SENSE_10).set(2, 0x3f).length(512))
                .isGood();

        assertThat(ten.u16(0)).isEqualTo(ten.data().length - 2);
        assertThat(ten.u8(3)).isEqualTo(0x10);
        assertThat(ten.u16(6)).isEqualTo(8);
        byte[] six = sense6(CURRENT, 0x3f, 0).data();
        assertThat(Arrays.copyOfRange(ten.data(), 8, ten.data().length))
                .isEqualTo(Arrays.copyOfRange(six, 4, six.length));
    }

    @Test
    void shouldReturnALongBlockDescriptorWhenItIsAccepted() {
        Answer answer = initiator
                .send(CdbBuilder.cdb(ScsiCommand.MODE_SENSE_10)
                        .set(1, 0x10)
                        .set(2, 8)
                        .length(512))
                .isGood();

        assertThat(answer.u8(4)).as("LONGLBA").isEqualTo(1);
        assertThat(answer.u16(6)).isEqualTo(16);
        assertThat(answer.u64(8)).isEqualTo(2048);
        assertThat(answer.u32(20)).isEqualTo(512);
    }

    @Test
    void shouldLeaveOutTheBlockDescriptorOnRequest() {
        Answer answer = sense6(CURRENT, 0x08, DBD).isGood();

        assertThat(answer.u8(3)).isZero();
        assertThat(answer.u8(4)).isEqualTo(0x08);
        assertThat(answer.u8(6) & 0x04).as("WCE").isEqualTo(0x04);
    }

    @Test
    void shouldShowWhatCanBeChanged() {
        assertThat(sense6(CHANGEABLE, 0x08, DBD).isGood().u8(6)).as("WCE").isEqualTo(0x04);
        Answer control = sense6(CHANGEABLE, 0x0a, DBD).isGood();
        assertThat(control.u8(6)).as("D_SENSE").isEqualTo(0x04);
        assertThat(control.u8(8)).as("SWP").isEqualTo(0x08);
        assertThat(control.u8(9)).as("TAS").isEqualTo(0x40);
    }

    @Test
    void shouldKeepTheDefaultsWhenTheCurrentValuesChange() {
        select6(caching(0)).isGood();

        assertThat(sense6(CURRENT, 0x08, DBD).u8(6) & 0x04).isZero();
        assertThat(sense6(DEFAULT, 0x08, DBD).u8(6) & 0x04).isEqualTo(0x04);
    }

    @Test
    void shouldHaveNoSavedValues() {
        sense6(SAVED, 0x08, 0).failsWith(SenseCode.SAVING_PARAMETERS_NOT_SUPPORTED);
    }

    @Test
    void shouldRefusePagesThatAreNotThere() {
        sense6(CURRENT, 0x01, 0).complainsOfCdbByte(2);
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.MODE_SENSE_6)
                        .set(2, 8)
                        .set(3, 1)
                        .length(255))
                .complainsOfCdbByte(3);
    }

    @Test
    void shouldSaySoWhenWriteProtected() {
        Initiator reader = Initiator.of(Initiator.unit(new TestBackend(4096).protect()));

        Answer answer = reader.send(
                CdbBuilder.cdb(ScsiCommand.MODE_SENSE_6).set(2, 0x3f).length(255));

        assertThat(answer.isGood().u8(2)).isEqualTo(0x90);
    }

    @Test
    void shouldTruncateToTheAllocationLength() {
        Answer answer = initiator
                .send(CdbBuilder.cdb(ScsiCommand.MODE_SENSE_6).set(2, 0x3f).length(4))
                .isGood();

        assertThat(answer.data()).hasSize(4);
        assertThat(answer.u8(0)).isEqualTo(55);
    }

    @Test
    void shouldWriteThroughOnceTheCacheIsOff() {
        select6(caching(0)).isGood();
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), new byte[512])
                .isGood();

        assertThat(backend.operations())
                .as("what was cached before is flushed first")
                .containsExactly("flush", "write 0+512 DURABLE");
    }

    @Test
    void shouldGoBackToTheDefaultsWithAReset() {
        select6(caching(0)).isGood();

        unit.reset();

        assertThat(unit.modes().writeCache()).isTrue();
    }

    @Test
    void shouldSpeakDescriptorFormatOnRequest() {
        select6(control(0x26, 0)).isGood();

        Answer answer = initiator.send(CdbBuilder.blocks(ScsiCommand.READ_16, 1L << 40, 1));

        assertThat(answer.failsWith(SenseCode.LBA_OUT_OF_RANGE).sense())
                .isEqualTo(new byte[] {0x72, 5, 0x21, 0, 0, 0, 0, 12, 0, 10, (byte) 0x80, 0, 0, 0, 1, 0, 0, 0, 0, 0});
    }

    @Test
    void shouldPointAtAFieldInDescriptorFormat() {
        select6(control(0x26, 0)).isGood();

        Answer answer = initiator.send(CdbBuilder.cdb(ScsiCommand.READ_10).set(1, 0x20));

        assertThat(answer.failsWith(SenseCode.INVALID_FIELD_IN_CDB).sense())
                .isEqualTo(new byte[] {0x72, 5, 0x24, 0, 0, 0, 0, 8, 2, 6, 0, 0, (byte) 0xcd, 0, 1, 0});
    }

    @Test
    void shouldProtectBySoftware() {
        select6(control(0x22, 0x08)).isGood();

        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), new byte[512])
                .failsWith(SenseCode.SOFTWARE_WRITE_PROTECTED);
        assertThat(sense6(CURRENT, 0x3f, 0).u8(2) & 0x80).as("WP").isEqualTo(0x80);

        select6(control(0x22, 0)).isGood();
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), new byte[512])
                .isGood();
    }

    @Test
    void shouldTellTheOthersOfAChange() {
        Initiator other = Initiator.of(unit);

        select6(caching(0)).isGood();

        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
        other.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.MODE_PARAMETERS_CHANGED);
    }

    @Test
    void shouldTellNobodyWhenNothingChanged() {
        Initiator other = Initiator.of(unit);

        select6(caching(4)).isGood();

        other.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldTakeBackWhatItReturned() {
        byte[] six = sense6(CURRENT, 0x3f, 0).data();
        six[0] = 0;
        six[2] = 0;
        select6(six).isGood();

        byte[] ten = initiator
                .send(CdbBuilder.cdb(ScsiCommand.MODE_SENSE_10)
                        .set(1, 0x10)
                        .set(2, 0x3f)
                        .length(512))
                .data();
        ten[1] = 0;
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.MODE_SELECT_10).set(1, 0x10).length(ten.length), ten)
                .isGood();
    }

    @Test
    void shouldRefuseToChangeAnythingElse() {
        byte[] list = caching(4);
        list[4 + 3] = 1;

        select6(list).complainsOfParameterByte(7);
    }

    @Test
    void shouldChangeNothingWhenOnePageIsWrong() {
        byte[] wrong = control(0x22, 0);
        wrong[4 + 1] = 9;
        byte[] list = new byte[24 + 12];
        System.arraycopy(caching(0), 0, list, 0, 24);
        System.arraycopy(wrong, 4, list, 24, 12);

        select6(list).complainsOfParameterByte(25);

        assertThat(unit.modes().writeCache()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 5, 23})
    void shouldRefuseATruncatedList(int length) {
        select6(Arrays.copyOf(caching(4), length)).failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
    }

    @Test
    void shouldRefuseAListThatDidNotCome() {
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.MODE_SELECT_6).set(1, 0x10).length(24), new byte[10])
                .failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
    }

    @Test
    void shouldRefuseOtherBlockDescriptors() {
        byte[] list = new byte[12];
        list[3] = 8;
        list[10] = 0x02;
        select6(list).isGood();
        list[10] = 0x10;
        select6(list).complainsOfParameterByte(9);
        list[10] = 0x02;
        list[7] = 1;
        select6(list).complainsOfParameterByte(4);
        list[3] = 7;
        select6(list).complainsOfParameterByte(3);
    }

    @Test
    void shouldRefuseToSavePagesAndToTakeTheOldFormat() {
        CdbBuilder save = CdbBuilder.cdb(ScsiCommand.MODE_SELECT_6).set(1, 0x11).length(24);
        initiator.send(save, caching(4)).complainsOfCdbByte(1);
        CdbBuilder old = CdbBuilder.cdb(ScsiCommand.MODE_SELECT_6).length(24);
        initiator.send(old, caching(4)).complainsOfCdbByte(1);
        initiator.send(ScsiCommand.MODE_SELECT_6).isGood();
    }

    private Answer sense6(int control, int page, int flags) {
        return initiator.send(CdbBuilder.cdb(ScsiCommand.MODE_SENSE_6)
                .set(1, flags)
                .set(2, control | page)
                .length(255));
    }

    private Answer select6(byte[] list) {
        return initiator.send(
                CdbBuilder.cdb(ScsiCommand.MODE_SELECT_6).set(1, 0x10).length(list.length), list);
    }

    private static byte[] caching(int flags) {
        byte[] list = new byte[24];
        list[4] = 0x08;
        list[5] = 0x12;
        list[6] = (byte) flags;
        return list;
    }

    private static byte[] control(int byte2, int byte4) {
        byte[] list = new byte[16];
        System.arraycopy(ModePage.CONTROL.defaults(), 0, list, 4, 12);
        list[6] = (byte) byte2;
        list[8] = (byte) byte4;
        return list;
    }
}
