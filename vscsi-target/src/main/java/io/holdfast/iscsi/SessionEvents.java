package io.holdfast.iscsi;

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
    void opened(Session session);

    /** It is gone, and its last write has finished or been discarded. */
    void closed(Session session);

    /** Hears nothing. */
    SessionEvents NONE = new SessionEvents() {
        @Override
        public void opened(Session session) {}

        @Override
        public void closed(Session session) {}
    };
}
