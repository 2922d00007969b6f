package io.holdfast.agent.freeze;

import io.holdfast.control.ExportedUnit;
import io.holdfast.control.VmOutcome;
import java.util.List;

/** What a {@link FreezeMachine} wants done, in the order it is listed. */
public sealed interface FreezeAction {

    /** The portal no longer leads to a server; it stands in for it. */
    record PortalStandIn(String server) implements FreezeAction {
        /** The only server. */
        public PortalStandIn() {
            this(FreezeEvent.ONLY_SERVER);
        }
    }

    /** The same, but nothing is answered: the VM waits without being paused. */
    record PortalHold(String server) implements FreezeAction {}

    /** Ends QEMU's connections to a server that goes on serving, so that its requests come to the stand-in. */
    record BreakConnections(String server) implements FreezeAction {}

    /**
     * The portal leads logins to the server again.
     *
     * @param portals the server's portals, {@code ip:port}
     */
    record PortalRedirect(String server, List<String> portals) implements FreezeAction {
        /** The only server. */
        public PortalRedirect(List<String> portals) {
            this(FreezeEvent.ONLY_SERVER, portals);
        }
    }

    /** Sends the stand-in's sessions with a server's targets away, so that they log in anew. Answered by an event. */
    record CloseStandIns(String server) implements FreezeAction {
        /** The only server. */
        public CloseStandIns() {
            this(FreezeEvent.ONLY_SERVER);
        }
    }

    /** Asks these units whether they read and write. Answered by an event, in bounded time. */
    record ProveUnits(List<ExportedUnit> units) implements FreezeAction {}

    /** Asks the guest to make its file systems quiet; then {@code stop} is sent, with or without an answer. */
    record QuiesceAndStop() implements FreezeAction {}

    /** Gives the memory of the frozen VM back to the host. */
    record ReclaimMemory() implements FreezeAction {}

    /** Ends the VM's process: its limit has passed. */
    record PowerOff() implements FreezeAction {}

    /** Runs the VM's hook. */
    record RunHook(String event, String detail) implements FreezeAction {}

    record SendStop() implements FreezeAction {}

    record SendCont() implements FreezeAction {}

    record AskStatus() implements FreezeAction {}

    /**
     * Asks whether a request of one of its disks has ended since a moment. Answered by an event, if QEMU answers.
     *
     * @param sinceMs in the machine's milliseconds
     */
    record AskIo(long sinceMs) implements FreezeAction {}

    /** To be on disk before the next action is carried out. */
    record Save(FreezeRecord record) implements FreezeAction {}

    /** The server may go as far as this VM is concerned. */
    record AnswerAnnouncement(long announcementId, VmOutcome.State outcome, String detail) implements FreezeAction {}

    /** The state has changed. */
    record Report(FreezeState from, FreezeState to, String why) implements FreezeAction {}

    /** Abnormal, and somebody should know; the state is the same. */
    record Warn(String what) implements FreezeAction {}
}
