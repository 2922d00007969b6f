package io.holdfast.drills;

/** How much the guest writes. */
enum GuestLoad {
    /** One process, five writes a second. */
    LIGHT("light", "holdfast.writers=1 holdfast.pause_ms=200"),
    /** Four processes that make durable writes in four ways, about as fast as a database's log. */
    STEADY("steady", "holdfast.writers=4"),
    /** Sixteen processes without a pause: the queue is never empty. */
    HEAVY("heavy", "holdfast.writers=16 holdfast.pause_ms=0");

    private final String label;
    private final String words;

    GuestLoad(String label, String words) {
        this.label = label;
        this.words = words;
    }

    /** The name on the command line and in results. */
    String label() {
        return label;
    }

    /** For the guest's kernel command line. */
    String words() {
        return words;
    }

    @Override
    public String toString() {
        return label;
    }
}
