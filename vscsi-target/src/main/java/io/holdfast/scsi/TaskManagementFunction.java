package io.holdfast.scsi;

/** Task management functions (SAM-5 §7), with their bits of REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 §6.36). */
public enum TaskManagementFunction {
    ABORT_TASK(0, 0x80),
    ABORT_TASK_SET(0, 0x40),
    CLEAR_ACA(0, 0x20),
    CLEAR_TASK_SET(0, 0x10),
    LOGICAL_UNIT_RESET(0, 0x08),
    QUERY_TASK(0, 0x04),
    QUERY_ASYNCHRONOUS_EVENT(1, 0x04),
    QUERY_TASK_SET(1, 0x02),
    I_T_NEXUS_RESET(1, 0x01);

    private final int byteIndex;
    private final int bit;

    TaskManagementFunction(int byteIndex, int bit) {
        this.byteIndex = byteIndex;
        this.bit = bit;
    }

    int byteIndex() {
        return byteIndex;
    }

    int bit() {
        return bit;
    }
}
