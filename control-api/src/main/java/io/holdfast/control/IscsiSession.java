package io.holdfast.control;

import org.jspecify.annotations.Nullable;

/**
 * An open iSCSI session, as the server sees it.
 *
 * @param initiator iSCSI name of the initiator
 * @param isid the initiator's part of the session identifier, in the low 48 bits (RFC 7143 §11.12.5)
 * @param target iSCSI name of the target
 * @param peer address of the session's first connection, {@code ip:port}
 */
public record IscsiSession(String initiator, long isid, String target, String peer) {
    // Written out: what a record brings along is put together by method handles at its first use, which takes ten
    // milliseconds of the first login after a start.

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof IscsiSession session
                && isid == session.isid
                && initiator.equals(session.initiator)
                && target.equals(session.target)
                && peer.equals(session.peer);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * (31 * initiator.hashCode() + Long.hashCode(isid)) + target.hashCode()) + peer.hashCode();
    }
}
