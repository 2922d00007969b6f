package io.holdfast.iscsi;

import java.util.UUID;

/** Hears of sessions. Called on event loops: must not block. */
public interface SessionEvents {

    /**
     * A session as others see it.
     *
     * @param id unique in this server's life
     * @param initiatorName as normalised at login
     * @param isid initiator session identifier
     * @param targetName empty in a discovery session
     * @param peer the initiator's address, {@code ip:port}
     * @param portal the server's address it came to
     */
    record Session(long id, String initiatorName, long isid, String targetName, String peer, String portal) {}

    /** A normal session has entered full feature phase. */
    void opened(Session session, SessionTraffic traffic);

    /** It sees a logical unit no more, and executes nothing there any more: its traffic there may be added up. */
    default void parted(Session session, UUID unit) {}

    /** It is gone, and its last write has finished or been discarded. */
    void closed(Session session);

    /**
     * A login that was refused.
     *
     * @param initiatorName as normalised; empty if it did not come so far
     * @param client whose name that is; empty for nobody's
     * @param peer the initiator's address, {@code ip:port}
     * @param why for people, not for the initiator
     */
    record RefusedLogin(String initiatorName, String client, String peer, LoginStatus status, String why) {
        /** For people. */
        public String text() {
            return "login of '" + initiatorName + "' from " + peer + " refused: " + status.text() + " (" + why + ")";
        }
    }

    /**
     * A login has been refused.
     *
     * @param unheard how many more like it there were since one was told last; -1 if this one is itself one of those that
     *     are only to be counted: who tries again and again is told of once a minute
     */
    default void refused(RefusedLogin login, int unheard) {}

    /** Hears nothing. */
    SessionEvents NONE = new SessionEvents() {
        @Override
        public void opened(Session session, SessionTraffic traffic) {}

        @Override
        public void closed(Session session) {}
    };
}
