package io.holdfast.scsi;

/** How long an initiator should wait for a command, as REPORT SUPPORTED OPERATION CODES tells it (SPC-4 §6.35.4). */
enum Effort {
    /** Answered from memory. */
    REPLY(10),
    /** Moves at most {@link Limits#MAX_TRANSFER_BYTES}. */
    TRANSFER(60),
    /** Flushes, or changes many blocks: the host's storage sets the pace. */
    BULK(180),
    /** Goes over the whole medium, perhaps several times. */
    WHOLE_MEDIUM(24 * 60 * 60);

    private final int recommendedTimeoutS;

    Effort(int recommendedTimeoutS) {
        this.recommendedTimeoutS = recommendedTimeoutS;
    }

    int recommendedTimeoutS() {
        return recommendedTimeoutS;
    }
}
