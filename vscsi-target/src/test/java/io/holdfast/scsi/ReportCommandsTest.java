package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS. */
class ReportCommandsTest {
    private static final int RCTD = 0x80;

    // With every row of the table.
    private final Initiator initiator =
            Initiator.of(LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 20))
                    .removable()
                    .build());

    @Test
    void shouldListEveryRowOfTheTable() {
        Answer all = report(0, 0, 0).isGood();

        assertThat(all.u32(0)).isEqualTo(all.data().length - 4);
        List<String> listed = new ArrayList<>();
        for (int at = 4; at < all.data().length; at += 8) {
            listed.add(all.u8(at) + "/" + all.u16(at + 2) + " " + all.u16(at + 6) + " flags " + all.u8(at + 5));
        }
        List<String> expected = new ArrayList<>();
        for (ScsiCommand command : ScsiCommand.values()) {
            int action = command.usage().serviceAction();
            boolean hasAction = action != CdbUsage.NO_SERVICE_ACTION;
            expected.add(command.usage().opcode() + "/" + (hasAction ? action : 0) + " " + command.cdbLength()
                    + " flags " + (hasAction ? 1 : 0));
        }
        assertThat(listed).isEqualTo(expected);
    }

    @Test
    void shouldAddTimeoutsOnRequest() {
        Answer all = report(RCTD, 0, 0).isGood();

        assertThat(all.data()).hasSize(4 + 20 * ScsiCommand.values().length);
        for (int at = 4; at < all.data().length; at += 20) {
            assertThat(all.u8(at + 5) & 0x02).as("CTDP").isNotZero();
            assertThat(all.u16(at + 8)).as("descriptor length").isEqualTo(10);
            // SANITIZE goes over the whole medium.
            long most = all.u8(at) == 0x48 ? 24 * 60 * 60 : 180;
            assertThat(all.u32(at + 16)).as("recommended, in seconds").isBetween(10L, most);
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldReportOneCommand(ScsiCommand command) {
        int action = command.usage().serviceAction();
        boolean hasAction = action != CdbUsage.NO_SERVICE_ACTION;
        int opcode = command.usage().opcode();

        Answer one = report(hasAction ? 2 : 1, opcode, hasAction ? action : 0).isGood();

        assertThat(one.u8(1)).isEqualTo(3);
        assertThat(one.u16(2)).isEqualTo(command.cdbLength());
        assertThat(Arrays.copyOfRange(one.data(), 4, one.data().length))
                .isEqualTo(command.usage().bytes());
        assertThat(report(3, opcode, hasAction ? action : 0).isGood().u8(1)).isEqualTo(3);
        report(hasAction ? 1 : 2, opcode, 0).complainsOfCdbByte(2);
        assertThat(report(RCTD | 3, opcode, hasAction ? action : 0).isGood().data())
                .hasSize(4 + command.cdbLength() + 12);
    }

    @Test
    void shouldSayWhatIsNotSupported() {
        assertThat(report(1, 0xc0, 0).isGood().u8(1)).isEqualTo(1);
        assertThat(report(2, 0x9e, 0x1f).isGood().u8(1)).isEqualTo(1);
        assertThat(report(2, 0x9e, 0x3f).isGood().u8(1)).isEqualTo(1);
        assertThat(report(2, 0xc0, 1).isGood().u8(1)).isEqualTo(1);
        report(4, 0, 0).complainsOfCdbByte(2);
    }

    @Test
    void shouldNotListUnmapWhenTheBackendCannotDiscard() {
        Initiator full = Initiator.of(Initiator.unit(new TestBackend(1 << 20).withoutDiscard()));
        CdbBuilder cdb = CdbBuilder.cdb(ScsiCommand.REPORT_SUPPORTED_OPERATION_CODES)
                .set(2, 1)
                .set(3, 0x42)
                .length(64);

        assertThat(full.send(cdb).isGood().u8(1)).isEqualTo(1);
    }

    @Test
    void shouldReportTheTaskManagementOfTheTransports() {
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 20))
                .taskManagement(Set.of(
                        TaskManagementFunction.ABORT_TASK,
                        TaskManagementFunction.CLEAR_TASK_SET,
                        TaskManagementFunction.I_T_NEXUS_RESET))
                .build();
        CdbBuilder cdb = CdbBuilder.cdb(ScsiCommand.REPORT_SUPPORTED_TASK_MANAGEMENT_FUNCTIONS)
                .length(64);

        assertThat(Initiator.of(unit).send(cdb).isGood().data()).isEqualTo(new byte[] {(byte) 0x90, 1, 0, 0});
        Answer extended = initiator.send(cdb.set(2, 0x80)).isGood();
        assertThat(extended.data()).hasSize(16);
        assertThat(extended.u8(0)).as("ABORT TASK, ABORT TASK SET").isEqualTo(0xc0);
        assertThat(extended.u8(3)).isEqualTo(12);
    }

    private Answer report(int options, int opcode, int action) {
        return initiator.send(CdbBuilder.cdb(ScsiCommand.REPORT_SUPPORTED_OPERATION_CODES)
                .set(2, options)
                .set(3, opcode)
                .set(5, action)
                .length(65_535));
    }
}
