package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockError;
import io.holdfast.block.BlockError.Kind;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an initiator is told when the storage, or the target itself, fails. */
class FailureTest {
    private final TestBackend backend = new TestBackend(1 << 20);
    private final LogicalUnit unit = Initiator.unit(backend);
    private final Initiator initiator = Initiator.of(unit);

    @ParameterizedTest
    @CsvSource({
        "NO_SPACE, SPACE_ALLOCATION_FAILED",
        "MEDIUM, WRITE_ERROR",
        "UNREACHABLE, BACKEND_UNREACHABLE",
        "READ_ONLY, WRITE_PROTECTED",
        "OUT_OF_RANGE, LBA_OUT_OF_RANGE",
        "UNSUPPORTED, INTERNAL_TARGET_FAILURE"
    })
    void shouldTellWhyAWriteFailed(Kind kind, SenseCode code) {
        backend.failWith(kind);

        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 8, 1), new byte[512])
                .failsWith(code);

        backend.failNoMore();
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 8, 1), new byte[512])
                .isGood();
    }

    @Test
    void shouldNameTheBlockThatCannotBeRead() {
        backend.failWith(Kind.MEDIUM);

        Answer answer = initiator.send(CdbBuilder.blocks(ScsiCommand.READ_10, 8, 2));

        assertThat(answer.failsWith(SenseCode.UNRECOVERED_READ_ERROR).information())
                .isEqualTo(8);
    }

    @Test
    void shouldNotAcknowledgeAFlushThatFailed() {
        backend.failWith(Kind.MEDIUM);

        initiator.send(ScsiCommand.SYNCHRONIZE_CACHE_10).failsWith(SenseCode.WRITE_ERROR);
    }

    @Test
    void shouldStopAtTheFirstStepThatFails() {
        backend.failWith(Kind.UNREACHABLE);

        initiator.send(CdbBuilder.cdb(ScsiCommand.READ_10).count(1).fua()).failsWith(SenseCode.BACKEND_UNREACHABLE);

        assertThat(backend.operations()).containsExactly("flush");
    }

    @Test
    void shouldAnswerWithHardwareErrorWhenTheBackendThrows() {
        TestBackend liar = new TestBackend(512);
        Initiator victim = Initiator.of(Initiator.unit(liar));
        liar.resize(4096);
        victim.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.CAPACITY_DATA_CHANGED);

        victim.send(CdbBuilder.blocks(ScsiCommand.READ_10, 4, 1)).failsWith(SenseCode.INTERNAL_TARGET_FAILURE);
    }

    @Test
    void shouldAskForAnotherTryWhenThereIsNoMemory() {
        TestTask task = new TestTask(initiator.nexus(), new FixedLunView(Map.of()), TestLane.direct());
        task.starve();
        task.start(unit, CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1), null);

        assertThat(task.completions()).isEqualTo(1);
        assertThat(task.status()).isEqualTo(ScsiStatus.TASK_SET_FULL);
        assertThat(task.dataInLength()).isZero();
    }

    @Test
    void shouldIgnoreABackendThatCallsBackTwice() {
        TestTask task = new TestTask(initiator.nexus(), new FixedLunView(Map.of()), TestLane.direct());
        task.start(unit, CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1), null);

        task.execution().done(null);
        task.execution().done(new BlockError(Kind.MEDIUM, "too late"));

        assertThat(task.completions()).isEqualTo(1);
        task.answer().isGood();
    }
}
