package io.holdfast.scsi;

import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import org.jspecify.annotations.Nullable;

/**
 * One command on its way through a logical unit. A transport extends it, fills in what the initiator asked, and re-uses
 * it for later commands. Belongs to the thread of its lane.
 *
 * <p>The device server fills in the answer (Data-In, status, sense) and then calls {@link #completed()}, once.
 */
public abstract class ScsiTask {
    /** The longest CDB taken: variable-length CDBs (SPC-4 §4.2.3) are refused by the transport. */
    public static final int CDB_BYTES = 16;

    /** Room for descriptor-format sense data with two descriptors, or fixed format with its tail. */
    public static final int SENSE_BYTES = 96;

    private final byte[] cdb = new byte[CDB_BYTES];
    private final byte[] sense = new byte[SENSE_BYTES];
    private final Execution execution = new Execution();
    private int senseLength;
    private int dataInLength;
    private long dataOutWanted;
    private int dataOutTaken;
    private ScsiStatus status = ScsiStatus.GOOD;

    /** Where the device server is with this task. */
    final Execution execution() {
        return execution;
    }

    /** The command descriptor block, padded with zeroes. The transport writes it, nobody else. */
    public final byte[] cdb() {
        return cdb;
    }

    public abstract Nexus nexus();

    /** The LUNs this task's nexus sees, for REPORT LUNS. */
    public abstract LunView lunView();

    /** Where I/O for this task is done, and where {@link #completed()} is to be called. */
    public abstract IoLane lane();

    /**
     * What the initiator sent with the command, all of it but what has been {@linkplain #dataOutTaken() taken}; null if that is
     * nothing. Valid until {@link #completed()}.
     */
    public abstract @Nullable IoMemory dataOut();

    /** How many bytes of Data-Out the initiator said that it sends. */
    public long dataOutExpected() {
        return 0;
    }

    /**
     * How many bytes of Data-In the initiator has room for, as it told the transport. A device server may produce more
     * (the CDB decides); the transport truncates and reports the residual.
     */
    public abstract long dataInRoom();

    /**
     * Memory for the answer, not zeroed. Called at most once per execution. What of it is valid is
     * told by {@link #dataInLength(int)}; it starts as {@code lengthBytes}.
     */
    protected abstract IoMemory newDataIn(int lengthBytes);

    /**
     * True if nobody waits for the answer any more: task management has ended the task, or its connection is gone. A
     * device server ends a long command at its next step then. The answer is dropped, but the task must be completed.
     */
    public boolean aborted() {
        return false;
    }

    /** One of the many steps of a long command is done: its storage answers. */
    public void progressed() {}

    /** True if whoever sent it may only read at its LUN, though others may write. */
    public boolean readOnly() {
        return false;
    }

    /** Called once when status, sense and Data-In are final. */
    public abstract void completed();

    /** See {@link #newDataIn}. */
    public final IoMemory allocateDataIn(int lengthBytes) {
        IoMemory memory = newDataIn(lengthBytes);
        dataInLength = lengthBytes;
        return memory;
    }

    /** How many bytes of Data-In are valid: what the CDB asked for, before truncation to the initiator's room. */
    public final int dataInLength() {
        return dataInLength;
    }

    public final void dataInLength(int lengthBytes) {
        dataInLength = lengthBytes;
    }

    /** How many bytes of Data-Out the CDB calls for; the transport derives the residual from it (RFC 7143 §11.4.5). */
    public final long dataOutWanted() {
        return dataOutWanted;
    }

    public final void dataOutWanted(long lengthBytes) {
        dataOutWanted = lengthBytes;
    }

    /** How many bytes of its data, from the beginning, {@link DeviceServer#takeData} has taken before they had all come. */
    public final int dataOutTaken() {
        return dataOutTaken;
    }

    /** The transport tells how many more have been taken. */
    protected final void tookDataOut(int lengthBytes) {
        dataOutTaken += lengthBytes;
    }

    public final ScsiStatus status() {
        return status;
    }

    /** The sense data's bytes; the first {@link #senseLength()} are valid. */
    public final byte[] sense() {
        return sense;
    }

    public final int senseLength() {
        return senseLength;
    }

    /** Sets the status of a task that has no sense data. */
    public final void status(ScsiStatus newStatus) {
        status = newStatus;
        senseLength = 0;
    }

    /** Sets CHECK CONDITION; the sense data's bytes have been put into {@link #sense()}. */
    public final void checkCondition(int senseLengthBytes) {
        status = ScsiStatus.CHECK_CONDITION;
        senseLength = senseLengthBytes;
        dataInLength = 0;
    }

    /** Makes the task ready for another command. */
    protected final void reset() {
        status = ScsiStatus.GOOD;
        senseLength = 0;
        dataInLength = 0;
        dataOutWanted = 0;
        dataOutTaken = 0;
    }
}
