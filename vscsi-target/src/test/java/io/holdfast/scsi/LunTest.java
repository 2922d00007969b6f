package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;

class LunTest {
    private final LogicalUnit first = Initiator.unit(new TestBackend(512));
    private final LogicalUnit second = Initiator.unit(new TestBackend(1024));
    private final LunView view = new FixedLunView(Map.of(0, first, 300, second));

    @Test
    void shouldFindAUnitByEitherAddressingMethod() {
        assertThat(view.at(new Lun(0))).isSameAs(first);
        assertThat(view.at(new Lun(0x4000_0000_0000_0000L))).isSameAs(first);
        assertThat(view.at(Lun.ofNumber(300))).isSameAs(second);
    }

    @Test
    void shouldHaveAnAnswererWhereThereIsNoUnit() {
        assertThat(view.at(Lun.ofNumber(1))).isInstanceOf(AbsentLogicalUnit.class);
        assertThat(view.at(new Lun(0xc101_0000_0000_0000L))).isInstanceOf(AbsentLogicalUnit.class);
        assertThat(view.at(new Lun(1))).isInstanceOf(AbsentLogicalUnit.class);
    }

    @Test
    void shouldReportTheLunsOfTheView() {
        Answer answer = Initiator.seeing(first, view)
                .send(CdbBuilder.cdb(ScsiCommand.REPORT_LUNS).length(1024))
                .isGood();

        assertThat(answer.data()).hasSize(24);
        assertThat(answer.u32(0)).isEqualTo(16);
        assertThat(answer.u64(8)).isZero();
        assertThat(answer.u64(16)).isEqualTo(0x412c_0000_0000_0000L);
    }

    @Test
    void shouldReportByKind() {
        Initiator initiator = Initiator.seeing(first, view);
        CdbBuilder wellKnown = CdbBuilder.cdb(ScsiCommand.REPORT_LUNS).set(2, 1).length(64);
        assertThat(initiator.send(wellKnown).isGood().u32(0)).isZero();
        CdbBuilder all = CdbBuilder.cdb(ScsiCommand.REPORT_LUNS).set(2, 2).length(64);
        assertThat(initiator.send(all).isGood().u32(0)).isEqualTo(16);
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.REPORT_LUNS).set(2, 3).length(64))
                .complainsOfCdbByte(2);
    }

    @Test
    void shouldRefuseNumbersThatNoLunHas() {
        assertThatIllegalArgumentException().isThrownBy(() -> new FixedLunView(Map.of(16_384, first)));
    }

    @Test
    void shouldTellThatThereIsNoUnit() {
        Initiator initiator = Initiator.seeing(view.at(Lun.ofNumber(7)), view);

        Answer inquiry =
                initiator.send(CdbBuilder.cdb(ScsiCommand.INQUIRY).length(96)).isGood();
        assertThat(inquiry.u8(0)).isEqualTo(0x7f);
        assertThat(initiator
                        .send(CdbBuilder.cdb(ScsiCommand.REPORT_LUNS).length(64))
                        .isGood()
                        .u32(0))
                .isEqualTo(16);
        Answer sense = initiator
                .send(CdbBuilder.cdb(ScsiCommand.REQUEST_SENSE).length(18))
                .isGood();
        assertThat(sense.u8(2)).isEqualTo(5);
        assertThat(sense.u8(12)).isEqualTo(0x25);
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
        initiator.send(CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1)).failsWith(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
        initiator.send(new byte[] {(byte) 0xff}).failsWith(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
        initiator.send(CdbBuilder.cdb(ScsiCommand.INQUIRY).set(1, 1).length(96)).complainsOfCdbByte(2);
        initiator.send(CdbBuilder.cdb(ScsiCommand.INQUIRY).set(1, 2).length(96)).complainsOfCdbByte(1);
    }
}
