package io.holdfast.control;

import java.util.List;

/** What a server says to an agent: one JSON object on a line, told apart by its {@code type}. */
public sealed interface ServerMessage {

    /** Why a server is about to stop serving. */
    enum Reason {
        PLANNED_STOP,
        RESTART,
        /** A reason this version does not know; to be treated like a planned stop. */
        OTHER
    }

    /**
     * The answer to {@link AgentMessage.Hello}.
     *
     * @param protocol version of this protocol the server speaks
     * @param epoch identifies this life of the server process; larger for a later one
     * @param heartbeatMs how often the server will send a heart-beat
     * @param server what it serves
     * @param sessions the iSCSI sessions that are open now; changes follow as messages
     * @param raised what is wrong now; changes follow as messages
     */
    record Welcome(
            int protocol,
            long epoch,
            long heartbeatMs,
            ServerDescription server,
            List<IscsiSession> sessions,
            List<RaisedEvent> raised)
            implements ServerMessage {

        /** Of a server at which nothing is wrong. */
        public Welcome(
                int protocol, long epoch, long heartbeatMs, ServerDescription server, List<IscsiSession> sessions) {
            this(protocol, epoch, heartbeatMs, server, sessions, List.of());
        }
    }

    /** @param seq counts up from 1 */
    record Heartbeat(long seq) implements ServerMessage {}

    /** An initiator has logged in: its session is in full feature phase. */
    record SessionOpened(IscsiSession session) implements ServerMessage {}

    record SessionClosed(IscsiSession session) implements ServerMessage {}

    /**
     * What is served has changed: units that are new or are another size now, and units that are gone. It may
     * name what the agent knows already.
     *
     * @param served as they are now
     * @param gone that are not served any more at this target and LUN
     */
    record UnitsChanged(List<ExportedUnit> served, List<ExportedUnit> gone) implements ServerMessage {}

    /**
     * What operators have registered for VMs of the agent; for those that are not named it is as it was. All are named
     * after a welcome.
     */
    record ActionsRegistered(List<VmActions> vms) implements ServerMessage {}

    /**
     * The answer to {@link AgentMessage.ProveUnit}.
     *
     * @param id of the question
     * @param objection why a VM must not be resumed on the unit, for people; empty if nothing is wrong
     */
    record UnitProved(long id, String objection) implements ServerMessage {}

    /** Something is wrong from now on. */
    record Raised(RaisedEvent event) implements ServerMessage {}

    /** It is well again. The event's detail says how. */
    record Cleared(RaisedEvent event) implements ServerMessage {}

    /**
     * The server will stop serving, and waits for {@link AgentMessage.Frozen} from every agent before it does.
     *
     * @param announcementId to be repeated in the answer
     * @param deadlineMs how long the server waits at most, in milliseconds from now
     */
    record GoingAway(long announcementId, Reason reason, long deadlineMs) implements ServerMessage {}

    /** The server will not talk to this peer; it closes the connection after this line. */
    record Refused(String why) implements ServerMessage {}

    /** The server closes the connection, and is on its way out. */
    record Bye(String why) implements ServerMessage {}
}
