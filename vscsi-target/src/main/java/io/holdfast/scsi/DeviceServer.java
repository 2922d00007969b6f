package io.holdfast.scsi;

/** What executes tasks at a LUN: a logical unit, or the answerer for LUNs at which there is none. */
public interface DeviceServer {

    /**
     * Executes a task. Returns at once; {@link ScsiTask#completed()} is called exactly once, now or later, on the thread
     * of the task's lane.
     */
    void execute(ScsiTask task);
}
