package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What changes when logical blocks have 4096 bytes: every number of blocks, and every limit in blocks. */
class LargeBlocksTest {
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 256;
    private static final int UNMAP = 0x08;
    private static final int BYTCHK = 0x02;

    private final TestBackend backend = new TestBackend(BLOCKS * BLOCK);
    private final LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
            .blockBytes(BLOCK)
            .build();
    private final Initiator initiator = Initiator.of(unit);

    @Test
    void shouldReadAndWriteInBlocksOfThatLength() {
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 3, 2), full('w', 2))
                .isGood();

        assertThat(backend.content(3 * BLOCK, 2 * BLOCK)).containsOnly('w');
        assertThat(backend.content(2 * BLOCK, BLOCK)).containsOnly(0);
        assertThat(initiator
                        .send(CdbBuilder.blocks(ScsiCommand.READ_16, 3, 2))
                        .isGood()
                        .data())
                .isEqualTo(full('w', 2));
        initiator.send(CdbBuilder.blocks(ScsiCommand.READ_10, BLOCKS - 1, 2)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
    }

    @Test
    void shouldRefuseAFragmentOfABlock() {
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), new byte[512])
                .failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
    }

    @Test
    void shouldCompareAndWriteOneBlock() {
        byte[] both = ByteBuffer.allocate(2 * BLOCK)
                .put(new byte[BLOCK])
                .put(full('c', 1))
                .array();

        initiator
                .send(CdbBuilder.cdb(ScsiCommand.COMPARE_AND_WRITE).lba(7).set(13, 1), both)
                .isGood();

        assertThat(backend.content(7 * BLOCK, BLOCK)).containsOnly('c');
    }

    @Test
    void shouldVerifyAndNameTheBlockThatDiffers() {
        backend.content()[9 * BLOCK + 1] = 1;

        Answer answer = initiator.send(
                CdbBuilder.cdb(ScsiCommand.VERIFY_10).lba(8).count(2).set(1, BYTCHK), new byte[2 * BLOCK]);

        assertThat(answer.failsWith(SenseCode.MISCOMPARE_DURING_VERIFY).information())
                .isEqualTo(9);
    }

    @Test
    void shouldUnmapAndRepeatBlocksOfThatLength() {
        Arrays.fill(backend.content(), (byte) 'a');
        byte[] list = ByteBuffer.allocate(24)
                .putShort((short) 22)
                .putShort((short) 16)
                .putInt(0)
                .putLong(1)
                .putInt(2)
                .putInt(0)
                .array();

        initiator.send(CdbBuilder.cdb(ScsiCommand.UNMAP).length(24), list).isGood();
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.WRITE_SAME_16, 4, 3), full('s', 1))
                .isGood();
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.WRITE_SAME_10).lba(8).count(1).set(1, UNMAP), new byte[BLOCK])
                .isGood();

        assertThat(backend.operations()).containsExactly("discard 4096+8192", "fill 16384+12288", "discard 32768+4096");
        assertThat(backend.content(4 * BLOCK, 3 * BLOCK)).containsOnly('s');
    }

    @Test
    void shouldWriteOneBlockAtomically() {
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.WRITE_ATOMIC_16).lba(5).set(13, 1), full('x', 1))
                .isGood();
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.WRITE_ATOMIC_16).lba(5).set(13, 2), full('x', 2))
                .complainsOfCdbByte(12);
    }

    @Test
    void shouldAnnounceItsLimitsInThoseBlocks() {
        Answer limits = initiator
                .send(CdbBuilder.cdb(ScsiCommand.INQUIRY).set(1, 1).set(2, 0xb0).length(64))
                .isGood();

        assertThat(limits.u16(6)).as("optimal granularity").isEqualTo(1);
        assertThat(limits.u32(8)).as("maximum transfer").isEqualTo(Limits.MAX_TRANSFER_BYTES / BLOCK);
        assertThat(limits.u64(36)).as("maximum WRITE SAME").isEqualTo(Limits.MAX_WRITE_SAME_BYTES / BLOCK);
        assertThat(limits.u32(28)).as("unmap granularity").isEqualTo(1);
        assertThat(limits.u32(44)).as("maximum atomic transfer").isEqualTo(1);
        assertThat(initiator
                        .send(CdbBuilder.cdb(ScsiCommand.MODE_SENSE_6)
                                .set(2, 0x0a)
                                .length(255))
                        .isGood()
                        .u32(8))
                .as("block length in the mode block descriptor")
                .isEqualTo(BLOCK);
        initiator
                .send(CdbBuilder.blocks(ScsiCommand.READ_16, 0, Limits.MAX_TRANSFER_BYTES / BLOCK + 1))
                .failsWith(SenseCode.LBA_OUT_OF_RANGE);
    }

    private static byte[] full(char letter, int blocks) {
        byte[] bytes = new byte[blocks * BLOCK];
        Arrays.fill(bytes, (byte) letter);
        return bytes;
    }
}
