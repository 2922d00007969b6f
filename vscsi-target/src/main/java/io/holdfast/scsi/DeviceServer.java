package io.holdfast.scsi;

import io.holdfast.block.IoMemory;

/** What executes tasks at a LUN: a logical unit, or the answerer for LUNs at which there is none. */
public interface DeviceServer {

    /**
     * Executes a task. Returns at once; {@link ScsiTask#completed()} is called exactly once, now or later, on the thread
     * of the task's lane.
     */
    void execute(ScsiTask task);

    /**
     * Offers data of a task whose data have not all come yet, so that they need not be kept. The task is executed all the same
     * when they have. Whatever is in the way, nothing comes of it: the transport keeps the data, and {@link #execute} says why.
     *
     * @param data the next ones, behind {@link ScsiTask#dataOutTaken()}
     * @param lengthBytes how many of them there are
     * @return how many have been taken, from the beginning
     */
    default int takeData(ScsiTask task, IoMemory data, int lengthBytes) {
        return 0;
    }

    /** Ends a task with CHECK CONDITION instead of executing it: the transport could not take it as it came. */
    void terminate(ScsiTask task, SenseCode why);

    /**
     * How much memory executing this CDB may take beside its Data-Out, in bytes: Data-In, or data to compare with. The
     * small replies of commands that move no data are not counted. Allocates nothing.
     */
    default long memoryBytes(byte[] cdb) {
        return 0;
    }

    /**
     * Tasks have been here for longer than the transport finds good, or have ended after all. On any thread.
     *
     * @param change how many more there are now; negative for fewer
     */
    default void overdue(int change) {}
}
