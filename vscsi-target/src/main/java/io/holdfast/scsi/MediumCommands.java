package io.holdfast.scsi;

import java.nio.ByteBuffer;

/** START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL and READ DEFECT DATA (SBC-3 §5.25, §5.10, §5.17). */
final class MediumCommands {
    private static final int START = 0x01;
    private static final int LOAD_EJECT = 0x02;
    private static final int NO_FLUSH = 0x04;
    private static final int LOAD_EJECT_BIT = 1;
    private static final int PREVENT = 0x01;

    private static final int REQUESTED_LISTS_AND_FORMAT = 0x1f;

    private static final Execution.Step EJECT = MediumCommands::eject;

    private MediumCommands() {}

    /**
     * START STOP UNIT. Starting and stopping alone change nothing, since one initiator must not take the medium away from the
     * others; what is cached is flushed before a stop, as the command says. LOEJ ejects and loads a removable medium, unless
     * somebody prevents it. Power conditions are not there.
     */
    static void startStopUnit(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        int request = task.cdb()[4];
        boolean start = (request & START) != 0;
        boolean flush = (request & (START | NO_FLUSH)) == 0;
        if ((request & LOAD_EJECT) == 0) {
            if (flush) {
                unit.backend().flush(task.lane(), execution.thenGood());
            } else {
                execution.good();
            }
        } else if (!unit.removable()) {
            execution.fail(Sense.inCdb(4, LOAD_EJECT_BIT));
        } else if (unit.medium().prevented()) {
            execution.fail(SenseCode.MEDIUM_REMOVAL_PREVENTED);
        } else if (start) {
            load(unit, task);
        } else if (flush && unit.medium().present()) {
            unit.backend().flush(task.lane(), execution.then(EJECT));
        } else {
            eject(unit, task);
        }
    }

    private static void eject(LogicalUnit unit, ScsiTask task) {
        // Asked again: somebody may have come while the cache was flushed.
        if (unit.medium().eject()) {
            task.execution().good();
        } else {
            task.execution().fail(SenseCode.MEDIUM_REMOVAL_PREVENTED);
        }
    }

    private static void load(LogicalUnit unit, ScsiTask task) {
        boolean wasOut = !unit.medium().present();
        if (!unit.medium().load()) {
            task.execution().fail(SenseCode.MEDIUM_REMOVAL_PREVENTED);
            return;
        }
        if (wasOut) {
            unit.mediumLoaded(task.nexus());
        }
        task.execution().good();
    }

    static void preventAllow(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        if ((task.cdb()[4] & PREVENT) != 0) {
            unit.medium().prevent(task.nexus());
        } else {
            unit.medium().allow(task.nexus());
        }
        task.execution().good();
    }

    /** READ DEFECT DATA: a file has no defects that are known, of whichever list and in whichever format is asked for. */
    static void readDefectData(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        boolean ten = command == ScsiCommand.READ_DEFECT_DATA_10;
        ByteBuffer answer = ByteBuffer.allocate(ten ? 4 : 8);
        answer.put(1, (byte) (cdb[ten ? 2 : 1] & REQUESTED_LISTS_AND_FORMAT));
        task.execution().reply(answer.array(), ten ? Cdb.u16(cdb, 7) : Cdb.u32(cdb, 6));
    }
}
