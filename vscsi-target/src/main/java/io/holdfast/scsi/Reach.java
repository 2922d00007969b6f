package io.holdfast.scsi;

/** Through target ports of which states a command is carried out (SPC-4 §5.15.2.4 to §5.15.2.7). Ascending. */
public enum Reach implements ScsiCommand.Column {
    /** In every state: what tells an initiator where it is, and REQUEST SENSE. */
    REPORTING("every state"),
    /**
     * Also in standby: what manages and says something of the whole logical unit. READ CAPACITY is among it, because Linux
     * gives up a path whose capacity it cannot read.
     */
    STANDBY("active, standby"),
    /** In the active states only. */
    ALL("active");

    private final String label;

    Reach(String label) {
        this.label = label;
    }

    /** For the reference. */
    public String label() {
        return label;
    }

    /** What a row says unless it says otherwise. */
    static Reach of(Access access) {
        return access == Access.IDENTIFY ? REPORTING : ALL;
    }

    boolean includes(Reach needed) {
        return needed.compareTo(this) <= 0;
    }
}
