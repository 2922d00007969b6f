package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The hot path makes no garbage. */
class AllocationTest {
    private static final int COMMANDS = 20_000;

    // The interpreter and the compiler's own bookkeeping allocate a little; one object per command would be 16 at
    // least.
    private static final double ALLOWED_BYTES_PER_COMMAND = 1.0;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @EnumSource(names = {"READ_10", "READ_16", "WRITE_10", "WRITE_16"})
    void shouldAllocateNothingPerCommand(ScsiCommand command) {
        QuietTask task = new QuietTask();
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), new QuietBackend())
                .build();
        task.run(unit, new byte[6], 1);
        byte[] cdb = CdbBuilder.blocks(command, 16, 8);
        task.run(unit, cdb, COMMANDS);

        long before = threads.getCurrentThreadAllocatedBytes();
        task.run(unit, cdb, COMMANDS);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;

        assertThat(task.status()).isEqualTo(ScsiStatus.GOOD);
        assertThat((double) allocated / COMMANDS).as("bytes per command").isLessThan(ALLOWED_BYTES_PER_COMMAND);
    }

    @Test
    void shouldAllocateNothingBesideAnExclusiveCommand() {
        QuietTask task = new QuietTask();
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), new QuietBackend())
                .build();
        task.run(unit, new byte[6], 1);
        byte[] cdb = CdbBuilder.blocks(ScsiCommand.READ_10, 16, 8);
        task.run(unit, cdb, COMMANDS);
        RangeLock.Claim elsewhere = new RangeLock.Claim() {
            @Override
            void granted() {
                throw new AssertionError("it need not wait");
            }
        };
        assertThat(unit.ranges().exclude(elsewhere, 0, 512)).isEqualTo(RangeLock.Outcome.ENTERED);
        task.run(unit, cdb, COMMANDS);

        long before = threads.getCurrentThreadAllocatedBytes();
        task.run(unit, cdb, COMMANDS);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;

        assertThat(task.status()).isEqualTo(ScsiStatus.GOOD);
        assertThat((double) allocated / COMMANDS).as("bytes per command").isLessThan(ALLOWED_BYTES_PER_COMMAND);
    }

    @Test
    void shouldNoticeAnAllocation() {
        QuietTask task = new QuietTask();
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), new QuietBackend())
                .build();
        task.run(unit, new byte[6], 1);

        long before = threads.getCurrentThreadAllocatedBytes();
        task.run(unit, CdbBuilder.blocks(ScsiCommand.READ_10, -1, 1), COMMANDS);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;

        assertThat((double) allocated / COMMANDS).isGreaterThan(ALLOWED_BYTES_PER_COMMAND);
    }
}
