package io.holdfast.npiv;

/** What sort of thing a client is. */
public enum ClientKind {
    VM("vm"),
    CONTAINER("container"),
    /** A workload partition (WPAR): processes of one host that have a port of their own. */
    PROCESS_GROUP("process-group");

    private final String label;

    ClientKind(String label) {
        this.label = label;
    }

    /** As in listings and on the command line. */
    public String label() {
        return label;
    }
}
