package io.holdfast.iscsi;

/**
 * What an operator may choose of the iSCSI server.
 *
 * @param memoryBytes what the data of all commands may take together, at least {@link #MIN_MEMORY_BYTES}
 * @param keepAliveSeconds after how much silence an initiator is asked whether it is there, and after as much again is
 *     taken for gone; 0 never asks
 * @param stallLimitMs after how long a command that its storage has not answered is told of; 0 never
 * @param chap who may log in; {@link ChapAccounts#NONE} for everybody
 * @param maxConnections of sessions of all initiators, 1 to {@link IscsiServer#MAX_CONNECTIONS}
 * @param maxConnectionsOfInitiator the same of one initiator name
 * @param sessionConnections how many connections one session may have, 1..{@link #MAX_SESSION_CONNECTIONS}
 */
public record IscsiSettings(
        long memoryBytes,
        int keepAliveSeconds,
        int stallLimitMs,
        ChapAccounts chap,
        int maxConnections,
        int maxConnectionsOfInitiator,
        int sessionConnections) {
    /** Every connection's floor, and several of the largest commands. */
    public static final long MIN_MEMORY_BYTES = MemoryBudget.MIN_BYTES;

    /** As many network paths as anybody has. */
    public static final int MAX_SESSION_CONNECTIONS = 32;

    private static final int USUAL_SESSION_CONNECTIONS = 4;

    public static final IscsiSettings DEFAULT = new IscsiSettings(256L << 20, 30, ChapAccounts.NONE);

    /** With as many connections as there can be, a few in each session, and without a limit for the storage. */
    public IscsiSettings(long memoryBytes, int keepAliveSeconds, ChapAccounts chap) {
        this(memoryBytes, keepAliveSeconds, chap, IscsiServer.MAX_CONNECTIONS, IscsiServer.MAX_CONNECTIONS);
    }

    /** A few connections in each session, and no limit for the storage. */
    public IscsiSettings(
            long memoryBytes,
            int keepAliveSeconds,
            ChapAccounts chap,
            int maxConnections,
            int maxConnectionsOfInitiator) {
        this(
                memoryBytes,
                keepAliveSeconds,
                0,
                chap,
                maxConnections,
                maxConnectionsOfInitiator,
                USUAL_SESSION_CONNECTIONS);
    }
}
