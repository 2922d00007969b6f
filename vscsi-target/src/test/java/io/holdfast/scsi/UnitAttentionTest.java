package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class UnitAttentionTest {
    private final TestBackend backend = new TestBackend(1 << 20);
    private final LogicalUnit unit = Initiator.unit(backend);

    @Test
    void shouldTellANewNexusOnceThatThePowerCameOn() {
        Initiator stranger = Initiator.stranger(unit);

        stranger.send(CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1)).failsWith(SenseCode.POWER_ON_OR_RESET);

        stranger.send(CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1)).isGood();
    }

    @ParameterizedTest
    @EnumSource(names = {"INQUIRY", "REPORT_LUNS"})
    void shouldAnswerWithoutTakingTheUnitAttention(ScsiCommand identify) {
        Initiator stranger = Initiator.stranger(unit);

        stranger.send(CdbBuilder.cdb(identify).length(64)).isGood();

        stranger.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.POWER_ON_OR_RESET);
    }

    @Test
    void shouldHandTheUnitAttentionOutAsRequestedSense() {
        Initiator stranger = Initiator.stranger(unit);
        CdbBuilder requestSense = CdbBuilder.cdb(ScsiCommand.REQUEST_SENSE).length(252);

        Answer answer = stranger.send(requestSense).isGood();

        assertThat(answer.u8(0)).isEqualTo(0x70);
        assertThat(answer.u8(2)).isEqualTo(6);
        assertThat(answer.u8(12)).isEqualTo(0x29);
        stranger.send(ScsiCommand.TEST_UNIT_READY).isGood();
        assertThat(stranger.send(requestSense).isGood().u8(2)).isZero();
    }

    @Test
    void shouldRequestSenseInDescriptorFormat() {
        Answer answer = Initiator.stranger(unit)
                .send(CdbBuilder.cdb(ScsiCommand.REQUEST_SENSE).set(1, 1).length(252))
                .isGood();

        assertThat(answer.data()).isEqualTo(new byte[] {0x72, 6, 0x29, 0, 0, 0, 0, 0});
    }

    @Test
    void shouldTellEveryNexusThatTheCapacityChanged() {
        Initiator one = Initiator.of(unit);
        Initiator two = Initiator.of(unit);

        backend.resize(1 << 19);

        one.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.CAPACITY_DATA_CHANGED);
        one.send(ScsiCommand.TEST_UNIT_READY).isGood();
        two.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.CAPACITY_DATA_CHANGED);
        assertThat(one.send(ScsiCommand.READ_CAPACITY_10).isGood().u32(0)).isEqualTo(1023);
    }

    @Test
    void shouldReportSeveralInTheOrderOfTheTable() {
        Initiator initiator = Initiator.of(unit);

        unit.attention(SenseCode.MODE_PARAMETERS_CHANGED);
        unit.attention(SenseCode.CAPACITY_DATA_CHANGED);

        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.CAPACITY_DATA_CHANGED);
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.MODE_PARAMETERS_CHANGED);
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldTellNothingTwiceHoweverOftenItHappens() {
        Initiator initiator = Initiator.of(unit);
        List<SenseCode> codes = Arrays.stream(SenseCode.values())
                .filter(code -> code.key() == SenseKey.UNIT_ATTENTION)
                .toList();
        for (int i = 0; i < 3; i++) {
            codes.stream().filter(code -> code != SenseCode.LOGICAL_UNIT_RESET).forEach(unit::attention);
        }

        codes.stream()
                .filter(code -> code != SenseCode.LOGICAL_UNIT_RESET)
                .forEach(code -> initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(code));
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldHearOfAResetAndOfWhatCameAfterIt() {
        Initiator initiator = Initiator.of(unit);
        Initiator stranger = Initiator.stranger(unit);
        stranger.send(CdbBuilder.cdb(ScsiCommand.INQUIRY).length(36)).isGood();
        unit.attention(SenseCode.CAPACITY_DATA_CHANGED);
        unit.reset();
        unit.attention(SenseCode.MODE_PARAMETERS_CHANGED);

        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.LOGICAL_UNIT_RESET);
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.MODE_PARAMETERS_CHANGED);
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
        stranger.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.POWER_ON_OR_RESET);
        stranger.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldForgetWhatAResetOvertakes() {
        Initiator initiator = Initiator.of(unit);
        unit.attention(SenseCode.CAPACITY_DATA_CHANGED);

        unit.reset();

        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.LOGICAL_UNIT_RESET);
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldTakeReportLunsForHavingHeardOfChangedLuns() {
        Initiator initiator = Initiator.of(unit);
        unit.attention(SenseCode.REPORTED_LUNS_DATA_CHANGED);

        initiator.send(CdbBuilder.cdb(ScsiCommand.REPORT_LUNS).length(64)).isGood();

        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldKeepNothingForANexusThatHasEnded() {
        Initiator initiator = Initiator.of(unit);
        Initiator.of(unit);
        assertThat(unit.knownNexuses()).isEqualTo(2);

        initiator.nexus().end();

        assertThat(unit.knownNexuses()).isEqualTo(1);
    }

    @Test
    void shouldOnlyTakeUnitAttentions() {
        assertThatIllegalArgumentException().isThrownBy(() -> unit.attention(SenseCode.WRITE_ERROR));
    }
}
