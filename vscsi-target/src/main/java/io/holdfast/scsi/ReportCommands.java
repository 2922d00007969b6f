package io.holdfast.scsi;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** REPORT SUPPORTED OPERATION CODES and TASK MANAGEMENT FUNCTIONS (SPC-4 §6.35, §6.36): the tables, as they are. */
final class ReportCommands {
    private static final int RETURN_TIMEOUTS = 0x80;
    private static final int RETURN_EXTENDED = 0x80;

    private static final int ALL_COMMANDS = 0;
    private static final int BY_OPCODE = 1;
    private static final int BY_SERVICE_ACTION = 2;
    private static final int BY_EITHER = 3;

    private static final int NOT_SUPPORTED = 1;
    private static final int SUPPORTED = 3;

    private static final int CTDP_ALL = 0x02;
    private static final int SERVACTV = 0x01;
    private static final int CTDP_ONE = 0x80;

    private static final int TIMEOUTS_BYTES = 12;

    private ReportCommands() {}

    static void supportedOperationCodes(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        boolean timeouts = (cdb[2] & RETURN_TIMEOUTS) != 0;
        int option = cdb[2] & 0x07;
        int opcode = Cdb.u8(cdb, 3);
        int action = Cdb.u16(cdb, 4);
        boolean withActions = ScsiCommand.hasServiceActions(opcode);
        // Option 1 asks for commands without, 2 for commands with service actions; 3 takes either.
        boolean contradiction = (option == BY_OPCODE && withActions)
                || (option == BY_SERVICE_ACTION && !withActions && ScsiCommand.withOpcode(opcode) != null);
        if (option > BY_EITHER || contradiction) {
            task.execution().fail(Sense.inCdb(2, 2));
            return;
        }
        ByteBuffer answer = ByteBuffer.allocate(4096);
        if (option == ALL_COMMANDS) {
            putAll(answer, unit, timeouts);
        } else {
            boolean lookUpAction = option != BY_OPCODE && withActions;
            ScsiCommand asked =
                    lookUpAction ? ScsiCommand.withServiceAction(opcode, action) : ScsiCommand.withOpcode(opcode);
            putOne(answer, asked != null && unit.supports(asked) ? asked : null, timeouts);
        }
        task.execution().reply(Arrays.copyOf(answer.array(), answer.position()), Cdb.u32(cdb, 6));
    }

    private static void putAll(ByteBuffer answer, LogicalUnit unit, boolean timeouts) {
        answer.putInt(0);
        for (ScsiCommand command : ScsiCommand.values()) {
            if (!unit.supports(command)) {
                continue;
            }
            CdbUsage usage = command.usage();
            boolean hasAction = usage.serviceAction() != CdbUsage.NO_SERVICE_ACTION;
            answer.put((byte) usage.opcode()).put((byte) 0);
            answer.putShort((short) (hasAction ? usage.serviceAction() : 0));
            answer.put((byte) 0);
            answer.put((byte) ((timeouts ? CTDP_ALL : 0) | (hasAction ? SERVACTV : 0)));
            answer.putShort((short) usage.length());
            if (timeouts) {
                putTimeouts(answer, command);
            }
        }
        answer.putInt(0, answer.position() - 4);
    }

    private static void putOne(ByteBuffer answer, @Nullable ScsiCommand command, boolean timeouts) {
        answer.put((byte) 0);
        if (command == null) {
            answer.put((byte) NOT_SUPPORTED).putShort((short) 0);
            return;
        }
        answer.put((byte) (SUPPORTED | (timeouts ? CTDP_ONE : 0)));
        byte[] usage = command.usage().bytes();
        answer.putShort((short) usage.length).put(usage);
        if (timeouts) {
            putTimeouts(answer, command);
        }
    }

    private static void putTimeouts(ByteBuffer answer, ScsiCommand command) {
        answer.putShort((short) (TIMEOUTS_BYTES - 2)).putShort((short) 0);
        // The nominal time is not indicated: it is the host's storage that knows it.
        answer.putInt(0).putInt(command.effort().recommendedTimeoutS());
    }

    static void supportedTaskManagementFunctions(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        boolean extended = (cdb[2] & RETURN_EXTENDED) != 0;
        byte[] answer = new byte[extended ? 16 : 4];
        for (TaskManagementFunction function : unit.taskManagement()) {
            answer[function.byteIndex()] |= (byte) function.bit();
        }
        answer[3] = (byte) (answer.length - 4);
        task.execution().reply(answer, Cdb.u32(cdb, 6));
    }
}
