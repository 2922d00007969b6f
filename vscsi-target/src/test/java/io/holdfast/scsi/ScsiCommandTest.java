package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScsiCommandTest {
    private final LogicalUnit unit = LogicalUnit.builder(
                    LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 20))
            .removable()
            .build();
    private final Initiator initiator = Initiator.of(unit);

    @ParameterizedTest
    @EnumSource
    void shouldBeFoundByItsCdb(ScsiCommand command) {
        assertThat(ScsiCommand.of(CdbBuilder.cdb(command).bytes())).isSameAs(command);
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveTheLengthOfItsCommandGroup(ScsiCommand command) {
        int group = command.usage().opcode() >>> 5;
        int expected = switch (group) {
            case 0 -> 6;
            case 1, 2 -> 10;
            case 4 -> 16;
            case 5 -> 12;
            default -> throw new AssertionError("group " + group);
        };
        assertThat(command.cdbLength()).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseEachReservedBitAndPointAtIt(ScsiCommand command) {
        byte[] usage = command.usage().bytes();
        boolean hasAction = command.usage().serviceAction() != CdbUsage.NO_SERVICE_ACTION;
        for (int index = 1; index < usage.length; index++) {
            for (int bit = 0; bit < 8; bit++) {
                boolean selectsAction = hasAction && index == 1 && bit < 5;
                if ((usage[index] >>> bit & 1) == 0 && !selectsAction) {
                    Answer answer = initiator.send(CdbBuilder.cdb(command).set(index, 1 << bit));
                    answer.complainsOfCdbByte(index);
                    assertThat(answer.sense()[15] & 0x0f).as("bit pointer").isEqualTo(0x08 | bit);
                }
            }
        }
    }

    @Test
    void shouldIgnorePaddingBehindTheCdb() {
        byte[] padded = new byte[16];
        padded[15] = 0x55;

        initiator.send(padded).isGood();
    }

    @Test
    void shouldKnowWhatModifiesTheMedium() {
        Set<ScsiCommand> writers = new HashSet<>();
        for (ScsiCommand command : ScsiCommand.values()) {
            if (ScsiCommand.accessOf(CdbBuilder.cdb(command).bytes()).modifiesMedium()) {
                writers.add(command);
            }
        }

        assertThat(writers)
                .containsExactlyInAnyOrder(
                        ScsiCommand.WRITE_6,
                        ScsiCommand.WRITE_10,
                        ScsiCommand.WRITE_12,
                        ScsiCommand.WRITE_16,
                        ScsiCommand.WRITE_AND_VERIFY_10,
                        ScsiCommand.WRITE_AND_VERIFY_12,
                        ScsiCommand.WRITE_AND_VERIFY_16,
                        ScsiCommand.COMPARE_AND_WRITE,
                        ScsiCommand.ORWRITE_16,
                        ScsiCommand.WRITE_ATOMIC_16,
                        ScsiCommand.EXTENDED_COPY_LID1,
                        ScsiCommand.UNMAP,
                        ScsiCommand.WRITE_SAME_10,
                        ScsiCommand.WRITE_SAME_16,
                        ScsiCommand.SANITIZE_OVERWRITE,
                        ScsiCommand.SANITIZE_BLOCK_ERASE);
    }

    @Test
    void shouldRefuseUnknownOperationCodes() {
        for (int opcode : List.of(0x01, 0x18, 0x3e, 0xc0, 0xff)) {
            byte[] cdb = {(byte) opcode, 0, 0, 0, 0, 0};
            assertThat(ScsiCommand.of(cdb)).isNull();
            assertThat(ScsiCommand.accessOf(cdb)).isEqualTo(Access.CONTROL);
            initiator.send(cdb).failsWith(SenseCode.INVALID_COMMAND_OPERATION_CODE);
        }
    }

    @Test
    void shouldPointAtAnUnknownServiceAction() {
        initiator.send(new byte[] {(byte) 0x9e, 0x1f}).complainsOfCdbByte(1);
    }

    @Test
    void shouldHaveTheNamesOfTheStandard() {
        assertThat(ScsiCommand.READ_16.title()).isEqualTo("READ (16)");
        assertThat(ScsiCommand.PRE_FETCH_10.title()).isEqualTo("PRE-FETCH (10)");
        assertThat(ScsiCommand.EXTENDED_COPY_LID1.title()).isEqualTo("EXTENDED COPY (LID1)");
        assertThat(ScsiCommand.TEST_UNIT_READY.title()).isEqualTo("TEST UNIT READY");
    }
}
