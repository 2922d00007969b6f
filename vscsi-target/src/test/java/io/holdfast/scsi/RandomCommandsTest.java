package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockError;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Nonsense from an initiator, and several initiators at once: each command is completed once, and never by a fault of
 * ours.
 */
class RandomCommandsTest {
    private static final int ROUNDS = 20_000;
    private static final List<ScsiCommand> COMMANDS = List.of(ScsiCommand.values());

    // Without UNSUPPORTED, which is answered as a fault of ours because it is one.
    private static final List<BlockError.Kind> KINDS =
            List.copyOf(EnumSet.complementOf(EnumSet.of(BlockError.Kind.UNSUPPORTED)));

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldAnswerEveryCdbOnce(long seed) {
        Random random = new Random(seed);
        TestBackend backend = new TestBackend(1 << 18);
        LogicalUnit unit = Initiator.unit(backend);
        FixedLunView view = new FixedLunView(Map.of(0, unit));
        TestLane lane = TestLane.held();
        TestTask task = new TestTask(new Nexus("i", "t", 1), view, lane);
        for (int i = 0; i < ROUNDS; i++) {
            if (random.nextInt(20) == 0) {
                backend.failWith(KINDS.get(random.nextInt(KINDS.size())));
            } else {
                backend.failNoMore();
            }
            byte[] cdb = cdb(random);
            task.start(random.nextInt(50) == 0 ? view.at(Lun.ofNumber(1)) : unit, cdb, data(random));
            int steps = 0;
            while (lane.runOne()) {
                assertThat(++steps).as("steps").isLessThan(1000);
            }

            assertThat(task.completions())
                    .as("completions of %s", ByteBuffer.wrap(cdb))
                    .isEqualTo(1);
            if (task.status() == ScsiStatus.CHECK_CONDITION) {
                assertThat(task.answer().asc()).as("not a fault of ours").isNotEqualTo(0x44);
            } else {
                assertThat(task.status()).isIn(ScsiStatus.GOOD, ScsiStatus.RESERVATION_CONFLICT);
            }
        }
    }

    @Test
    void shouldServeTwoLanesAtOnce() throws Exception {
        TestBackend backend = new TestBackend(1 << 18);
        LogicalUnit unit = Initiator.unit(backend);
        CyclicBarrier start = new CyclicBarrier(2);
        ExecutorService lanes = Executors.newFixedThreadPool(2);
        try {
            Future<?> one = lanes.submit(() -> work(unit, 0, start));
            Future<?> two = lanes.submit(() -> work(unit, 256, start));
            one.get(60, TimeUnit.SECONDS);
            two.get(60, TimeUnit.SECONDS);
        } finally {
            lanes.shutdownNow();
        }

        assertThat(unit.knownNexuses()).isZero();
    }

    /** Writes and reads back the lane's own blocks, while both lanes turn the cache on and off. */
    private static @Nullable Void work(LogicalUnit unit, int firstBlock, CyclicBarrier start) throws Exception {
        Initiator initiator = Initiator.of(unit);
        Random random = new Random(firstBlock);
        start.await(10, TimeUnit.SECONDS);
        for (int i = 0; i < 3_000; i++) {
            int lba = firstBlock + random.nextInt(240);
            byte[] data = new byte[512 * (1 + random.nextInt(16))];
            random.nextBytes(data);
            byte[] write = CdbBuilder.blocks(ScsiCommand.WRITE_16, lba, data.length / 512);
            insist(initiator, write, data);
            byte[] read = CdbBuilder.blocks(ScsiCommand.READ_10, lba, data.length / 512);
            assertThat(insist(initiator, read, null).data()).isEqualTo(data);
            if (i % 10 == 0) {
                byte[] list = new byte[24];
                System.arraycopy(ModePage.CACHING.defaults(), 0, list, 4, 20);
                list[6] = (byte) (random.nextBoolean() ? 4 : 0);
                insist(
                        initiator,
                        CdbBuilder.cdb(ScsiCommand.MODE_SELECT_6)
                                .set(1, 0x10)
                                .length(24)
                                .bytes(),
                        list);
            }
        }
        initiator.nexus().end();
        return null;
    }

    /** Repeats a command as long as there is a unit attention to be heard. */
    private static Answer insist(Initiator initiator, byte[] cdb, byte @Nullable [] data) {
        Answer answer = initiator.send(cdb, data);
        while (answer.status() == ScsiStatus.CHECK_CONDITION && answer.key() == SenseKey.UNIT_ATTENTION.code()) {
            answer = initiator.send(cdb, data);
        }
        return answer.isGood();
    }

    /** A CDB of a known command with some of its bits, sometimes of no command at all. */
    private static byte[] cdb(Random random) {
        byte[] cdb = new byte[16];
        random.nextBytes(cdb);
        if (random.nextInt(10) == 0) {
            return cdb;
        }
        ScsiCommand command = COMMANDS.get(random.nextInt(COMMANDS.size()));
        byte[] usage = command.usage().bytes();
        int sparse = random.nextInt(3);
        for (int i = 1; i < usage.length; i++) {
            cdb[i] &= usage[i];
            if (sparse > 0 && i < usage.length - 2 && random.nextInt(4) != 0) {
                cdb[i] = 0;
            }
        }
        cdb[0] = usage[0];
        if (command.usage().serviceAction() != CdbUsage.NO_SERVICE_ACTION) {
            cdb[1] = (byte) command.usage().serviceAction();
        }
        return cdb;
    }

    private static byte @Nullable [] data(Random random) {
        int length = switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> 512;
            case 2 -> random.nextInt(100);
            case 3 -> 512 * random.nextInt(40);
            default -> random.nextInt(20_000);
        };
        byte[] data = new byte[length];
        if (random.nextBoolean()) {
            random.nextBytes(data);
        }
        return length == 0 ? null : data;
    }
}
