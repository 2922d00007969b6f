package io.holdfast.scsi;

import org.jspecify.annotations.Nullable;

/** The asymmetric access states of a target port group (SPC-4 §5.15.2, table 246). */
public enum AccessState {
    ACTIVE_OPTIMIZED(0x0, Reach.ALL),
    /** Everything works, and another group is the better way. */
    ACTIVE_NON_OPTIMIZED(0x1, Reach.ALL),
    STANDBY(0x2, Reach.STANDBY),
    UNAVAILABLE(0x3, Reach.REPORTING),
    /** Entered by the target only. */
    OFFLINE(0xe, Reach.REPORTING),
    /** Between two states; entered by the target only. */
    TRANSITIONING(0xf, Reach.REPORTING);

    private final int code;
    private final Reach reach;

    AccessState(int code, Reach reach) {
        this.code = code;
        this.reach = reach;
    }

    int code() {
        return code;
    }

    /** Which commands are carried out. */
    Reach reach() {
        return reach;
    }

    /** True if SET TARGET PORT GROUPS may ask for it (SPC-4 §6.41). */
    boolean settable() {
        return this != OFFLINE && this != TRANSITIONING;
    }

    /** What any other command is told; only for states that keep some out. */
    SenseCode complaint() {
        return switch (this) {
            case STANDBY -> SenseCode.TARGET_PORT_IN_STANDBY_STATE;
            case UNAVAILABLE -> SenseCode.TARGET_PORT_IN_UNAVAILABLE_STATE;
            case TRANSITIONING -> SenseCode.ASYMMETRIC_ACCESS_STATE_TRANSITION;
            case OFFLINE -> SenseCode.LOGICAL_UNIT_OFFLINE;
            case ACTIVE_OPTIMIZED, ACTIVE_NON_OPTIMIZED -> throw new IllegalStateException(this + " keeps nobody out");
        };
    }

    static @Nullable AccessState withCode(int code) {
        for (AccessState state : values()) {
            if (state.code == code) {
                return state;
            }
        }
        return null;
    }
}
