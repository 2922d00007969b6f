package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReadWriteTest {
    private static final int BLOCK = 512;
    private static final int BLOCKS = 20_000;

    private final TestBackend backend = new TestBackend(BLOCKS * BLOCK);
    private final Initiator initiator = Initiator.of(Initiator.unit(backend));

    @ParameterizedTest
    @EnumSource(names = {"READ_6", "READ_10", "READ_12", "READ_16"})
    void shouldReadTheBlocksTheCdbNames(ScsiCommand read) {
        new Random(1).nextBytes(backend.content());

        Answer answer = initiator.send(CdbBuilder.blocks(read, 7, 3)).isGood();

        assertThat(answer.data()).isEqualTo(backend.content(7 * BLOCK, 3 * BLOCK));
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_6", "WRITE_10", "WRITE_12", "WRITE_16"})
    void shouldWriteTheBlocksTheCdbNames(ScsiCommand write) {
        byte[] data = random(3 * BLOCK);

        Answer answer = initiator.send(CdbBuilder.blocks(write, 7, 3), data).isGood();

        assertThat(backend.content(7 * BLOCK, 3 * BLOCK)).isEqualTo(data);
        assertThat(answer.dataOutWanted()).isEqualTo(3 * BLOCK);
        assertThat(backend.operations()).containsExactly("write 3584+1536 CACHED");
    }

    @ParameterizedTest
    @EnumSource(names = {"READ_6", "READ_10", "READ_12", "READ_16"})
    void shouldReadTheLastBlockAndNothingBehindIt(ScsiCommand read) {
        initiator.send(CdbBuilder.blocks(read, BLOCKS - 1, 1)).isGood();

        for (long lba : List.of(BLOCKS - 1, BLOCKS)) {
            Answer answer = initiator.send(CdbBuilder.blocks(read, lba, 2));
            assertThat(answer.failsWith(SenseCode.LBA_OUT_OF_RANGE).information())
                    .isEqualTo(BLOCKS);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_6", "WRITE_10", "WRITE_12", "WRITE_16"})
    void shouldWriteNothingAtAllWhenOneBlockIsOutOfRange(ScsiCommand write) {
        initiator
                .send(CdbBuilder.blocks(write, BLOCKS - 1, 2), random(2 * BLOCK))
                .failsWith(SenseCode.LBA_OUT_OF_RANGE);

        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldTakeLbasForUnsigned() {
        for (long lba : List.of(Long.MIN_VALUE, -1L, -2L)) {
            initiator.send(CdbBuilder.blocks(ScsiCommand.READ_16, lba, 0)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
            initiator.send(CdbBuilder.blocks(ScsiCommand.READ_16, lba, 2)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
        }
        initiator.send(CdbBuilder.blocks(ScsiCommand.READ_10, -1, 0)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
    }

    @ParameterizedTest
    @EnumSource(names = {"READ_10", "READ_12", "READ_16", "WRITE_10", "WRITE_12", "WRITE_16"})
    void shouldDoNothingForNoBlocks(ScsiCommand command) {
        initiator.send(CdbBuilder.blocks(command, 0, 0)).isGood();

        initiator.send(CdbBuilder.blocks(command, BLOCKS + 1, 0)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldTakeZeroInTheSixByteCdbFor256() {
        initiator.send(CdbBuilder.blocks(ScsiCommand.READ_6, 0, 0)).isGood();

        assertThat(backend.operations()).containsExactly("read 0+131072");
    }

    @Test
    void shouldRefuseMoreThanTheMaximumTransferLength() {
        int most = Limits.MAX_TRANSFER_BYTES / BLOCK;
        initiator.send(CdbBuilder.blocks(ScsiCommand.READ_16, 0, most)).isGood();

        initiator.send(CdbBuilder.blocks(ScsiCommand.READ_16, 0, most + 1)).complainsOfCdbByte(10);
        initiator.send(CdbBuilder.blocks(ScsiCommand.WRITE_12, 0, most + 1)).complainsOfCdbByte(6);
        initiator.send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, most + 1)).complainsOfCdbByte(7);
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_10", "WRITE_12", "WRITE_16"})
    void shouldMakeAForcedWriteDurable(ScsiCommand write) {
        initiator
                .send(CdbBuilder.cdb(write).lba(0).count(1).fua(), random(BLOCK))
                .isGood();

        assertThat(backend.operations()).containsExactly("write 0+512 DURABLE");
    }

    @ParameterizedTest
    @EnumSource(names = {"READ_10", "READ_12", "READ_16"})
    void shouldFlushBeforeAForcedRead(ScsiCommand read) {
        initiator.send(CdbBuilder.cdb(read).lba(0).count(1).fua()).isGood();

        assertThat(backend.operations()).containsExactly("flush", "read 0+512");
    }

    @Test
    void shouldMakeEveryWriteDurableWhenWriteThrough() {
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
                .writeThrough()
                .build();

        Initiator.of(unit)
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_6, 0, 1), random(BLOCK))
                .isGood();

        assertThat(backend.operations()).containsExactly("write 0+512 DURABLE");
    }

    @Test
    void shouldWriteTheWholeBlocksThatCameWhenDataIsShort() {
        byte[] data = random(2 * BLOCK);

        Answer answer = initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 4, 3), data)
                .isGood();

        assertThat(answer.dataOutWanted()).isEqualTo(3 * BLOCK);
        assertThat(backend.operations()).containsExactly("write 2048+1024 CACHED");
    }

    @Test
    void shouldWriteNothingWhenNoDataCame() {
        Answer answer =
                initiator.send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 4, 1)).isGood();

        assertThat(answer.dataOutWanted()).isEqualTo(BLOCK);
        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldRefuseAFragmentOfABlock() {
        for (int length : List.of(200, BLOCK + 1)) {
            Answer answer = initiator.send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 4, 2), random(length));
            answer.failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
            assertThat(answer.dataOutWanted()).isEqualTo(2 * BLOCK);
        }
        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldIgnoreDataBeyondTheCdb() {
        byte[] data = random(10_000);

        initiator.send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), data).isGood();

        assertThat(backend.content(0, BLOCK)).isEqualTo(Arrays.copyOf(data, BLOCK));
        assertThat(backend.content(BLOCK, BLOCK)).containsOnly(0);
    }

    @Test
    void shouldRejectWriteWhenReadOnly() {
        TestBackend readOnly = new TestBackend(1 << 20).protect();
        Initiator reader = Initiator.of(Initiator.unit(readOnly));

        reader.send(CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1)).isGood();

        for (ScsiCommand command : ScsiCommand.values()) {
            // SANITIZE (SanitizeTest) and UNMAP name no blocks in their CDB.
            if (command.access() == Access.WRITE
                    && command != ScsiCommand.UNMAP
                    && !command.name().startsWith("SANITIZE")) {
                reader.send(CdbBuilder.blocks(command, 0, 1), random(BLOCK)).failsWith(SenseCode.WRITE_PROTECTED);
            }
        }
    }

    @Test
    void shouldServeBlocksOf4096Bytes() {
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
                .blockBytes(4096)
                .build();
        byte[] data = random(2 * 4096);

        Initiator.of(unit)
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_16, 3, 2), data)
                .isGood();

        assertThat(backend.content(3 * 4096, 2 * 4096)).isEqualTo(data);
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }
}
