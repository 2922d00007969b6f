package io.holdfast.iscsi;

import java.util.List;

/**
 * Who may log in where. Wiring adapts the configuration, and later the WWPN map, to it. Called on event loops, from
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
         * @param address as in TargetAddress: {@code host:port} or {@code host:port,tag}
         */
        record Redirect(String address) implements Decision {}

        /** The login ends here. */
        record Refuse(LoginStatus status) implements Decision {}
    }

    /** May this initiator log in to this target? Names as they came, normalised to lower case. */
    Decision login(String initiatorName, String targetName);

    /** The targets that discovery shows this initiator. */
    List<IscsiTarget> visibleTo(String initiatorName);

    /** What an initiator is told as TargetPortalGroupTag before it has proved who it is. */
    default int portalGroupTag() {
        return 1;
    }
}
