package io.holdfast.scsi;

/** What a command does to the medium. Transports, write protection, unit attentions and reservations decide by it. */
public enum Access {
    /** Answered in every state, and to a nexus with a pending unit attention too (SPC-4 §5.15): INQUIRY and its kin. */
    IDENTIFY,
    /** Neither reads nor changes the data. */
    CONTROL,
    /** Reads the data. */
    READ,
    /** Reads and changes the data of logical units that its parameters name, this one or others: held back as WRITE is. */
    COPY,
    /** Changes the data: held back until the writes of the initiator's older sessions have ended. */
    WRITE;

    /** True if a command of this kind may change what a later read returns. */
    public boolean modifiesMedium() {
        return this == WRITE || this == COPY;
    }
}
