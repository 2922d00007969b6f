package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VerifyTest {
    private static final int BLOCK = 512;
    private static final int BYTCHK = 0x02;
    private static final int BYTCHK_ONE_BLOCK = 0x06;

    private final TestBackend backend = new TestBackend(1 << 20);
    private final Initiator initiator = Initiator.of(Initiator.unit(backend));

    VerifyTest() {
        new Random(3).nextBytes(backend.content());
    }

    @ParameterizedTest
    @EnumSource(names = {"VERIFY_10", "VERIFY_12", "VERIFY_16"})
    void shouldReadTheBlocksWhenNothingIsToBeCompared(ScsiCommand verify) {
        Answer answer = initiator.send(CdbBuilder.blocks(verify, 3, 4)).isGood();

        assertThat(answer.data()).as("Data-In").isEmpty();
        assertThat(answer.dataOutWanted()).isZero();
        assertThat(backend.operations()).containsExactly("read 1536+2048");
    }

    @ParameterizedTest
    @EnumSource(names = {"VERIFY_10", "VERIFY_12", "VERIFY_16"})
    void shouldFindEqualWhatIsEqual(ScsiCommand verify) {
        Answer answer = initiator
                .send(comparing(verify, 3, 4), backend.content(3 * BLOCK, 4 * BLOCK))
                .isGood();

        assertThat(answer.data()).isEmpty();
        assertThat(answer.dataOutWanted()).isEqualTo(4 * BLOCK);
    }

    @ParameterizedTest
    @EnumSource(names = {"VERIFY_10", "VERIFY_12", "VERIFY_16"})
    void shouldNameTheBlockThatDiffers(ScsiCommand verify) {
        byte[] data = backend.content(3 * BLOCK, 4 * BLOCK);
        data[2 * BLOCK + 7] ^= 1;

        Answer answer = initiator.send(comparing(verify, 3, 4), data);

        assertThat(answer.failsWith(SenseCode.MISCOMPARE_DURING_VERIFY).information())
                .isEqualTo(5);
    }

    @Test
    void shouldCompareEachBlockWithTheOneThatWasSent() {
        byte[] one = backend.content(0, BLOCK);
        System.arraycopy(one, 0, backend.content(), BLOCK, BLOCK);
        CdbBuilder two = CdbBuilder.cdb(ScsiCommand.VERIFY_10).count(2).set(1, BYTCHK_ONE_BLOCK);
        CdbBuilder three = CdbBuilder.cdb(ScsiCommand.VERIFY_10).count(3).set(1, BYTCHK_ONE_BLOCK);

        assertThat(initiator.send(two, one).isGood().dataOutWanted()).isEqualTo(BLOCK);

        Answer answer = initiator.send(three, one).failsWith(SenseCode.MISCOMPARE_DURING_VERIFY);
        assertThat(answer.information()).isEqualTo(2);
    }

    @Test
    void shouldRefuseTheReservedComparison() {
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.VERIFY_10).count(1).set(1, 0x04))
                .complainsOfCdbByte(1);
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.WRITE_AND_VERIFY_10).count(1).set(1, 0x06), new byte[BLOCK])
                .complainsOfCdbByte(1);
    }

    @Test
    void shouldNotClaimToHaveComparedWhatDidNotCome() {
        initiator
                .send(comparing(ScsiCommand.VERIFY_10, 0, 2), backend.content(0, BLOCK))
                .failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
        initiator
                .send(comparing(ScsiCommand.VERIFY_10, 0, 2))
                .failsWith(SenseCode.INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT);
    }

    @ParameterizedTest
    @EnumSource(names = {"VERIFY_10", "VERIFY_12", "VERIFY_16"})
    void shouldCheckTheRange(ScsiCommand verify) {
        initiator.send(comparing(verify, 2048, 0)).isGood();
        initiator.send(comparing(verify, 2049, 0)).failsWith(SenseCode.LBA_OUT_OF_RANGE);
        initiator.send(comparing(verify, 2047, 2), new byte[2 * BLOCK]).failsWith(SenseCode.LBA_OUT_OF_RANGE);
    }

    @ParameterizedTest
    @EnumSource(names = {"WRITE_AND_VERIFY_10", "WRITE_AND_VERIFY_12", "WRITE_AND_VERIFY_16"})
    void shouldWriteToTheMediumAndReadBack(ScsiCommand command) {
        byte[] data = new byte[2 * BLOCK];
        Arrays.fill(data, (byte) 'b');
        for (CdbBuilder cdb :
                List.of(CdbBuilder.cdb(command), CdbBuilder.cdb(command).set(1, BYTCHK))) {
            Answer answer = initiator.send(cdb.lba(5).count(2), data).isGood();
            assertThat(answer.data()).isEmpty();
        }

        assertThat(backend.content(5 * BLOCK, 2 * BLOCK)).isEqualTo(data);
        assertThat(backend.operations())
                .containsExactly(
                        "write 2560+1024 DURABLE", "read 2560+1024", "write 2560+1024 DURABLE", "read 2560+1024");
    }

    private static CdbBuilder comparing(ScsiCommand verify, long lba, long count) {
        return CdbBuilder.cdb(verify).lba(lba).count(count).set(1, BYTCHK);
    }
}
