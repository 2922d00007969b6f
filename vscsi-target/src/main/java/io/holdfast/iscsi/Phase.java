package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.PduDecoder;

/** What a connection does with the PDUs that come: it logs in, then it serves. Owned by the connection's event loop. */
sealed interface Phase extends PduDecoder.Receiver permits LoginPhase, FullFeaturePhase {

    /** What is in the log when the other side ends the connection now; empty if nothing need be. */
    String whenPeerEnds(boolean inMiddleOfPdu);

    /** The server stops: true if the connection may be closed at once. */
    boolean mayStopNow();

    /** The connection is closing: nothing is answered any more, and what is kept for it is given back. */
    void closing();
}
