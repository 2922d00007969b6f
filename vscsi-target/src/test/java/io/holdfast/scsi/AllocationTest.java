package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.holdfast.block.BlockBackend;
import io.holdfast.block.Durability;
import io.holdfast.block.Extents;
import io.holdfast.block.IoCallback;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import java.lang.management.ManagementFactory;
import java.util.Map;
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

    private static final class QuietTask extends ScsiTask {
        private final Nexus nexus = new Nexus("i", "t", 1);
        private final LunView view = new FixedLunView(Map.of());
        private final IoLane lane = TestLane.direct();
        private final IoMemory memory = new TestMemory(new byte[4096]);

        void run(LogicalUnit unit, byte[] command, int times) {
            System.arraycopy(command, 0, cdb(), 0, command.length);
            for (int i = 0; i < times; i++) {
                reset();
                unit.execute(this);
            }
        }

        @Override
        public Nexus nexus() {
            return nexus;
        }

        @Override
        public LunView lunView() {
            return view;
        }

        @Override
        public IoLane lane() {
            return lane;
        }

        @Override
        public IoMemory dataOut() {
            return memory;
        }

        @Override
        public long dataInRoom() {
            return memory.length();
        }

        @Override
        protected IoMemory newDataIn(int lengthBytes) {
            return memory;
        }

        @Override
        public void completed() {}
    }

    private static final class QuietBackend implements BlockBackend {
        @Override
        public long sizeBytes() {
            return 1 << 20;
        }

        @Override
        public boolean readOnly() {
            return false;
        }

        @Override
        public String describe() {
            return "nothing";
        }

        @Override
        public void read(long offset, IoMemory into, IoLane lane, IoCallback done) {
            done.done(null);
        }

        @Override
        public void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done) {
            done.done(null);
        }

        @Override
        public void flush(IoLane lane, IoCallback done) {
            done.done(null);
        }

        @Override
        public void discard(long offset, long lengthBytes, IoLane lane, IoCallback done) {
            done.done(null);
        }

        @Override
        public void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done) {
            done.done(null);
        }

        @Override
        public void zero(long offset, long lengthBytes, IoLane lane, IoCallback done) {
            done.done(null);
        }

        @Override
        public void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done) {
            done.done(null);
        }

        @Override
        public boolean discards() {
            return true;
        }

        @Override
        public void close() {}
    }
}
