package io.holdfast.control;

/**
 * An open iSCSI session, as the server sees it.
 *
 * @param initiator iSCSI name of the initiator
 * @param isid the initiator's part of the session identifier, in the low 48 bits (RFC 7143 §11.12.5)
 * @param target iSCSI name of the target
 * @param peer address of the session's first connection, {@code ip:port}
 */
public record IscsiSession(String initiator, long isid, String target, String peer) {}
