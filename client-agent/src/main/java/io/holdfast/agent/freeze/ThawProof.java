package io.holdfast.agent.freeze;

import java.util.Set;

/**
 * The proof under way that a VM is back at the server and may be resumed: its sessions are there, and QEMU says that it is
 * merely paused. Owned by the machine's thread.
 */
final class ThawProof {
    /**
     * What a VM may be resumed from. One that was migrated away meanwhile (postmigrate) would run twice on the same disks;
     * one that panicked or was shut down cannot be resumed.
     */
    private static final Set<String> RESUMABLE = Set.of("paused", FreezeMachine.IO_ERROR);
    /** An answer about its status that is older is asked for again: in such a time it can be migrated away. */
    private static final int STATUS_FRESH_MS = 1_000;

    private static final int UNKNOWN = -1;

    private final UsedUnits used;
    private int sessionsAtServer;
    /** How many the stand-in sent to the server for this thaw, or UNKNOWN until it has. */
    private int sessionsLetGo = UNKNOWN;

    /** Its units have shown that they read and write, or need not. */
    private boolean unitsProved = true;

    private long deadlineMs;
    private long resumableAtMs = FreezeMachine.LONG_AGO;

    ThawProof(UsedUnits used) {
        this.used = used;
    }

    void begin(long nowMs) {
        sessionsLetGo = UNKNOWN;
        deadlineMs = nowMs + FreezeMachine.PROVE_LIMIT_MS;
        resumableAtMs = FreezeMachine.LONG_AGO;
    }

    /** Its units are asked; nothing is resumed before they have answered. */
    void unitsAsked() {
        unitsProved = false;
    }

    void unitsAnswered() {
        unitsProved = true;
    }

    boolean unitsProved() {
        return unitsProved;
    }

    void sessionsAtServer(int count) {
        sessionsAtServer = count;
    }

    int sessionsAtServer() {
        return sessionsAtServer;
    }

    void standInsClosed(int count, long nowMs) {
        sessionsLetGo = count;
        if (sessionsAtServer + count < used.sessions()) {
            // Sessions that did not hang on this portal come back when libiscsi's back-off is over, not before.
            deadlineMs = nowMs + FreezeMachine.PROVE_LIMIT_UNTOLD_MS;
        }
    }

    int sessionsWanted() {
        return Math.max(used.sessionsWanted(), sessionsLetGo);
    }

    boolean sessionsAreThere() {
        return sessionsLetGo != UNKNOWN && sessionsAtServer >= sessionsWanted();
    }

    /** When it is resumed with whatever sessions there are. */
    long deadlineMs() {
        return deadlineMs;
    }

    /** @return whether a VM of such a status may be resumed */
    boolean statusIs(String status, long nowMs) {
        if (RESUMABLE.contains(status)) {
            resumableAtMs = nowMs;
            return true;
        }
        return false;
    }

    /** Whether QEMU has said so lately. */
    boolean resumable(long nowMs) {
        return nowMs - resumableAtMs < STATUS_FRESH_MS;
    }
}
