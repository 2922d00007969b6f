package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
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
    void shouldClaimNothingAboutWhatIsMapped() {
        Answer answer = initiator
                .send(CdbBuilder.cdb(ScsiCommand.GET_LBA_STATUS).lba(100).count(512))
                .isGood();

        assertThat(answer.data()).hasSize(24);
        assertThat(answer.u32(0)).as("parameter data length").isEqualTo(20);
        assertThat(answer.u64(8)).isEqualTo(100);
        assertThat(answer.u32(16)).as("to the end").isEqualTo(BLOCKS - 100);
        assertThat(answer.u8(20)).as("mapped, or unknown").isZero();
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

        assertThat(backend.operations()).containsExactly("discard 0+512", "flush", "write 4096+1024 CACHED", "flush");
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_SAME_10", "WRITE_SAME_16"})
    void shouldWriteTheBlockToAll(ScsiCommand writeSame) {
        Answer answer = initiator
                .send(CdbBuilder.blocks(writeSame, 10, 1025), filled('b'))
                .isGood();

        assertThat(answer.dataOutWanted()).isEqualTo(BLOCK);
        assertThat(answer.data()).isEmpty();
        assertThat(backend.operations())
                .containsExactly("write 5120+262144 CACHED", "write 267264+262144 CACHED", "write 529408+512 CACHED");
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
        assertThat(backend.operations()).containsExactly("write 0+1024 CACHED");
    }

    @Test
    void shouldWriteZeroesThatNobodySent() {
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.WRITE_SAME_16).count(2).set(1, NDOB))
                .isGood();

        assertThat(backend.operations()).containsExactly("write 0+1024 CACHED");
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
        initiator.send(CdbBuilder.blocks(writeSame, 0, 0), data).complainsOfCdbByte(field);
        int most = Limits.MAX_WRITE_SAME_BYTES / BLOCK;
        initiator.send(CdbBuilder.blocks(writeSame, 0, most + 1), data).complainsOfCdbByte(field);
        initiator.send(CdbBuilder.blocks(writeSame, 0, most), data).isGood();
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
