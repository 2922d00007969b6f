package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.holdfast.block.BlockError;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Any CDBs with any parameter lists, from three nexuses: each command is completed once, none by a fault of ours, and
 * nothing is forgotten of a nexus that ends.
 */
class ScsiCommandFuzz {
    private static final List<ScsiCommand> COMMANDS = List.of(ScsiCommand.values());
    /** Chosen by a number that no command has: the operation code stands in the CDB. */
    private static final int ANY = 255;

    private static final int MAX_COMMANDS = 32;
    private static final int MAX_CALLBACKS = 5_000;
    private static final int MAX_DATA_BYTES = 20_000;
    private static final int DISK_BYTES = 1 << 18;
    private static final int NEXUSES = 3;

    // Without UNSUPPORTED, which is answered as a fault of ours because it is one.
    private static final List<BlockError.Kind> TROUBLES =
            List.copyOf(EnumSet.complementOf(EnumSet.of(BlockError.Kind.UNSUPPORTED)));

    /** One of every command, with the longest CDB usage allows, and lists for those that take one. */
    static Stream<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (int i = 0; i < COMMANDS.size(); i++) {
            byte[] usage = COMMANDS.get(i).usage().bytes();
            byte[] cdb = new byte[ScsiTask.CDB_BYTES];
            seeds.add(command(i, 0, cdb, new byte[0]));
            int lengthAt = usage.length - 2;
            cdb[lengthAt] = 24;
            seeds.add(command(i, 0, cdb, new byte[24]));
            cdb[lengthAt] = 1;
            seeds.add(command(i, 1, cdb, new byte[512]));
        }
        ByteArrayOutputStream reservations = new ByteArrayOutputStream();
        byte[] list = new byte[24];
        list[15] = 7;
        byte[] out = new byte[ScsiTask.CDB_BYTES];
        out[8] = 24;
        reservations.writeBytes(
                command(COMMANDS.indexOf(ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER), 0, out, list.clone()));
        list[7] = 7;
        out[2] = 5;
        reservations.writeBytes(command(COMMANDS.indexOf(ScsiCommand.PERSISTENT_RESERVE_OUT_RESERVE), 0, out, list));
        reservations.writeBytes(command(COMMANDS.indexOf(ScsiCommand.PERSISTENT_RESERVE_OUT_PREEMPT), 1, out, list));
        seeds.add(reservations.toByteArray());
        return seeds.stream();
    }

    private static byte[] command(int number, int nexus, byte[] cdb, byte[] data) {
        return ByteBuffer.allocate(4 + cdb.length + data.length)
                .put((byte) number)
                .put((byte) nexus)
                .put(cdb)
                .putShort((short) data.length)
                .put(data)
                .array();
    }

    @MethodSource("seeds")
    @FuzzTest
    void shouldAnswerEachCommandOnce(byte[] input) {
        ByteBuffer in = ByteBuffer.wrap(input);
        TestBackend backend = new TestBackend(DISK_BYTES);
        LogicalUnit unit = Initiator.unit(backend);
        FixedLunView view = new FixedLunView(Map.of(0, unit));
        TestLane lane = TestLane.held();
        Nexus[] nexuses = new Nexus[NEXUSES];
        for (int i = 0; i < NEXUSES; i++) {
            nexuses[i] = new Nexus(Initiator.portName("initiator" + i), "iqn.2026-11.io.holdfast:disk,t,0x0001", 1);
        }
        for (int i = 0; i < MAX_COMMANDS && in.remaining() >= 4 + ScsiTask.CDB_BYTES; i++) {
            int number = in.get() & 0xff;
            int choice = in.get() & 0xff;
            byte[] cdb = cdb(number, in);
            byte[] data = new byte[Math.min(in.getShort() & 0xffff, Math.min(MAX_DATA_BYTES, in.remaining()))];
            in.get(data);
            trouble(backend, choice >> 2);
            TestTask task = new TestTask(nexuses[choice % NEXUSES], view, lane);
            task.start(unit, cdb, data.length == 0 ? null : data);
            int callbacks = 0;
            while (lane.runOne()) {
                assertThat(++callbacks).as("callbacks").isLessThan(MAX_CALLBACKS);
            }
            check(task);
        }
        for (Nexus nexus : nexuses) {
            nexus.end();
        }
        assertThat(unit.knownNexuses()).isZero();
    }

    private static byte[] cdb(int number, ByteBuffer in) {
        byte[] cdb = new byte[ScsiTask.CDB_BYTES];
        in.get(cdb);
        if (number != ANY) {
            ScsiCommand command = COMMANDS.get(number % COMMANDS.size());
            CdbUsage usage = command.usage();
            cdb[0] = (byte) usage.opcode();
            if (usage.serviceAction() != CdbUsage.NO_SERVICE_ACTION) {
                cdb[1] = (byte) (cdb[1] & ~0x1f | usage.serviceAction());
            }
        }
        return cdb;
    }

    /** Seldom: a disk that fails everything shows little. */
    private static void trouble(TestBackend backend, int choice) {
        if (choice > 0 && choice <= TROUBLES.size()) {
            backend.failWith(TROUBLES.get(choice - 1));
        } else {
            backend.failNoMore();
        }
    }

    private static void check(TestTask task) {
        assertThat(task.completions()).as("completions").isEqualTo(1);
        if (task.status() == ScsiStatus.CHECK_CONDITION) {
            assertThat(task.answer().asc()).as("not a fault of ours").isNotEqualTo(0x44);
        } else {
            assertThat(task.status()).isIn(ScsiStatus.GOOD, ScsiStatus.RESERVATION_CONFLICT);
        }
    }
}
