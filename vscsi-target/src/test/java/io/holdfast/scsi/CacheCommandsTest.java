package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SYNCHRONIZE CACHE, PRE-FETCH, START STOP UNIT. */
class CacheCommandsTest {
    private static final int IMMED = 0x02;
    private static final int START = 0x01;
    private static final int LOEJ = 0x02;
    private static final int NO_FLUSH = 0x04;

    private final TestBackend backend = new TestBackend(1 << 20);
    private final Initiator initiator = Initiator.of(Initiator.unit(backend));

    @ParameterizedTest
    @EnumSource(names = {"SYNCHRONIZE_CACHE_10", "SYNCHRONIZE_CACHE_16"})
    void shouldFlush(ScsiCommand synchronize) {
        initiator.send(CdbBuilder.blocks(synchronize, 0, 0)).isGood();
        initiator.send(CdbBuilder.blocks(synchronize, 2040, 8)).isGood();

        assertThat(backend.operations()).containsExactly("flush", "flush");
    }

    @ParameterizedTest
    @EnumSource(names = {"SYNCHRONIZE_CACHE_10", "SYNCHRONIZE_CACHE_16"})
    void shouldCheckTheRangeToFlush(ScsiCommand synchronize) {
        initiator.send(CdbBuilder.blocks(synchronize, 2048, 1)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldAnswerAfterTheFlushAlsoWhenAskedToAnswerAtOnce() {
        TestLane lane = TestLane.held();
        TestTask task = task(lane);

        LogicalUnit unit = Initiator.unit(backend);
        task.start(unit, new byte[6], null);
        task.start(
                unit,
                CdbBuilder.cdb(ScsiCommand.SYNCHRONIZE_CACHE_10).set(1, IMMED).bytes(),
                null);

        assertThat(task.completions()).isZero();
        assertThat(lane.runOne()).isTrue();
        assertThat(task.completions()).isEqualTo(1);
        task.answer().isGood();
    }

    @ParameterizedTest
    @EnumSource(names = {"PRE_FETCH_10", "PRE_FETCH_16"})
    void shouldPrefetchByReading(ScsiCommand prefetch) {
        Answer answer = initiator.send(CdbBuilder.blocks(prefetch, 8, 16)).isGood();

        assertThat(answer.data()).isEmpty();
        assertThat(backend.operations()).containsExactly("read 4096+8192");
    }

    @ParameterizedTest
    @EnumSource(names = {"PRE_FETCH_10", "PRE_FETCH_16"})
    void shouldPromiseNothingWhenNobodyWaits(ScsiCommand prefetch) {
        initiator.send(CdbBuilder.cdb(prefetch).count(16).set(1, IMMED)).isGood();
        initiator.send(CdbBuilder.blocks(prefetch, 2047, 0)).isGood();
        initiator.send(CdbBuilder.blocks(prefetch, 2047, 2)).failsWith(SenseCode.LBA_OUT_OF_RANGE);

        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldFlushBeforeAStopAndGoOnServing() {
        initiator.send(startStop(0)).isGood();

        assertThat(backend.operations()).containsExactly("flush");
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }

    @ParameterizedTest
    @ValueSource(ints = {START, NO_FLUSH, START | NO_FLUSH})
    void shouldDoNothingElse(int flags) {
        initiator.send(startStop(flags)).isGood();

        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldRefuseToEjectWhatIsNotRemovable() {
        initiator.send(startStop(LOEJ)).complainsOfCdbByte(4);
        initiator.send(startStop(LOEJ | START)).complainsOfCdbByte(4);
    }

    private static CdbBuilder startStop(int flags) {
        return CdbBuilder.cdb(ScsiCommand.START_STOP_UNIT).set(4, flags);
    }

    private static TestTask task(TestLane lane) {
        return new TestTask(new Nexus("i", "t", 1), new FixedLunView(Map.of()), lane);
    }
}
