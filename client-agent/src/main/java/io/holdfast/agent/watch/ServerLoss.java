package io.holdfast.agent.watch;

/** How a server was lost, as far as it can be told from here. */
public enum ServerLoss {
    /** Its process has ended, or ends: the kernel has closed the control connection, and closes the others. */
    ENDED,
    /** Its process has ended or ends: its portal is closed, or lets nobody in, and its heart has stopped. Connections may still be open. */
    ENDING,
    /** It says nothing. It may still be there, and connections to it half-open. */
    SILENT
}
