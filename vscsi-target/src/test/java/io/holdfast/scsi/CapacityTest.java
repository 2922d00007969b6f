package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class CapacityTest {
    private static final LogicalUnitIdentity IDENTITY = LogicalUnitIdentity.of(Initiator.UNIT_UUID);

    @Test
    void shouldTellTheLastBlockAndTheBlockLength() {
        Initiator initiator = Initiator.of(Initiator.unit(new TestBackend(1 << 20)));

        Answer ten = initiator.send(ScsiCommand.READ_CAPACITY_10).isGood();
        assertThat(ten.u32(0)).isEqualTo(2047);
        assertThat(ten.u32(4)).isEqualTo(512);

        Answer sixteen = capacity16(initiator);
        assertThat(sixteen.u64(0)).isEqualTo(2047);
        assertThat(sixteen.u32(8)).isEqualTo(512);
        assertThat(sixteen.u8(12)).as("no protection").isZero();
        assertThat(sixteen.u8(13)).as("8 blocks per physical block").isEqualTo(3);
        assertThat(sixteen.u8(14)).as("LBPME, LBPRZ").isEqualTo(0xc0);
    }

    @Test
    void shouldTruncateToEachAllocationLength() {
        Initiator initiator = Initiator.of(Initiator.unit(new TestBackend(1 << 20)));
        for (int length = 0; length < 40; length++) {
            Answer answer = initiator
                    .send(CdbBuilder.cdb(ScsiCommand.READ_CAPACITY_16).length(length))
                    .isGood();
            assertThat(answer.data()).hasSize(Math.min(length, 32));
        }
    }

    @Test
    void shouldSaySoWhenThirtyTwoBitsAreNotEnough() {
        TestBackend backend = new TestBackend(512);
        backend.resize(512L << 33);
        Initiator initiator = Initiator.of(Initiator.unit(backend));

        assertThat(initiator.send(ScsiCommand.READ_CAPACITY_10).isGood().u32(0)).isEqualTo(0xffff_ffffL);
        assertThat(capacity16(initiator).u64(0)).isEqualTo((1L << 33) - 1);
    }

    @Test
    void shouldNotAnnouncePhysicalBlocksThatDoNotFitTheSize() {
        Answer answer = capacity16(Initiator.of(Initiator.unit(new TestBackend(4096 + 512))));

        assertThat(answer.u8(13)).isZero();
    }

    @Test
    void shouldLeaveOutBytesBehindTheLastWholeBlock() {
        Answer answer = capacity16(Initiator.of(Initiator.unit(new TestBackend(1000))));

        assertThat(answer.u64(0)).isZero();
    }

    @Test
    void shouldNotBeThinWithoutDiscard() {
        Answer answer = capacity16(Initiator.of(Initiator.unit(new TestBackend(4096).withoutDiscard())));

        assertThat(answer.u8(14)).isZero();
    }

    @Test
    void shouldHaveOnePhysicalBlockPerBlockOf4096Bytes() {
        LogicalUnit unit = LogicalUnit.builder(IDENTITY, new TestBackend(1 << 20))
                .blockBytes(4096)
                .build();

        Answer answer = capacity16(Initiator.of(unit));

        assertThat(answer.u64(0)).isEqualTo(255);
        assertThat(answer.u32(8)).isEqualTo(4096);
        assertThat(answer.u8(13)).isZero();
    }

    @Test
    void shouldRefuseABackendWithoutABlock() {
        LogicalUnit.Builder builder = LogicalUnit.builder(IDENTITY, new TestBackend(511));

        assertThatIllegalArgumentException()
                .isThrownBy(builder::build)
                .withMessage("test memory has 511 bytes: must be at least one block of 512");
    }

    @Test
    void shouldRefuseOtherBlockLengths() {
        LogicalUnit.Builder builder = LogicalUnit.builder(IDENTITY, new TestBackend(4096));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> builder.blockBytes(520))
                .withMessageContaining("520");
    }

    @Test
    void shouldNotBeReadyWhenTheBackendHasShrunkToNothing() {
        TestBackend backend = new TestBackend(4096);
        Initiator initiator = Initiator.of(Initiator.unit(backend));
        backend.resize(0);

        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.CAPACITY_DATA_CHANGED);
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(SenseCode.BACKEND_UNREACHABLE);
        initiator.send(ScsiCommand.READ_CAPACITY_10).failsWith(SenseCode.BACKEND_UNREACHABLE);
        initiator.send(ScsiCommand.READ_CAPACITY_16).failsWith(SenseCode.BACKEND_UNREACHABLE);
    }

    private static Answer capacity16(Initiator initiator) {
        return initiator
                .send(CdbBuilder.cdb(ScsiCommand.READ_CAPACITY_16).length(32))
                .isGood();
    }
}
