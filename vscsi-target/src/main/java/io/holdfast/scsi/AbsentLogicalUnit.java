package io.holdfast.scsi;

import java.util.UUID;

/**
 * What answers at a LUN without a logical unit (SAM-5 §4.7.2, SPC-4 §6.6.2): INQUIRY with peripheral qualifier 3,
 * REPORT LUNS, REQUEST SENSE; anything else is told LOGICAL UNIT NOT SUPPORTED. Keeps nothing, so one serves everyone.
 */
public final class AbsentLogicalUnit implements DeviceServer {
    // Vendor and product are the target's here; the identifier is in nothing that is answered.
    private static final LogicalUnitIdentity TARGET = LogicalUnitIdentity.of(new UUID(0, 0));

    @Override
    public void execute(ScsiTask task) {
        Execution execution = task.execution();
        execution.begin(task, null);
        try {
            dispatch(task, execution);
        } catch (RuntimeException | Error e) {
            execution.broken(e);
        }
    }

    @Override
    public void terminate(ScsiTask task, SenseCode why) {
        Execution execution = task.execution();
        execution.begin(task, null);
        execution.fail(why);
    }

    private static void dispatch(ScsiTask task, Execution execution) {
        byte[] cdb = task.cdb();
        ScsiCommand command = ScsiCommand.of(cdb);
        if (command == null || command.access() != Access.IDENTIFY) {
            execution.fail(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
            return;
        }
        execution.command(command);
        if (!command.usage().allows(cdb)) {
            execution.fail(command.usage().complaint(cdb));
            return;
        }
        switch (command) {
            case INQUIRY -> Inquiry.answerAbsent(task, TARGET);
            case REPORT_LUNS -> ControlCommands.answerLuns(task);
            default -> ControlCommands.answerSense(task, SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
        }
    }
}
