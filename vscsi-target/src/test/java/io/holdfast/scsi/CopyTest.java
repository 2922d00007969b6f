package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockError;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** EXTENDED COPY and RECEIVE COPY. */
class CopyTest {
    private static final int BLOCK = 512;
    private static final int BLOCKS = 8192;
    private static final UUID OTHER_UUID = UUID.fromString("0192f0c4-7a3b-4c5d-8e6f-aaaaaaaaaaaa");
    private static final UUID LARGE_UUID = UUID.fromString("0192f0c4-7a3b-4c5d-8e6f-bbbbbbbbbbbb");

    private final TestBackend here = new TestBackend(BLOCKS * BLOCK);
    private final TestBackend there = new TestBackend(BLOCKS * BLOCK);
    private final TestBackend large = new TestBackend(BLOCKS * BLOCK);
    private final LogicalUnit unit = Initiator.unit(here);
    private final LogicalUnit other =
            LogicalUnit.builder(LogicalUnitIdentity.of(OTHER_UUID), there).build();
    private final LogicalUnit largeBlocks = LogicalUnit.builder(LogicalUnitIdentity.of(LARGE_UUID), large)
            .blockBytes(4096)
            .build();
    private final Nexus nexus = new Nexus("iqn.2026-11.example:guest,i,0x800000000001", "iqn.x:disk,t,0x0001", 1);
    private final LunView view = new FixedLunView(Map.of(0, unit, 1, other, 2, largeBlocks));
    private final Initiator initiator = Initiator.of(unit);

    CopyTest() {
        for (int at = 0; at < here.content().length; at++) {
            // No two blocks are the same, and none is all zeroes.
            here.content()[at] = (byte) (1 + (at / BLOCK + at % 251) % 255);
        }
        run(TestLane.direct(), unit, new byte[6], null);
    }

    // ---- copying

    @Test
    void shouldCopyWithinALogicalUnit() {
        byte[] wanted = here.content(10 * BLOCK, 100 * BLOCK);

        copy(list().segment(0, 0, 100, 10, 5000)).isGood();

        assertThat(here.content(5000 * BLOCK, 100 * BLOCK)).isEqualTo(wanted);
    }

    @Test
    void shouldCopyBetweenLogicalUnitsThatTheNexusSees() {
        copy(list().segment(0, 1, 7, 3, 4000).segment(0, 1, 2, 100, 0)).isGood();

        assertThat(there.content(4000 * BLOCK, 7 * BLOCK)).isEqualTo(here.content(3 * BLOCK, 7 * BLOCK));
        assertThat(there.content(0, 2 * BLOCK)).isEqualTo(here.content(100 * BLOCK, 2 * BLOCK));
        assertThat(there.content(2 * BLOCK, BLOCK)).containsOnly(0);
    }

    @ParameterizedTest
    @CsvSource({"0, 100", "100, 0", "0, 3000", "3000, 0", "5, 5"})
    void shouldCopyWhatWasThereWhereTheRangesOverlap(int from, int to) {
        int blocks = 4096;
        byte[] wanted = here.content(from * BLOCK, blocks * BLOCK);

        copy(list().segment(0, 0, blocks, from, to)).isGood();

        assertThat(here.content(to * BLOCK, blocks * BLOCK)).isEqualTo(wanted);
    }

    @Test
    void shouldCountBlocksOfEitherSide() {
        copy(list().segment(0, 2, 16, 8, 1)).isGood();
        assertThat(large.content(4096, 16 * BLOCK)).isEqualTo(here.content(8 * BLOCK, 16 * BLOCK));

        copy(list().segment(0, 2, 3, 64, 10).inDestinationBlocks()).isGood();
        assertThat(large.content(10 * 4096, 3 * 4096)).isEqualTo(here.content(64 * BLOCK, 3 * 4096));

        copy(list().segment(0, 2, 9, 0, 0)).failsWith(SenseCode.UNEXPECTED_INEXACT_SEGMENT);
    }

    @Test
    void shouldWorkInBoundedPiecesAndGoBackToTheLoopAfterEach() {
        copy(list().segment(0, 1, BLOCKS, 0, 0)).isGood();

        assertThat(here.operations())
                .contains("read 0+1048576", "read 3145728+1048576")
                .hasSize(4);
        assertThat(there.operations()).hasSize(4);
    }

    @Test
    void shouldKeepACopyOfASparseImageSparse() {
        Arrays.fill(here.content(), 2048 * BLOCK, 4096 * BLOCK, (byte) 0);
        Arrays.fill(there.content(), (byte) 'x');

        copy(list().segment(0, 1, 4096, 0, 0)).isGood();

        assertThat(there.operations()).containsExactly("write 0+1048576 CACHED", "discard 1048576+1048576");
        assertThat(there.content(0, 4096 * BLOCK)).isEqualTo(here.content(0, 4096 * BLOCK));
    }

    @Test
    void shouldBeDurableBeforeTheAnswerWhereTheCacheIsOff() {
        LogicalUnit through = LogicalUnit.builder(LogicalUnitIdentity.of(OTHER_UUID), there)
                .writeThrough()
                .build();
        LunView seen = new FixedLunView(Map.of(0, unit, 1, through));

        run(TestLane.direct(), seen, list().segment(0, 1, 1, 0, 0).bytes()).isGood();

        assertThat(there.operations()).containsExactly("write 0+512 CACHED", "flush");
        assertThat(here.operations()).containsExactly("read 0+512");
    }

    @Test
    void shouldDoNothingWithoutAList() {
        initiator.send(ScsiCommand.EXTENDED_COPY_LID1).isGood();
        copy(list()).isGood();

        assertThat(here.operations()).isEmpty();
    }

    // ---- refusing

    @Test
    void shouldRefuseAListThatIsCutOff() {
        byte[] whole = list().segment(0, 0, 1, 0, 1).bytes();
        for (int length = 1; length < whole.length; length++) {
            Answer answer = run(TestLane.direct(), view, Arrays.copyOf(whole, length));
            answer.failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        byte[] cdb = CdbBuilder.cdb(ScsiCommand.EXTENDED_COPY_LID1)
                .length(whole.length + 1)
                .bytes();
        run(TestLane.direct(), unit, cdb, whole).failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        assertThat(here.operations()).isEmpty();
    }

    @Test
    void shouldRefuseMoreDescriptorsThanItSays() {
        CopyBuilder tooManySegments = list();
        for (int i = 0; i <= Limits.MAX_COPY_SEGMENTS; i++) {
            tooManySegments.segment(0, 0, 1, 0, 1);
        }
        copy(tooManySegments).failsWith(SenseCode.TOO_MANY_SEGMENT_DESCRIPTORS);

        CopyBuilder tooManyTargets = list().segment(0, 0, 1, 0, 1);
        for (int i = 3; i <= Limits.MAX_COPY_TARGETS; i++) {
            tooManyTargets.target(unit);
        }
        copy(tooManyTargets).failsWith(SenseCode.TOO_MANY_TARGET_DESCRIPTORS);
    }

    @Test
    void shouldRefuseDescriptorsItDoesNotKnowBeforeItCopies() {
        byte[] fibreChannel = list().segment(0, 0, 1, 0, 1).bytes();
        fibreChannel[16] = (byte) 0xe0;
        run(TestLane.direct(), view, fibreChannel).failsWith(SenseCode.UNSUPPORTED_TARGET_DESCRIPTOR_TYPE_CODE);

        byte[] stream = list().segment(0, 0, 1, 0, 1).segment(0, 0, 1, 0, 1).bytes();
        stream[stream.length - CopyList.SEGMENT_BYTES] = 3;
        run(TestLane.direct(), view, stream).failsWith(SenseCode.UNSUPPORTED_SEGMENT_DESCRIPTOR_TYPE_CODE);

        byte[] inline = Arrays.copyOf(list().bytes(), list().bytes().length + 4);
        ByteBuffer.wrap(inline).putInt(12, 4);
        run(TestLane.direct(), view, inline).failsWith(SenseCode.INLINE_DATA_LENGTH_EXCEEDED);
        assertThat(here.operations()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "1, 8, 1", // LIST ID USAGE 01b
        "1, 24, 0", // an identifier, although it is not to be used
        "17, 64, 17", // LU ID TYPE 01b
        "23, 21, 23", // a designator that does not fit
        "115, 25, 114" // the length of the segment descriptor
    })
    void shouldPointAtAMistakeInTheList(int at, int value, int pointer) {
        byte[] wrong = list().segment(0, 0, 1, 0, 1).bytes();
        wrong[at] = (byte) value;

        run(TestLane.direct(), view, wrong).complainsOfParameterByte(pointer);
    }

    @Test
    void shouldSayWhichSegmentCannotBeCopied() {
        Answer answer = copy(list().segment(0, 1, 1, 0, 7).segment(0, 9, 1, 0, 1));

        answer.failsWith(SenseCode.UNREACHABLE_COPY_TARGET);
        assertThat(ByteBuffer.wrap(answer.sense()).getInt(8)).as("segment").isEqualTo(1);
        assertThat(there.content(7 * BLOCK, BLOCK)).as("the one before it").isEqualTo(here.content(0, BLOCK));
    }

    @Test
    void shouldNotReachWhatTheNexusDoesNotSee() {
        LunView alone = new FixedLunView(Map.of(0, unit));

        run(TestLane.direct(), alone, list().segment(0, 1, 1, 0, 0).bytes())
                .failsWith(SenseCode.UNREACHABLE_COPY_TARGET);
        run(TestLane.direct(), alone, list().segment(1, 0, 1, 0, 0).bytes())
                .failsWith(SenseCode.UNREACHABLE_COPY_TARGET);
        assertThat(there.operations()).isEmpty();
        assertThat(here.operations()).isEmpty();
    }

    @Test
    void shouldReachThroughAViewOfOtherTargets() {
        LunView alone = new FixedLunView(Map.of(0, unit), List.of(other));

        run(TestLane.direct(), alone, list().segment(0, 1, 1, 0, 0).bytes()).isGood();
    }

    @Test
    void shouldNotCopyFromOrToANullTarget() {
        byte[] nothing = list().segment(0, 0, 1, 0, 1).bytes();
        nothing[17] |= 0x20;

        run(TestLane.direct(), view, nothing).failsWith(SenseCode.UNREACHABLE_COPY_TARGET);
    }

    @ParameterizedTest
    @CsvSource({"8191, 0", "0, 8191", "-1, 0", "0, 9000"})
    void shouldNotCopyBeyondTheEnd(long from, long to) {
        copy(list().segment(0, 1, 2, from, to)).failsWith(SenseCode.COPY_TARGET_DEVICE_NOT_REACHABLE);

        assertThat(here.operations()).isEmpty();
        assertThat(there.operations()).isEmpty();
    }

    @Test
    void shouldRefuseATargetWithBlocksOfAnotherLengthThanTheListSays() {
        byte[] wrong = list().segment(0, 0, 1, 0, 1).bytes();
        ByteBuffer.wrap(wrong).putInt(16 + 28, 4096);

        run(TestLane.direct(), view, wrong).failsWith(SenseCode.INCORRECT_COPY_TARGET_DEVICE_TYPE);
    }

    @Test
    void shouldRespectReservationsAtEachSide() {
        Reserver holder = Reserver.at(other, "holder", 1);
        holder.register(0, 1).isGood();
        holder.reserve(1, ReservationType.WRITE_EXCLUSIVE).isGood();

        copy(list().segment(0, 1, 1, 0, 0)).failsWith(SenseCode.THIRD_PARTY_DEVICE_FAILURE);
        copy(list().segment(1, 0, 1, 0, 0)).isGood();

        Reserver home = Reserver.at(unit, "holder", 1);
        home.register(0, 1).isGood();
        home.reserve(1, ReservationType.WRITE_EXCLUSIVE).isGood();
        assertThat(copy(list().segment(0, 1, 1, 0, 0)).status()).isEqualTo(ScsiStatus.RESERVATION_CONFLICT);
    }

    @Test
    void shouldReadWhatIsWriteProtectedAndNotWriteIt() {
        TestBackend fixed = new TestBackend(BLOCKS * BLOCK).protect();
        LogicalUnit readOnly =
                LogicalUnit.builder(LogicalUnitIdentity.of(OTHER_UUID), fixed).build();
        LunView seen = new FixedLunView(Map.of(0, unit, 1, readOnly));

        run(TestLane.direct(), seen, list().segment(1, 0, 1, 0, 0).bytes()).isGood();
        run(TestLane.direct(), seen, list().segment(0, 1, 1, 0, 0).bytes())
                .failsWith(SenseCode.THIRD_PARTY_DEVICE_FAILURE);
        assertThat(fixed.operations()).containsExactly("read 0+512");
    }

    @Test
    void shouldNotWriteWhereThisInitiatorMayOnlyRead() {
        MappedLuns mapped = new MappedLuns();
        mapped.show(Map.of(0, new MappedLuns.Mapped(unit, false), 1, new MappedLuns.Mapped(other, true)), () -> {});

        run(TestLane.direct(), mapped, list().segment(0, 1, 1, 0, 0).bytes())
                .failsWith(SenseCode.THIRD_PARTY_DEVICE_FAILURE);
        run(TestLane.direct(), mapped, list().segment(1, 0, 1, 0, 0).bytes()).isGood();
    }

    @Test
    void shouldStopWhereTheStorageFails() {
        there.failWith(BlockError.Kind.MEDIUM);

        copy(list().segment(0, 1, 1, 0, 0)).failsWith(SenseCode.THIRD_PARTY_DEVICE_FAILURE);
        assertThat(unit.ranges().isIdle()).isTrue();
        assertThat(other.ranges().isIdle()).isTrue();
    }

    // ---- while it runs

    @Test
    void shouldEndBetweenTwoPiecesWhenNobodyWaitsAnyMore() {
        TestLane lane = TestLane.held();
        TestTask task = start(lane, view, list().segment(0, 1, BLOCKS, 0, 0).bytes());
        assertThat(lane.runOne()).as("the first read").isTrue();

        task.abort();
        while (lane.runOne()) {
            assertThat(task.completions()).isLessThan(2);
        }

        assertThat(task.completions()).isEqualTo(1);
        assertThat(there.operations()).as("of four").hasSize(1);
    }

    @Test
    void shouldTellHowFarItIsAndRefuseTheSameIdentifierMeanwhile() {
        TestLane lane = TestLane.held();
        byte[] list = list().segment(0, 1, BLOCKS, 0, 0).identifier(9).bytes();
        TestTask task = start(lane, view, list);
        // The read, the write, and back to the loop.
        lane.runOne();
        lane.runOne();

        Answer status = receive(ScsiCommand.RECEIVE_COPY_STATUS_LID1, 9).isGood();
        assertThat(status.u8(4)).as("in progress").isZero();
        assertThat(status.u8(7)).as("counted in KiB").isEqualTo(1);
        assertThat(status.u32(8)).isEqualTo(1024);
        run(TestLane.direct(), view, list).failsWith(SenseCode.OPERATION_IN_PROGRESS);

        while (lane.runOne()) {
            // To its end.
        }
        task.answer().isGood();
        Answer ended = receive(ScsiCommand.RECEIVE_COPY_STATUS_LID1, 9).isGood();
        assertThat(ended.u8(4)).as("done").isEqualTo(1);
        assertThat(ended.u16(5)).as("segments").isEqualTo(1);
        assertThat(ended.u32(8)).isEqualTo(4096);
    }

    @Test
    void shouldWaitForWhoeverHasTheBlocksForHimself() {
        TestLane lane = TestLane.held();
        byte[] both = new byte[2 * BLOCK];
        TestTask swap = new TestTask(nexus, view, lane);
        run(TestLane.direct(), other, new byte[6], null);
        swap.start(
                other,
                CdbBuilder.cdb(ScsiCommand.COMPARE_AND_WRITE).lba(0).set(13, 1).bytes(),
                both);

        TestTask task = start(lane, view, list().segment(0, 1, 1, 0, 0).bytes());
        while (lane.runOne()) {
            // To the end of both.
        }

        swap.answer().isGood();
        task.answer().isGood();
        assertThat(there.operations())
                .as("reads, then writes, then the copy")
                .containsExactly("read 0+512", "write 0+512 CACHED", "write 0+512 CACHED");
    }

    @Test
    void shouldLetAUnitGoOnlyBetweenTwoPieces() {
        MappedLuns mapped = new MappedLuns();
        mapped.show(Map.of(0, new MappedLuns.Mapped(unit, false), 1, new MappedLuns.Mapped(other, false)), () -> {});
        TestLane lane = TestLane.held();
        TestTask task = start(lane, mapped, list().segment(1, 0, BLOCKS, 0, 0).bytes());
        AtomicInteger settled = new AtomicInteger();

        mapped.show(Map.of(0, new MappedLuns.Mapped(unit, false)), settled::incrementAndGet);
        assertThat(settled).as("while it is being read").hasValue(0);
        while (lane.runOne()) {
            // To the end.
        }

        assertThat(settled).hasValue(1);
        task.answer().failsWith(SenseCode.UNREACHABLE_COPY_TARGET);
        assertThat(there.operations()).hasSize(1);
    }

    @Test
    void shouldTakeSoManyAtATime() {
        TestLane lane = TestLane.held();
        List<TestTask> tasks = new ArrayList<>();
        for (int i = 0; i <= Limits.MAX_COPIES; i++) {
            tasks.add(start(
                    lane, view, list().segment(0, 1, 1, i, i).identifier(i).bytes()));
        }

        assertThat(tasks.get(Limits.MAX_COPIES).status()).isEqualTo(ScsiStatus.TASK_SET_FULL);
        while (lane.runOne()) {
            // To the end of all.
        }
        copy(list().segment(0, 1, 1, 0, 0)).isGood();
    }

    // ---- afterwards

    @Test
    void shouldKnowNothingOfACopyThatNeverWas() {
        receive(ScsiCommand.RECEIVE_COPY_STATUS_LID1, 1).complainsOfCdbByte(2);
        receive(ScsiCommand.RECEIVE_COPY_FAILURE_DETAILS_LID1, 1).complainsOfCdbByte(2);
        copy(list().identifier(0).usage(3)).isGood();
        receive(ScsiCommand.RECEIVE_COPY_STATUS_LID1, 0).complainsOfCdbByte(2);
    }

    @Test
    void shouldTellWhyACopyFailed() {
        copy(list().segment(0, 9, 1, 0, 1).identifier(4)).failsWith(SenseCode.UNREACHABLE_COPY_TARGET);

        Answer status = receive(ScsiCommand.RECEIVE_COPY_STATUS_LID1, 4).isGood();
        assertThat(status.u8(4)).as("with errors").isEqualTo(2);
        Answer details =
                receive(ScsiCommand.RECEIVE_COPY_FAILURE_DETAILS_LID1, 4).isGood();
        assertThat(details.u32(0)).isEqualTo(56 + details.u16(58));
        assertThat(details.u8(56)).as("status").isEqualTo(2);
        assertThat(details.u8(60 + 12)).isEqualTo(0x08);
        assertThat(details.u8(60 + 13)).isEqualTo(0x04);

        copy(list().segment(0, 1, 1, 0, 1).identifier(4)).isGood();
        assertThat(receive(ScsiCommand.RECEIVE_COPY_FAILURE_DETAILS_LID1, 4)
                        .isGood()
                        .u32(0))
                .as("nothing to tell")
                .isZero();
    }

    @Test
    void shouldForgetTheOldestAndWhatANexusLeaves() {
        for (int id = 0; id <= Limits.MAX_COPY_RECORDS; id++) {
            copy(list().segment(0, 1, 1, 0, 0).identifier(id)).isGood();
        }
        receive(ScsiCommand.RECEIVE_COPY_STATUS_LID1, 0).complainsOfCdbByte(2);
        receive(ScsiCommand.RECEIVE_COPY_STATUS_LID1, 1).isGood();

        nexus.end();
        run(TestLane.direct(), unit, new byte[6], null).failsWith(SenseCode.POWER_ON_OR_RESET);
        receive(ScsiCommand.RECEIVE_COPY_STATUS_LID1, 1).complainsOfCdbByte(2);
    }

    // ---- what it says of itself

    @Test
    void shouldSayWhatItCan() {
        Answer answer = initiator
                .send(CdbBuilder.cdb(ScsiCommand.RECEIVE_COPY_OPERATING_PARAMETERS)
                        .length(255))
                .isGood();

        assertThat(answer.u32(0)).isEqualTo(answer.data().length - 4);
        assertThat(answer.u16(8)).isEqualTo(Limits.MAX_COPY_TARGETS);
        assertThat(answer.u16(10)).isEqualTo(Limits.MAX_COPY_SEGMENTS);
        assertThat(answer.u32(12)).isEqualTo(Limits.MAX_COPY_TARGETS * 32L + Limits.MAX_COPY_SEGMENTS * 28L);
        assertThat(answer.u8(37)).as("granularity").isEqualTo(9);
        assertThat(answer.u8(43)).isEqualTo(2);
        assertThat(answer.u8(44)).isEqualTo(0x02);
        assertThat(answer.u8(45)).isEqualTo(0xe4);
        assertThat(initiator
                                .send(CdbBuilder.cdb(ScsiCommand.INQUIRY).length(96))
                                .u8(5)
                        & 0x08)
                .as("3PC")
                .isEqualTo(0x08);
    }

    @Test
    void shouldListItsCommandsInTheThirdPartyCopyPage() {
        Answer page = initiator
                .send(CdbBuilder.cdb(ScsiCommand.INQUIRY).set(1, 1).set(2, 0x8f).length(1024))
                .isGood();

        assertThat(page.u16(2)).isEqualTo(page.data().length - 4);
        assertThat(page.u16(4)).isEqualTo(1);
        assertThat(page.u16(6) % 4).isZero();
        assertThat(Arrays.copyOfRange(page.data(), 8, 17))
                .as("list of 8 bytes: 83h with 00h; 84h with 00h, 03h, 04h")
                .containsExactly(8, 0x83, 1, 0, 0x84, 3, 0, 3, 4);
        List<Integer> types = new ArrayList<>();
        for (int at = 4; at < page.data().length; at += 4 + page.u16(at + 2)) {
            types.add(page.u16(at));
        }
        assertThat(types).containsExactly(1, 4, 8, 0x8001);
    }

    // ----

    private Answer copy(CopyBuilder list) {
        return run(TestLane.direct(), view, list.bytes());
    }

    private Answer run(TestLane lane, LunView seen, byte[] list) {
        TestTask task = start(lane, seen, list);
        assertThat(task.completions()).isEqualTo(1);
        return task.answer();
    }

    private TestTask start(TestLane lane, LunView seen, byte[] list) {
        TestTask task = new TestTask(nexus, seen, lane);
        task.start(
                unit,
                CdbBuilder.cdb(ScsiCommand.EXTENDED_COPY_LID1)
                        .length(list.length)
                        .bytes(),
                list);
        return task;
    }

    private Answer run(TestLane lane, LogicalUnit at, byte[] cdb, byte @Nullable [] data) {
        TestTask task = new TestTask(nexus, view, lane);
        task.start(at, cdb, data);
        return task.answer();
    }

    private Answer receive(ScsiCommand command, int identifier) {
        return run(
                TestLane.direct(),
                unit,
                CdbBuilder.cdb(command).set(2, identifier).length(255).bytes(),
                null);
    }

    /** The three logical units are targets 0, 1 and 2. */
    private CopyBuilder list() {
        return new CopyBuilder().target(unit).target(other).target(largeBlocks);
    }

    /** Writes parameter lists as an initiator does. */
    private static final class CopyBuilder {
        private final ByteBuffer targets = ByteBuffer.allocate(8192);
        private final ByteBuffer segments = ByteBuffer.allocate(8192);
        private int identifier = 1;
        private int usage;

        CopyBuilder target(LogicalUnit unit) {
            int at = targets.position();
            targets.put(at, (byte) CopyList.IDENTIFICATION);
            targets.put(at + 4, (byte) 1).put(at + 5, (byte) 3).put(at + 7, (byte) 8);
            targets.putLong(at + 8, unit.identity().naa()).putInt(at + 28, unit.blockBytes());
            targets.position(at + CopyList.TARGET_BYTES);
            return this;
        }

        CopyBuilder segment(int source, int destination, int blocks, long from, long to) {
            segments.put((byte) CopyList.BLOCK_TO_BLOCK).put((byte) 0).putShort((short) 0x18);
            segments.putShort((short) source).putShort((short) destination);
            segments.putShort((short) 0).putShort((short) blocks).putLong(from).putLong(to);
            return this;
        }

        CopyBuilder inDestinationBlocks() {
            segments.put(segments.position() - CopyList.SEGMENT_BYTES + 1, (byte) 0x02);
            return this;
        }

        CopyBuilder identifier(int id) {
            identifier = id;
            return this;
        }

        CopyBuilder usage(int listIdUsage) {
            usage = listIdUsage;
            return this;
        }

        byte[] bytes() {
            ByteBuffer list = ByteBuffer.allocate(CopyList.HEADER_BYTES + targets.position() + segments.position());
            list.put((byte) identifier).put((byte) (usage << 3)).putShort((short) targets.position());
            list.putInt(0).putInt(segments.position()).putInt(0);
            list.put(targets.array(), 0, targets.position()).put(segments.array(), 0, segments.position());
            return list.array();
        }
    }
}
