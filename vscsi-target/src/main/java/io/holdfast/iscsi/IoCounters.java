package io.holdfast.iscsi;

import io.holdfast.scsi.ScsiStatus;
import io.holdfast.scsi.ScsiTask;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * What one session has done at one logical unit. Written by the session's event loop only, so that counting costs a few
 * plain stores and no two processors ever fight for a line of memory; read by any thread, which sees each number whole and
 * all of them nearly of one moment.
 */
final class IoCounters {
    private static final long[] LIMITS_NS = new long[IoTotals.LIMITS_US.size()];

    static {
        for (int i = 0; i < LIMITS_NS.length; i++) {
            LIMITS_NS[i] = IoTotals.LIMITS_US.get(i) * 1_000L;
        }
    }

    private static final int NOT_READY = 0x2;
    private static final int HARDWARE_ERROR = 0x4;
    private static final int ABORTED_COMMAND = 0xb;
    private static final int FIXED_FORMAT = 0x71;
    private static final int SENSE_KEY = 0xf;

    private final AtomicLongArray cells = new AtomicLongArray(IoTotals.CELLS);

    private void add(int cell, long amount) {
        cells.setOpaque(cell, cells.getPlain(cell) + amount);
    }

    void began() {
        add(IoTotals.BEGUN, 1);
    }

    /** @param bytes of data, in either direction */
    void ended(ScsiTask task, long bytes, long nanos) {
        int first = IoKind.of(task.cdb()).place() * IoTotals.PER_KIND;
        int index = 0;
        while (index < LIMITS_NS.length && nanos > LIMITS_NS[index]) {
            index++;
        }
        add(first + IoTotals.FIRST_CLASS + index, 1);
        add(first + IoTotals.NANOS, nanos);
        if (bytes != 0) {
            add(first + IoTotals.BYTES, bytes);
        }
        if (task.status() == ScsiStatus.CHECK_CONDITION && isError(task.sense())) {
            add(first + IoTotals.ERRORS, 1);
        }
    }

    /**
     * NOT READY, MEDIUM ERROR, HARDWARE ERROR, ABORTED COMMAND: what was asked was right and was not done. Unit attentions,
     * requests that make no sense, writes to what is protected are answers, not errors.
     */
    static boolean isError(byte[] sense) {
        // SPC-4 §4.5: fixed format has the sense key in byte 2, descriptor format in byte 1.
        int key = ((sense[0] & 0x7f) <= FIXED_FORMAT ? sense[2] : sense[1]) & SENSE_KEY;
        return key >= NOT_READY && key <= HARDWARE_ERROR || key == ABORTED_COMMAND;
    }

    IoTotals totals() {
        long[] now = new long[IoTotals.CELLS];
        for (int i = 0; i < IoTotals.CELLS; i++) {
            now[i] = cells.getOpaque(i);
        }
        return new IoTotals(now);
    }
}
