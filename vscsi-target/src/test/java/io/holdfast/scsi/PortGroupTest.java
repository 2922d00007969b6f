package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Target port groups and their access states (SPC-4 §5.15): two ports, an initiator at each. */
class PortGroupTest {
    private final LogicalUnit unit = LogicalUnit.builder(
                    LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 20))
            .targetPorts(List.of(1, 7))
            .removable()
            .build();
    private final Initiator one = Initiator.at(unit, "iqn.a", 1);
    private final Initiator seven = Initiator.at(unit, "iqn.a", 7);

    private static Answer report(Initiator initiator, int format) {
        return initiator
                .send(CdbBuilder.cdb(ScsiCommand.REPORT_TARGET_PORT_GROUPS)
                        .set(1, format << 5)
                        .length(255))
                .isGood();
    }

    private static Answer set(Initiator initiator, int... stateAndGroup) {
        byte[] list = new byte[4 + 2 * stateAndGroup.length];
        for (int i = 0; i < stateAndGroup.length; i += 2) {
            ByteBuffer.wrap(list).put(4 + 2 * i, (byte) stateAndGroup[i]).putShort(6 + 2 * i, (short)
                    stateAndGroup[i + 1]);
        }
        return initiator.send(CdbBuilder.cdb(ScsiCommand.SET_TARGET_PORT_GROUPS).length(list.length), list);
    }

    @Test
    void shouldReportEachPortAsAGroupOfItsOwn() {
        Answer answer = report(one, 0);

        assertThat(answer.data()).isEqualTo(new byte[] {
            0,
            0,
            0,
            24, //
            0,
            (byte) 0xcf,
            0,
            1,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            1, //
            0,
            (byte) 0xcf,
            0,
            7,
            0,
            0,
            0,
            1,
            0,
            0,
            0,
            7
        });
    }

    @Test
    void shouldReportWithAnExtendedHeader() {
        Answer answer = report(one, 1);

        assertThat(answer.data()).hasSize(32).startsWith(0, 0, 0, 28, 0x10, 0, 0, 0, 0, 0xcf, 0, 1);
        one.send(CdbBuilder.cdb(ScsiCommand.REPORT_TARGET_PORT_GROUPS)
                        .set(1, 2 << 5)
                        .length(64))
                .complainsOfCdbByte(1);
    }

    @Test
    void shouldSayInInquiryDataWhichPortOfWhichGroupItCameThrough() {
        Answer standard =
                seven.send(CdbBuilder.cdb(ScsiCommand.INQUIRY).length(96)).isGood();
        assertThat(standard.u8(5) & 0x30).as("TPGS: implicit and explicit").isEqualTo(0x30);
        assertThat(standard.u8(6)).as("MULTIP").isEqualTo(0x10);

        assertThat(designators(seven)).contains("14 0007", "15 0007");
        assertThat(designators(one)).contains("14 0001", "15 0001");
    }

    private static List<String> designators(Initiator initiator) {
        Answer page = initiator
                .send(CdbBuilder.cdb(ScsiCommand.INQUIRY).set(1, 1).set(2, 0x83).length(1024))
                .isGood();
        List<String> found = new java.util.ArrayList<>();
        for (int at = 4; at < page.data().length; at += 4 + page.u8(at + 3)) {
            found.add(String.format("%02x %04x", page.u8(at + 1), page.u16(at + 6)));
        }
        return found;
    }

    @Test
    void shouldChangeStatesOnCommandAndTellEveryOtherNexus() {
        set(one, 1, 1, 2, 7).isGood();

        assertThat(report(one, 0).data())
                .startsWith(0, 0, 0, 24, 1, 0xcf, 0, 1, 0, 1, 0, 1)
                .endsWith(2, 0xcf, 0, 7, 0, 1, 0, 1, 0, 0, 0, 7);
        one.send(ScsiCommand.TEST_UNIT_READY).isGood();
        seven.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.ASYMMETRIC_ACCESS_STATE_CHANGED);
        seven.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.TARGET_PORT_IN_STANDBY_STATE);
    }

    @Test
    void shouldTellEverybodyOfAChangeOfItsOwn() {
        unit.accessState(7, AccessState.OFFLINE);

        one.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.ASYMMETRIC_ACCESS_STATE_CHANGED);
        assertThat(report(one, 0).data()).endsWith(0x0e, 0xcf, 0, 7, 0, 2, 0, 1, 0, 0, 0, 7);
        unit.accessState(7, AccessState.OFFLINE);
        one.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldSayNothingWhenNothingChanges() {
        set(one, 0, 1, 0, 7).isGood();
        one.send(CdbBuilder.cdb(ScsiCommand.SET_TARGET_PORT_GROUPS)).isGood();

        seven.send(ScsiCommand.TEST_UNIT_READY).isGood();
        assertThat(report(one, 0).u8(9)).as("STATUS CODE").isZero();
    }

    @Test
    void shouldRefuseListsWithoutChangingAnything() {
        set(one, 2, 1, 0x0e, 7).complainsOfParameterByte(8);
        set(one, 2, 1, 0x0f, 7).complainsOfParameterByte(8);
        set(one, 2, 1, 4, 7).complainsOfParameterByte(8);
        set(one, 2, 1, 2, 3).complainsOfParameterByte(10);
        CdbBuilder odd = CdbBuilder.cdb(ScsiCommand.SET_TARGET_PORT_GROUPS).length(7);
        one.send(odd, new byte[7]).failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        one.send(CdbBuilder.cdb(ScsiCommand.SET_TARGET_PORT_GROUPS).length(8), new byte[4])
                .failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);

        one.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @ParameterizedTest
    @CsvSource({
        "ACTIVE_NON_OPTIMIZED, ",
        "STANDBY, TARGET_PORT_IN_STANDBY_STATE",
        "UNAVAILABLE, TARGET_PORT_IN_UNAVAILABLE_STATE",
        "OFFLINE, LOGICAL_UNIT_OFFLINE",
        "TRANSITIONING, ASYMMETRIC_ACCESS_STATE_TRANSITION"
    })
    void shouldJudgeEachCommandByItsRow(AccessState state, @org.jspecify.annotations.Nullable SenseCode complaint) {
        unit.accessState(7, state);
        one.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.ASYMMETRIC_ACCESS_STATE_CHANGED);
        seven.send(CdbBuilder.cdb(ScsiCommand.REQUEST_SENSE).length(252)).isGood();
        for (ScsiCommand command : ScsiCommand.values()) {
            Answer there = seven.send(command);
            boolean kept = complaint != null
                    && there.status() == ScsiStatus.CHECK_CONDITION
                    && there.asc() == complaint.asc()
                    && there.ascq() == complaint.ascq();
            assertThat(kept)
                    .as("%s in %s", command, state)
                    .isEqualTo(!state.reach().includes(command.reach()));
            assertThat(one.send(command).status())
                    .as("%s at the other port", command)
                    .isNotNull();
        }
        one.send(CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1)).isGood();
    }

    @ParameterizedTest
    @EnumSource(
            names = {"INQUIRY", "REPORT_LUNS", "REQUEST_SENSE", "REPORT_TARGET_PORT_GROUPS", "SET_TARGET_PORT_GROUPS"})
    void shouldAlwaysSayWhereItIs(ScsiCommand command) {
        assertThat(command.reach()).isEqualTo(Reach.REPORTING);
    }

    @ParameterizedTest
    @EnumSource(
            names = {
                "MODE_SENSE_6",
                "MODE_SELECT_10",
                "PERSISTENT_RESERVE_IN_READ_KEYS",
                "PERSISTENT_RESERVE_OUT_PREEMPT",
                "READ_CAPACITY_16"
            })
    void shouldManageInStandby(ScsiCommand command) {
        assertThat(command.reach()).isEqualTo(Reach.STANDBY);
    }

    @Test
    void shouldConflictWithTheReservationOfAnother() {
        Reserver holder = new Reserver(one);
        holder.register(0, 5).isGood();
        holder.reserve(5, ReservationType.WRITE_EXCLUSIVE).isGood();

        assertThat(set(seven, 2, 1).status()).isEqualTo(ScsiStatus.RESERVATION_CONFLICT);
        report(seven, 0);
    }
}
