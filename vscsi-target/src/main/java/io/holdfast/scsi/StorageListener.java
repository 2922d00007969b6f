package io.holdfast.scsi;

import io.holdfast.block.BlockError;

/** Hears of a logical unit's storage. Called on event loops and on threads of the pool: must not block. */
public interface StorageListener {
    /** Hears nothing. */
    StorageListener NONE = new StorageListener() {
        @Override
        public void failed(BlockError failure) {}

        @Override
        public void overdue(int change) {}
    };

    /** The backend has not done what it was asked. Told of every failure. */
    void failed(BlockError failure);

    /**
     * Commands have been with the backend for longer than they should, or have ended after all.
     *
     * @param change how many more there are now; negative for fewer
     */
    void overdue(int change);
}
