package io.holdfast.scsi;

/**
 * What becomes of a command from a nexus that another one's reservation does not let in: persistent reservations by SPC-4
 * table 65 and SBC-3 table 13, RESERVE (6) and (10) by SPC-2 §5.5.1 and SBC-2. A conflict is answered with RESERVATION
 * CONFLICT.
 */
public enum UnderReservation implements ScsiCommand.Column {
    /** Carried out. */
    FREE("free"),
    /** Carried out, but for a conflict with RESERVE. */
    FREE_BUT_FOR_RESERVE("free, not under RESERVE"),
    /** Conflicts with exclusive access and RESERVE; ALLOW COMMANDS of REPORT CAPABILITIES tells so for the doubtful ones. */
    SHARED("shared"),
    /** Conflicts with every reservation. */
    EXCLUSIVE("exclusive"),
    /** START STOP UNIT: whoever starts is free, anything else is exclusive. */
    STARTING("free if it starts"),
    /** PREVENT ALLOW MEDIUM REMOVAL: whoever allows is free, whoever prevents is not. */
    ALLOWING("free if it allows"),
    /** The reservation commands: each has rules of its own. */
    BY_ITSELF("by its own rules");

    private static final int START = 0x01;
    private static final int POWER_CONDITION = 0xf0;
    private static final int PREVENT = 0x03;

    private final String label;

    UnderReservation(String label) {
        this.label = label;
    }

    /** For the reference. */
    public String label() {
        return label;
    }

    /** What a row says unless it says otherwise. CONTROL is exclusive: a command that nobody thought about waits. */
    static UnderReservation of(Access access) {
        return switch (access) {
            case IDENTIFY -> FREE;
            case READ -> SHARED;
            case CONTROL, COPY, WRITE -> EXCLUSIVE;
        };
    }

    boolean conflictsWithReserve(byte[] cdb) {
        return switch (this) {
            case FREE, BY_ITSELF -> false;
            case STARTING, ALLOWING -> !harmless(cdb);
            case FREE_BUT_FOR_RESERVE, SHARED, EXCLUSIVE -> true;
        };
    }

    boolean conflictsWith(ReservationType type, byte[] cdb) {
        return switch (this) {
            case FREE, FREE_BUT_FOR_RESERVE, BY_ITSELF -> false;
            case STARTING, ALLOWING -> !harmless(cdb);
            case SHARED -> type.exclusiveAccess();
            case EXCLUSIVE -> true;
        };
    }

    private boolean harmless(byte[] cdb) {
        return this == STARTING ? (cdb[4] & START) != 0 && (cdb[4] & POWER_CONDITION) == 0 : (cdb[4] & PREVENT) == 0;
    }
}
