package io.holdfast.drills;

/** How the server is taken away. */
enum Fault {
    /** SIGKILL: it dies between two instructions. */
    KILL("kill", "SIGKILL"),
    /** SIGTERM: a planned stop, which the server announces to its agents before it goes. */
    STOP("stop", "SIGTERM");

    private final String label;
    private final String signal;

    Fault(String label, String signal) {
        this.label = label;
        this.signal = signal;
    }

    /** The name on the command line and in results. */
    String label() {
        return label;
    }

    String signal() {
        return signal;
    }

    @Override
    public String toString() {
        return label;
    }
}
