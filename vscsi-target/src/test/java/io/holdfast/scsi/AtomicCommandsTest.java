package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockError;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AtomicCommandsTest {
    private static final int BLOCK = 512;
    private static final int BLOCKS = 2048;

    private final TestBackend backend = new TestBackend(BLOCKS * BLOCK);
    private final LogicalUnit unit = Initiator.unit(backend);
    private final Initiator initiator = Initiator.of(unit);
    private final TestLane lane = TestLane.held();

    // ---- COMPARE AND WRITE

    @Test
    void shouldWriteTheSecondHalfWhereTheFirstIsFound() {
        Arrays.fill(backend.content(), (byte) 'a');

        Answer answer =
                initiator.send(compareAndWrite(8, 2), halves('a', 'b', 2)).isGood();

        assertThat(answer.dataOutWanted()).isEqualTo(4 * BLOCK);
        assertThat(answer.data()).isEmpty();
        assertThat(backend.content(8 * BLOCK, 2 * BLOCK)).containsOnly('b');
        assertThat(backend.content(7 * BLOCK, BLOCK)).containsOnly('a');
        assertThat(backend.content(10 * BLOCK, BLOCK)).containsOnly('a');
    }

    @Test
    void shouldSayWhereTheFirstDifferenceIsAndWriteNothing() {
        byte[] data = halves(0, 'b', 2);
        data[BLOCK + 27] = 'x';

        Answer answer = initiator.send(compareAndWrite(8, 2), data);

        answer.failsWith(SenseCode.MISCOMPARE_DURING_VERIFY);
        assertThat(answer.information()).isEqualTo(BLOCK + 27);
        assertThat(backend.content()).containsOnly(0);
    }

    @Test
    void shouldWriteDurablyWhenForced() {
        initiator.send(compareAndWrite(0, 1).fua(), halves(0, 'b', 1)).isGood();
        initiator.send(compareAndWrite(1, 1), halves(0, 'b', 1)).isGood();

        assertThat(backend.operations())
                .containsExactly("read 0+512", "write 0+512 DURABLE", "read 512+512", "write 512+512 CACHED");
    }

    @Test
    void shouldRefuseDataThatIsNotTwoHalves() {
        for (int blocks : new int[] {1, 3, 6}) {
            initiator
                    .send(compareAndWrite(0, 2), new byte[blocks * BLOCK])
                    .failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        }
        initiator.send(compareAndWrite(0, 1)).failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        initiator.send(compareAndWrite(0, 0), new byte[BLOCK]).isGood();
        initiator.send(compareAndWrite(0, 0), new byte[512 * BLOCK]).complainsOfCdbByte(13);
        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldRefuseToCompareBeyondTheEnd() {
        initiator.send(compareAndWrite(BLOCKS, 1), halves(0, 1, 1)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
        initiator.send(compareAndWrite(-1, 0)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
    }

    @Test
    void shouldLetOneOfTwoInitiatorsWinWhenBothCompareTheSame() {
        TestTask one = task(new Nexus("one", "t", 1));
        TestTask two = task(new Nexus("two", "t", 1));

        one.start(unit, compareAndWrite(0, 1).bytes(), halves(0, 1, 1));
        two.start(unit, compareAndWrite(0, 1).bytes(), halves(0, 2, 1));
        drain();

        one.answer().isGood();
        two.answer().failsWith(SenseCode.MISCOMPARE_DURING_VERIFY);
        assertThat(backend.content(0, BLOCK)).containsOnly(1);
    }

    @Test
    void shouldHoldBackAWriteUntilTheComparisonHasEnded() {
        TestTask comparing = task(new Nexus("one", "t", 1));
        TestTask writing = task(new Nexus("two", "t", 1));
        comparing.start(unit, compareAndWrite(0, 1).bytes(), halves(0, 1, 1));

        writing.start(unit, CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 8), filled(7, 8));

        assertThat(backend.operations()).as("nothing of the write yet").containsExactly("read 0+512");
        drain();
        comparing.answer().isGood();
        writing.answer().isGood();
        assertThat(backend.operations()).containsExactly("read 0+512", "write 0+512 CACHED", "write 0+4096 CACHED");
    }

    @Test
    void shouldHoldBackAReadButNotOneOfOtherBlocks() {
        TestTask comparing = task(new Nexus("one", "t", 1));
        TestTask reading = task(new Nexus("two", "t", 1));
        TestTask elsewhere = task(new Nexus("three", "t", 1));
        comparing.start(unit, compareAndWrite(0, 1).bytes(), halves(0, 1, 1));

        reading.start(unit, CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1), null);
        elsewhere.start(unit, CdbBuilder.blocks(ScsiCommand.READ_10, 1, 1), null);

        assertThat(backend.operations()).containsExactly("read 0+512", "read 512+512");
        drain();
        assertThat(reading.answer().isGood().data()).as("after the write").containsOnly(1);
        assertThat(elsewhere.answer().isGood().data()).containsOnly(0);
    }

    @Test
    void shouldWaitForAWriteThatIsUnderWay() {
        TestTask writing = task(new Nexus("one", "t", 1));
        TestTask comparing = task(new Nexus("two", "t", 1));
        writing.start(unit, CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 8), filled(7, 8));

        comparing.start(unit, compareAndWrite(0, 1).bytes(), halves(7, 1, 1));

        assertThat(backend.operations()).containsExactly("write 0+4096 CACHED");
        drain();
        comparing.answer().isGood();
        assertThat(unit.ranges().isIdle()).isTrue();
    }

    @Test
    void shouldGiveTheBlocksBackWhenTheStorageFails() {
        backend.failWith(BlockError.Kind.MEDIUM);
        initiator.send(compareAndWrite(0, 1), halves(0, 1, 1)).failsWith(SenseCode.WRITE_ERROR);
        backend.failNoMore();

        initiator.send(compareAndWrite(0, 1), halves(0, 1, 1)).isGood();
        assertThat(unit.ranges().isIdle()).isTrue();
    }

    @Test
    void shouldNotWriteForATaskThatWasAbortedWhileItWaited() {
        TestTask comparing = task(new Nexus("one", "t", 1));
        TestTask writing = task(new Nexus("two", "t", 1));
        comparing.start(unit, compareAndWrite(0, 1).bytes(), halves(0, 1, 1));
        writing.start(unit, CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), filled(7, 1));

        writing.abort();
        drain();

        assertThat(writing.completions()).isEqualTo(1);
        assertThat(backend.content(0, BLOCK)).containsOnly(1);
        assertThat(unit.ranges().isIdle()).isTrue();
    }

    // ---- ORWRITE

    @Test
    void shouldSetBits() {
        Arrays.fill(backend.content(), (byte) 0x11);

        Answer answer = initiator
                .send(CdbBuilder.blocks(ScsiCommand.ORWRITE_16, 4, 2), filled(0x24, 2))
                .isGood();

        assertThat(answer.dataOutWanted()).isEqualTo(2 * BLOCK);
        assertThat(backend.content(4 * BLOCK, 2 * BLOCK)).containsOnly(0x35);
        assertThat(backend.content(3 * BLOCK, BLOCK)).containsOnly(0x11);
        assertThat(backend.content(6 * BLOCK, BLOCK)).containsOnly(0x11);
    }

    @Test
    void shouldNotSetBitsWithLessDataThanBlocks() {
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.ORWRITE_16, 4, 2), filled(0x24, 1))
                .failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        initiator.send(CdbBuilder.blocks(ScsiCommand.ORWRITE_16, 4, 0)).isGood();
        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldLoseNoBitWhenTwoSetThemAtOnce() {
        TestTask one = task(new Nexus("one", "t", 1));
        TestTask two = task(new Nexus("two", "t", 1));

        one.start(unit, CdbBuilder.blocks(ScsiCommand.ORWRITE_16, 0, 1), filled(1, 1));
        two.start(unit, CdbBuilder.blocks(ScsiCommand.ORWRITE_16, 0, 1), filled(2, 1));
        drain();

        one.answer().isGood();
        two.answer().isGood();
        assertThat(backend.content(0, BLOCK)).containsOnly(3);
    }

    // ---- WRITE ATOMIC

    @Test
    void shouldWriteOnePhysicalBlockAtomically() {
        initiator.send(writeAtomic(16, 8), filled('x', 8)).isGood();

        assertThat(backend.operations()).containsExactly("write 8192+4096 CACHED");
        assertThat(backend.content(8192, 4096)).containsOnly('x');
    }

    @Test
    void shouldRefuseWhatIsNotOnePhysicalBlock() {
        initiator.send(writeAtomic(1, 8), filled('x', 8)).complainsOfCdbByte(2);
        initiator.send(writeAtomic(8, 1), filled('x', 1)).complainsOfCdbByte(12);
        initiator.send(writeAtomic(8, 16), filled('x', 16)).complainsOfCdbByte(12);
        initiator.send(writeAtomic(BLOCKS, 8), filled('x', 8)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
        initiator
                .send(writeAtomic(8, 8), filled('x', 7))
                .failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        initiator.send(writeAtomic(8, 0)).isGood();
        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldWriteSingleBlocksAtomicallyWhenTheDiskIsNoWholeNumberOfPages() {
        Initiator odd = Initiator.of(Initiator.unit(new TestBackend(4096 + BLOCK)));

        odd.send(writeAtomic(8, 1), filled('x', 1)).isGood();
    }

    private TestTask task(Nexus nexus) {
        TestTask task = new TestTask(nexus, new FixedLunView(Map.of(0, unit)), lane);
        task.start(unit, CdbBuilder.cdb(ScsiCommand.TEST_UNIT_READY).bytes(), null);
        return task;
    }

    private void drain() {
        for (int step = 0; lane.runOne(); step++) {
            assertThat(step).as("steps").isLessThan(100);
        }
    }

    private static CdbBuilder compareAndWrite(long lba, int blocks) {
        return CdbBuilder.cdb(ScsiCommand.COMPARE_AND_WRITE).lba(lba).set(13, blocks);
    }

    private static CdbBuilder writeAtomic(long lba, int blocks) {
        return CdbBuilder.cdb(ScsiCommand.WRITE_ATOMIC_16).lba(lba).set(13, blocks);
    }

    private static byte[] halves(int compare, int write, int blocks) {
        byte[] data = filled(compare, 2 * blocks);
        Arrays.fill(data, blocks * BLOCK, data.length, (byte) write);
        return data;
    }

    private static byte[] filled(int with, int blocks) {
        byte[] data = new byte[blocks * BLOCK];
        Arrays.fill(data, (byte) with);
        return data;
    }
}
