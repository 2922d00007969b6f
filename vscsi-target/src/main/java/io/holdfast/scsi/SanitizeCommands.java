package io.holdfast.scsi;

import java.util.Arrays;

/**
 * SANITIZE (SBC-3 §5.24): OVERWRITE, BLOCK ERASE and EXIT FAILURE MODE. CRYPTOGRAPHIC ERASE is not there, because an image is
 * not encrypted here and no key could be forgotten.
 */
final class SanitizeCommands {
    private static final int IMMED = 0x80;
    private static final int AUSE = 0x20;

    private static final int HEADER_BYTES = 4;
    private static final int INVERT = 0x80;
    private static final int TEST = 0x60;
    private static final int OVERWRITE_COUNT = 0x1f;
    private static final int LIST_LENGTH_FIELD = 7;

    private SanitizeCommands() {}

    static void overwrite(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        Execution execution = task.execution();
        int length = Cdb.u16(task.cdb(), LIST_LENGTH_FIELD);
        if (length <= HEADER_BYTES || length > HEADER_BYTES + unit.blockBytes()) {
            execution.fail(Sense.inCdb(LIST_LENGTH_FIELD));
            return;
        }
        task.dataOutWanted(length);
        byte[] list = ParameterList.copy(task.dataOut(), length);
        if (list == null) {
            execution.fail(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            return;
        }
        int passes = list[0] & OVERWRITE_COUNT;
        int patternBytes = Cdb.u16(list, 2);
        // TEST is for manufacturers.
        if (passes == 0 || (list[0] & TEST) != 0) {
            execution.fail(Sense.inParameters(0));
        } else if (patternBytes == 0 || patternBytes > length - HEADER_BYTES) {
            execution.fail(Sense.inParameters(2));
        } else {
            start(
                    unit,
                    task,
                    new SanitizeRequest(
                            SanitizeRequest.Method.OVERWRITE,
                            passes,
                            (list[0] & INVERT) != 0,
                            (task.cdb()[1] & AUSE) != 0,
                            Arrays.copyOfRange(list, HEADER_BYTES, HEADER_BYTES + patternBytes)));
        }
    }

    static void blockErase(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        start(unit, task, SanitizeRequest.blockErase((task.cdb()[1] & AUSE) != 0));
    }

    private static void start(LogicalUnit unit, ScsiTask task, SanitizeRequest request) {
        boolean atOnce = (task.cdb()[1] & IMMED) != 0;
        unit.sanitizer().start(task, request, atOnce ? Sanitizer.Answer.WHEN_BEGUN : Sanitizer.Answer.WHEN_ENDED);
    }

    static void exitFailureMode(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        unit.sanitizer().exitFailureMode(task);
    }
}
