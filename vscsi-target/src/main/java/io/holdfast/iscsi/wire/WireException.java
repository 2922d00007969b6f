package io.holdfast.iscsi.wire;

/**
 * Bytes from the network that are not iSCSI, or not the iSCSI that was agreed on. The connection cannot go on; the
 * message says, in one line for people, what came.
 */
public final class WireException extends Exception {
    private static final long serialVersionUID = 1L;

    public WireException(String message) {
        // A peer can make these at will: no stack trace to fill.
        super(message, null, false, false);
    }
}
