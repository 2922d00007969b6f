package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockError;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** START STOP UNIT and PREVENT ALLOW MEDIUM REMOVAL, and what follows from an ejected medium; READ DEFECT DATA. */
class MediumTest {
    private static final int START = 0x01;
    private static final int LOEJ = 0x02;
    private static final int NO_FLUSH = 0x04;
    private static final Set<ScsiCommand> ON_MEDIUM_OF_CONTROL = EnumSet.of(
            ScsiCommand.TEST_UNIT_READY,
            ScsiCommand.READ_CAPACITY_10,
            ScsiCommand.READ_CAPACITY_16,
            ScsiCommand.SYNCHRONIZE_CACHE_10,
            ScsiCommand.SYNCHRONIZE_CACHE_16,
            ScsiCommand.GET_LBA_STATUS,
            ScsiCommand.READ_DEFECT_DATA_10,
            ScsiCommand.READ_DEFECT_DATA_12);

    private final TestBackend backend = new TestBackend(1 << 20);
    private final LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
            .removable()
            .build();
    private final Initiator initiator = Initiator.of(unit);
    private final Initiator neighbour = Initiator.at(unit, "neighbour", 1);

    @Test
    void shouldSayThatItIsRemovable() {
        assertThat(inquiry(initiator).u8(1)).isEqualTo(0x80);
        assertThat(inquiry(Initiator.of(Initiator.unit(new TestBackend(512)))).u8(1))
                .isZero();
    }

    @Test
    void shouldFlushAndEject() {
        startStop(LOEJ).isGood();

        assertThat(backend.operations()).containsExactly("flush");
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.MEDIUM_NOT_PRESENT);
        Answer sense = initiator
                .send(CdbBuilder.cdb(ScsiCommand.REQUEST_SENSE).length(252))
                .isGood();
        assertThat(sense.u8(12)).as("pollable").isEqualTo(0x3a);

        startStop(LOEJ | NO_FLUSH).isGood();
        assertThat(backend.operations()).as("no second flush").hasSize(1);
    }

    @Test
    void shouldNotEjectWhatCannotBeFlushed() {
        backend.failWith(BlockError.Kind.MEDIUM);

        startStop(LOEJ).failsWith(SenseCode.WRITE_ERROR);

        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldTellEveryOtherNexusWhenItIsLoadedAgain() {
        startStop(LOEJ).isGood();
        startStop(LOEJ | START).isGood();

        neighbour.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.MEDIUM_MAY_HAVE_CHANGED);
        neighbour.send(ScsiCommand.TEST_UNIT_READY).isGood();
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();

        startStop(LOEJ | START).isGood();
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @ParameterizedTest
    @EnumSource
    void shouldAnswerEachCommandWithoutAMediumAsItsRowSays(ScsiCommand command) {
        startStop(LOEJ).isGood();

        Answer answer = neighbour.send(command);

        boolean needed = ON_MEDIUM_OF_CONTROL.contains(command)
                || command.access() == Access.READ
                || command.access() == Access.WRITE;
        if (needed) {
            answer.failsWith(SenseCode.MEDIUM_NOT_PRESENT);
        } else {
            assertThat(answer.status() == ScsiStatus.GOOD || answer.asc() != 0x3a)
                    .isTrue();
        }
    }

    @Test
    void shouldNotEjectWhileAnyNexusPreventsIt() {
        prevent(neighbour, 1).isGood();

        startStop(LOEJ).failsWith(SenseCode.MEDIUM_REMOVAL_PREVENTED);
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
        prevent(initiator, 0).isGood();
        startStop(LOEJ).failsWith(SenseCode.MEDIUM_REMOVAL_PREVENTED);

        prevent(neighbour, 0).isGood();
        startStop(LOEJ).isGood();
    }

    @Test
    void shouldForgetWhoPreventsAtItsEndAndAtAReset() {
        prevent(neighbour, 1).isGood();
        neighbour.nexus().end();
        startStop(LOEJ).isGood();
        startStop(LOEJ | START).isGood();
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();

        prevent(initiator, 1).isGood();
        unit.reset();
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.LOGICAL_UNIT_RESET);
        startStop(LOEJ).isGood();
        unit.reset();
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.LOGICAL_UNIT_RESET);
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.MEDIUM_NOT_PRESENT);
    }

    @Test
    void shouldNotEjectWhenSomebodyPreventsItDuringTheFlush() {
        TestLane lane = TestLane.held();
        TestTask task = new TestTask(initiator.nexus(), new FixedLunView(Map.of(0, unit)), lane);
        task.start(
                unit, CdbBuilder.cdb(ScsiCommand.START_STOP_UNIT).set(4, LOEJ).bytes(), null);
        prevent(neighbour, 1).isGood();

        lane.runOne();

        task.answer().failsWith(SenseCode.MEDIUM_REMOVAL_PREVENTED);
        neighbour.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @Test
    void shouldStartAndStopWithoutConsequences() {
        startStop(START).isGood();
        startStop(0).isGood();
        startStop(NO_FLUSH).isGood();

        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
        assertThat(backend.operations()).containsExactly("flush");
    }

    @Test
    void shouldNeitherEjectNorPreventWhereNothingIsRemovable() {
        Initiator fixed = Initiator.of(Initiator.unit(backend));

        fixed.send(CdbBuilder.cdb(ScsiCommand.START_STOP_UNIT).set(4, LOEJ)).complainsOfCdbByte(4);
        fixed.send(ScsiCommand.PREVENT_ALLOW_MEDIUM_REMOVAL).failsWith(SenseCode.INVALID_COMMAND_OPERATION_CODE);
    }

    @Test
    void shouldHaveNoDefects() {
        Answer ten = initiator
                .send(CdbBuilder.cdb(ScsiCommand.READ_DEFECT_DATA_10)
                        .set(2, 0x1d)
                        .length(255))
                .isGood();
        assertThat(ten.data()).containsExactly(0, 0x1d, 0, 0);
        Answer twelve = initiator
                .send(CdbBuilder.cdb(ScsiCommand.READ_DEFECT_DATA_12)
                        .set(1, 0x08)
                        .length(255))
                .isGood();
        assertThat(twelve.data()).containsExactly(0, 0x08, 0, 0, 0, 0, 0, 0);
    }

    private Answer startStop(int bits) {
        return initiator.send(CdbBuilder.cdb(ScsiCommand.START_STOP_UNIT).set(4, bits));
    }

    private static Answer prevent(Initiator by, int value) {
        return by.send(CdbBuilder.cdb(ScsiCommand.PREVENT_ALLOW_MEDIUM_REMOVAL).set(4, value));
    }

    private static Answer inquiry(Initiator by) {
        return by.send(CdbBuilder.cdb(ScsiCommand.INQUIRY).length(96)).isGood();
    }
}
