package io.holdfast.npiv;

/** Where a port name may log in that is in no zone. */
public enum DefaultZone {
    /** At the port its server adapter is assigned to. */
    OPEN,
    /** Nowhere: every name needs a zone. */
    CLOSED
}
