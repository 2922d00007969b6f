package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** GET LBA STATUS, UNMAP and WRITE SAME. */
class ProvisioningTest {
    private static final int BLOCK = 512;
    private static final int UNMAP = 0x08;
    private static final int NDOB = 0x01;
    private static final int BLOCKS = 40_000;

    private final TestBackend backend = new TestBackend(BLOCKS * BLOCK);
    private final LogicalUnit unit = Initiator.unit(backend);
    private final Initiator initiator = Initiator.of(unit);

    ProvisioningTest() {
        Arrays.fill(backend.content(), (byte) 'a');
    }

    @Test
    void shouldTellWhatIsDeallocated() {
        backend.hole(200 * BLOCK, 300 * BLOCK);

        Answer answer = status(100, 512);

        assertThat(answer.data()).hasSize(8 + 3 * 16);
        assertThat(answer.u32(0)).as("parameter data length").isEqualTo(4 + 3 * 16);
        assertThat(descriptorsOf(answer)).containsExactly("100+100 mapped", "200+100 deallocated", "300+39700 mapped");
    }

    @Test
    void shouldCountABlockAsMappedWhenAPartOfItIs() {
        backend.hole(200 * BLOCK + 1, 300 * BLOCK - 1);
        assertThat(descriptorsOf(status(200, 512)))
                .containsExactly("200+1 mapped", "201+98 deallocated", "299+39701 mapped");

        backend.hole(200 * BLOCK + 1, 200 * BLOCK + 600);
        assertThat(descriptorsOf(status(200, 512)))
                .as("no whole block")
                .containsExactly("200+1 mapped", "201+39799 mapped");
    }

    @Test
    void shouldTellAsMuchAsTheInitiatorHasRoomFor() {
        backend.hole(200 * BLOCK, 300 * BLOCK);

        assertThat(descriptorsOf(status(100, 8 + 2 * 16 + 15)))
                .containsExactly("100+100 mapped", "200+100 deallocated");
        assertThat(descriptorsOf(status(100, 24))).containsExactly("100+100 mapped");
        assertThat(status(100, 8).u32(0)).as("there would be more").isEqualTo(20);
        assertThat(status(100, 0).data()).isEmpty();
    }

    @Test
    void shouldSayNoMoreThanADescriptorHasRoomFor() {
        TestBackend huge = new TestBackend(BLOCK);
        huge.resize(10L << 40);
        huge.hole(0, 10L << 40);

        Answer answer = Initiator.of(Initiator.unit(huge))
                .send(CdbBuilder.cdb(ScsiCommand.GET_LBA_STATUS).lba(0).count(512))
                .isGood();

        assertThat(descriptorsOf(answer)).containsExactly("0+4294967295 deallocated");
    }

    @Test
    void shouldTellNoStatusBeyondTheEnd() {
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.GET_LBA_STATUS).lba(BLOCKS).count(512))
                .failsWith(SenseCode.LBA_OUT_OF_RANGE);
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.GET_LBA_STATUS).lba(-1).count(512))
                .failsWith(SenseCode.LBA_OUT_OF_RANGE);
    }

    @Test
    void shouldUnmapEachDescriptor() {
        unmap(0, 8, 100, 0, 200, 16).isGood();

        assertThat(backend.operations()).containsExactly("discard 0+4096", "discard 102400+8192");
        assertThat(backend.content(0, 4096)).containsOnly(0);
        assertThat(backend.content(4096, BLOCK)).containsOnly('a');
    }

    @Test
    void shouldDoNothingWithoutDescriptors() {
        unmap().isGood();
        initiator.send(ScsiCommand.UNMAP).isGood();
        unmap(BLOCKS, 0).isGood();

        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldUnmapNothingWhenOneDescriptorIsOutOfRange() {
        unmap(0, 8, BLOCKS - 1, 2).failsWith(SenseCode.LBA_OUT_OF_RANGE);
        unmap(0, 8, -1, 1).failsWith(SenseCode.LBA_OUT_OF_RANGE);

        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldRefuseMoreThanTheLimits() {
        long[] many = new long[2 * (Limits.MAX_UNMAP_DESCRIPTORS + 1)];
        unmap(many).complainsOfParameterByte(2);
        unmap(Arrays.copyOf(many, many.length - 2)).isGood();

        backend.resize(1L << 40);
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.CAPACITY_DATA_CHANGED);
        unmap(0, 1, 0, Limits.MAX_UNMAP_BLOCKS).complainsOfParameterByte(8 + 16 + 8);
    }

    @Test
    void shouldRefuseAListThatIsTooShort() {
        for (int length : new int[] {1, 7}) {
            initiator
                    .send(CdbBuilder.cdb(ScsiCommand.UNMAP).length(length), new byte[length])
                    .failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        }
        Answer answer = initiator.send(CdbBuilder.cdb(ScsiCommand.UNMAP).length(24), new byte[23]);
        answer.failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        assertThat(answer.dataOutWanted()).isEqualTo(24);
    }

    @Test
    void shouldLeaveOutAFragmentOfADescriptor() {
        byte[] list = descriptors(0, 8, 16, 8);

        initiator
                .send(CdbBuilder.cdb(ScsiCommand.UNMAP).length(list.length - 1), list)
                .isGood();

        assertThat(backend.operations()).containsExactly("discard 0+4096");
    }

    @Test
    void shouldNotKnowUnmapWhenTheBackendCannotDiscard() {
        Initiator full = Initiator.of(Initiator.unit(new TestBackend(1 << 20).withoutDiscard()));

        full.send(ScsiCommand.UNMAP).failsWith(SenseCode.INVALID_COMMAND_OPERATION_CODE);
        full.send(CdbBuilder.cdb(ScsiCommand.WRITE_SAME_16).count(1).set(1, UNMAP), new byte[BLOCK])
                .complainsOfCdbByte(1);
        full.send(CdbBuilder.blocks(ScsiCommand.WRITE_SAME_16, 0, 1), new byte[BLOCK])
                .isGood();
    }

    @Test
    void shouldAnswerAfterTheLastDescriptor() {
        TestLane lane = TestLane.held();
        TestTask task = new TestTask(initiator.nexus(), new FixedLunView(Map.of()), lane);
        byte[] list = descriptors(0, 1, 2, 1, 4, 1);

        task.start(unit, CdbBuilder.cdb(ScsiCommand.UNMAP).length(list.length).bytes(), list);

        assertThat(lane.runOne()).isTrue();
        assertThat(lane.runOne()).isTrue();
        assertThat(task.completions()).isZero();
        assertThat(lane.runOne()).isTrue();
        assertThat(task.completions()).isEqualTo(1);
        task.answer().isGood();
        assertThat(lane.runOne()).isFalse();
    }

    @Test
    void shouldFlushAtTheEndWhenWriteThrough() {
        LogicalUnit through = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
                .writeThrough()
                .build();
        Initiator careful = Initiator.of(through);
        byte[] list = descriptors(0, 1);

        careful.send(CdbBuilder.cdb(ScsiCommand.UNMAP).length(list.length), list)
                .isGood();
        careful.send(CdbBuilder.blocks(ScsiCommand.WRITE_SAME_10, 8, 2), filled('b'))
                .isGood();

        assertThat(backend.operations()).containsExactly("discard 0+512", "flush", "fill 4096+1024", "flush");
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_SAME_10", "WRITE_SAME_16"})
    void shouldWriteTheBlockToAll(ScsiCommand writeSame) {
        Answer answer = initiator
                .send(CdbBuilder.blocks(writeSame, 10, 1025), filled('b'))
                .isGood();

        assertThat(answer.dataOutWanted()).isEqualTo(BLOCK);
        assertThat(answer.data()).isEmpty();
        assertThat(backend.operations()).containsExactly("fill 5120+524800");
        assertThat(backend.content(10 * BLOCK, 1025 * BLOCK)).containsOnly('b');
        assertThat(backend.content(9 * BLOCK, BLOCK)).containsOnly('a');
        assertThat(backend.content(1035 * BLOCK, BLOCK)).containsOnly('a');
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_SAME_10", "WRITE_SAME_16"})
    void shouldUnmapWhatIsWrittenWithZeroes(ScsiCommand writeSame) {
        CdbBuilder cdb = CdbBuilder.cdb(writeSame).lba(10).count(20).set(1, UNMAP);

        initiator.send(cdb, new byte[BLOCK]).isGood();
        initiator.send(cdb).isGood();

        assertThat(backend.operations()).containsExactly("discard 5120+10240", "discard 5120+10240");
    }

    @Test
    void shouldWriteWhatUnmappedBlocksWouldNotReadAs() {
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.WRITE_SAME_16).count(2).set(1, UNMAP), filled('b'))
                .isGood();

        assertThat(backend.content(0, 2 * BLOCK)).containsOnly('b');
        assertThat(backend.operations()).containsExactly("fill 0+1024");
    }

    @Test
    void shouldWriteZeroesThatNobodySent() {
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.WRITE_SAME_16).count(2).set(1, NDOB))
                .isGood();

        assertThat(backend.operations()).containsExactly("zero 0+1024");
        assertThat(backend.content(0, 2 * BLOCK)).containsOnly(0);
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_SAME_10", "WRITE_SAME_16"})
    void shouldRefuseDataThatIsNotOneBlock(ScsiCommand writeSame) {
        for (int length : new int[] {BLOCK / 2, 2 * BLOCK}) {
            for (int flags : new int[] {0, UNMAP}) {
                initiator
                        .send(CdbBuilder.cdb(writeSame).count(1).set(1, flags), new byte[length])
                        .failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
            }
        }
        initiator
                .send(CdbBuilder.blocks(writeSame, 0, 1))
                .failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        assertThat(backend.operations()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_SAME_10", "WRITE_SAME_16"})
    void shouldCheckRangeBeforeLength(ScsiCommand writeSame) {
        byte[] data = filled('b');
        int field = Cdb.lengthField(writeSame.cdbLength());
        initiator.send(CdbBuilder.blocks(writeSame, BLOCKS + 1, 0), data).failsWith(SenseCode.LBA_OUT_OF_RANGE);
        TestBackend huge = new TestBackend(BLOCK);
        huge.resize(Limits.MAX_WRITE_SAME_BYTES + BLOCK);
        Initiator another = Initiator.of(Initiator.unit(huge));
        another.send(CdbBuilder.blocks(writeSame, 0, 0), data).complainsOfCdbByte(field);
        long most = Limits.MAX_WRITE_SAME_BYTES / BLOCK;
        if (writeSame == ScsiCommand.WRITE_SAME_16) {
            another.send(CdbBuilder.blocks(writeSame, 0, most + 1), data).complainsOfCdbByte(field);
        }
        assertThat(huge.operations()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_SAME_10", "WRITE_SAME_16"})
    void shouldWriteToTheEndWhenNoNumberIsGiven(ScsiCommand writeSame) {
        initiator.send(CdbBuilder.blocks(writeSame, BLOCKS - 3, 0), filled('b')).isGood();
        initiator.send(CdbBuilder.blocks(writeSame, BLOCKS, 0), filled('b')).isGood();

        assertThat(backend.operations()).containsExactly("fill " + (BLOCKS - 3) * BLOCK + "+" + 3 * BLOCK);
    }

    @Test
    void shouldDoMuchWorkInPieces() {
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_SAME_16, 0, 10_000), filled('b'))
                .isGood();
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_SAME_16, 0, 10_000), filled('\0'))
                .isGood();

        assertThat(backend.operations())
                .containsExactly("fill 0+4194304", "fill 4194304+925696", "zero 0+4194304", "zero 4194304+925696");
    }

    @Test
    void shouldStopBetweenTwoPiecesWhenNobodyWaitsAnyMore() {
        TestLane lane = TestLane.held();
        TestTask task = new TestTask(initiator.nexus(), new FixedLunView(Map.of()), lane);
        task.start(unit, CdbBuilder.blocks(ScsiCommand.WRITE_SAME_16, 0, 30_000), filled('b'));

        task.abort();
        assertThat(lane.runOne()).isTrue();

        assertThat(task.completions()).isEqualTo(1);
        assertThat(backend.operations()).containsExactly("fill 0+4194304");
    }

    private Answer status(long lba, int allocationLength) {
        return initiator
                .send(CdbBuilder.cdb(ScsiCommand.GET_LBA_STATUS).lba(lba).count(allocationLength))
                .isGood();
    }

    private static List<String> descriptorsOf(Answer answer) {
        List<String> descriptors = new ArrayList<>();
        for (int at = 8; at < answer.data().length; at += 16) {
            String status = answer.u8(at + 12) == 0 ? "mapped" : "deallocated";
            descriptors.add(answer.u64(at) + "+" + answer.u32(at + 8) + " " + status);
        }
        return descriptors;
    }

    private Answer unmap(long... lbasAndCounts) {
        byte[] list = descriptors(lbasAndCounts);
        return initiator.send(CdbBuilder.cdb(ScsiCommand.UNMAP).length(list.length), list);
    }

    private static byte[] descriptors(long... lbasAndCounts) {
        int bytes = 8 * lbasAndCounts.length;
        ByteBuffer list = ByteBuffer.allocate(8 + bytes);
        list.putShort((short) (6 + bytes)).putShort((short) bytes).putInt(0);
        for (int i = 0; i < lbasAndCounts.length; i += 2) {
            list.putLong(lbasAndCounts[i]).putInt((int) lbasAndCounts[i + 1]).putInt(0);
        }
        return list.array();
    }

    private static byte[] filled(char with) {
        byte[] block = new byte[BLOCK];
        Arrays.fill(block, (byte) with);
        return block;
    }
}
