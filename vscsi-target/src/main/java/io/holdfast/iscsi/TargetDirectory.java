package io.holdfast.iscsi;

import java.net.InetSocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who may log in where. Wiring adapts the configuration and the map of port names to it. Called on event loops, from
 * several threads: it answers from memory.
 */
public interface TargetDirectory {

    /** The answer to one login. */
    sealed interface Decision {
        /** The login goes on; this is the target. */
        record Accept(IscsiTarget target) implements Decision {}

        /**
         * The target is elsewhere for the time being (RFC 7143 §11.13.5, class 1).
         *
         * @param address {@code host:port}: a redirect has no portal group tag (RFC 7143 §13.8)
         */
        record Redirect(String address) implements Decision {}

        /**
         * The login ends here.
         *
         * @param status what the initiator is told
         * @param why for the log, never for the initiator; empty if it is no news, and nobody need read of it
         */
        record Refuse(LoginStatus status, String why) implements Decision {}
    }

    /** The same directory, as it answers those who come from one host to one address of ours. */
    default TargetDirectory seenFrom(String host, InetSocketAddress address) {
        return this;
    }

    /** May this initiator log in to this target? Names as they came, normalised to lower case. */
    Decision login(String initiatorName, String targetName);

    /** The targets that discovery shows this initiator. */
    List<IscsiTarget> visibleTo(String initiatorName);

    /** What an initiator is told as TargetPortalGroupTag before it has proved who it is. */
    default int portalGroupTag() {
        return 1;
    }

    /**
     * What an initiator must prove to know, before it hears anything about targets.
     *
     * @param usual the server's accounts, which hold for whoever has none of his own
     */
    default ChapAccounts accountsOf(String initiatorName, ChapAccounts usual) {
        return usual;
    }

    /** Whose name this is, for people and logs; empty for nobody's in particular. */
    default String clientOf(String initiatorName) {
        return "";
    }

    /**
     * A login is complete and its session about to begin: the last word on it, because things may have changed while it was
     * under way. {@link #left} tells of the end of a session that was let in.
     *
     * @return null to let it in
     */
    default Decision.@Nullable Refuse enters(SessionEvents.Session session) {
        return null;
    }

    /** A session that was let in is gone, and its last write has finished or been discarded. */
    default void left(SessionEvents.Session session) {}
}
