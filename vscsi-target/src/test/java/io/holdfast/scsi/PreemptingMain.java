package io.holdfast.scsi;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/**
 * In a process of its own, two nexuses preempt each other for as long as it lives. Prints PRgeneration, name and status of each
 * answer.
 */
final class PreemptingMain {
    static final String[] NAMES = {"iqn.a", "iqn.b"};

    private static final ScsiCommand REGISTER = ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER_AND_IGNORE_EXISTING_KEY;
    private static final ScsiCommand RESERVE = ScsiCommand.PERSISTENT_RESERVE_OUT_RESERVE;
    private static final ScsiCommand PREEMPT = ScsiCommand.PERSISTENT_RESERVE_OUT_PREEMPT;

    private PreemptingMain() {}

    static LogicalUnit unit(Path dir) throws IOException {
        return LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 16))
                .reservations(FileReservationStore.open(dir, Initiator.UNIT_UUID))
                .build();
    }

    public static void main(String[] args) throws IOException {
        LogicalUnit unit = unit(Path.of(args[0]));
        FixedLunView view = new FixedLunView(Map.of(0, unit));
        Nexus[] nexuses = new Nexus[2];
        for (int i = 0; i < 2; i++) {
            nexuses[i] = new Nexus(Initiator.portName(NAMES[i]), "t", 1);
            send(unit, view, nexuses[i], ScsiCommand.TEST_UNIT_READY, 0, new byte[0]);
        }
        try (FileOutputStream out = new FileOutputStream(FileDescriptor.out)) {
            for (int turn = Integer.parseInt(args[1]); ; turn = 1 - turn) {
                Nexus nexus = nexuses[turn];
                // Hears of the last preemption; then takes the disk from whoever has it.
                send(unit, view, nexus, ScsiCommand.TEST_UNIT_READY, 0, new byte[0]);
                byte[] register = Reserver.list(0, turn + 1, Reserver.APTPL);
                send(unit, view, nexus, REGISTER, 0, register);
                boolean free = unit.reservations().persistent().reservation() == null;
                byte[] take = Reserver.list(turn + 1, 2 - turn, 0);
                ScsiStatus answer = send(unit, view, nexus, free ? RESERVE : PREEMPT, 3, take);
                int generation = unit.reservations().persistent().generation();
                out.write((generation + " " + NAMES[turn] + " " + answer + "\n").getBytes(StandardCharsets.US_ASCII));
            }
        }
    }

    private static ScsiStatus send(
            LogicalUnit unit, FixedLunView view, Nexus nexus, ScsiCommand command, int type, byte[] list) {
        TestTask task = new TestTask(nexus, view, TestLane.direct());
        CdbBuilder cdb = CdbBuilder.cdb(command);
        if (list.length > 0) {
            cdb.set(2, type).length(list.length);
        }
        task.start(unit, cdb.bytes(), list.length == 0 ? null : list);
        return task.status();
    }
}
