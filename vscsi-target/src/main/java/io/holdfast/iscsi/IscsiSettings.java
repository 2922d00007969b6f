package io.holdfast.iscsi;

/**
 * What an operator may choose of the iSCSI server.
 *
 * @param memoryBytes what the data of all commands may take together, at least {@link #MIN_MEMORY_BYTES}
 */
public record IscsiSettings(long memoryBytes) {
    /** Every connection's floor, and several of the largest commands. */
    public static final long MIN_MEMORY_BYTES = MemoryBudget.MIN_BYTES;

    public static final IscsiSettings DEFAULT = new IscsiSettings(256L << 20);
}
