package io.holdfast.scsi;

import org.jspecify.annotations.Nullable;

/** The types of persistent reservations (SPC-4 §6.15.3.4). */
public enum ReservationType {
    WRITE_EXCLUSIVE(0x1, false, Sharing.NOBODY),
    EXCLUSIVE_ACCESS(0x3, true, Sharing.NOBODY),
    WRITE_EXCLUSIVE_REGISTRANTS_ONLY(0x5, false, Sharing.REGISTRANTS),
    EXCLUSIVE_ACCESS_REGISTRANTS_ONLY(0x6, true, Sharing.REGISTRANTS),
    WRITE_EXCLUSIVE_ALL_REGISTRANTS(0x7, false, Sharing.HOLDERS),
    EXCLUSIVE_ACCESS_ALL_REGISTRANTS(0x8, true, Sharing.HOLDERS);

    private enum Sharing {
        /** One nexus holds the reservation and nobody else is let in. */
        NOBODY,
        /** One nexus holds it, every registered one is let in. */
        REGISTRANTS,
        /** Every registered nexus holds it. */
        HOLDERS
    }

    private final int code;
    private final boolean exclusiveAccess;
    private final Sharing sharing;

    ReservationType(int code, boolean exclusiveAccess, Sharing sharing) {
        this.code = code;
        this.exclusiveAccess = exclusiveAccess;
        this.sharing = sharing;
    }

    /** The TYPE field. */
    public int code() {
        return code;
    }

    /** True if others may not even read. */
    boolean exclusiveAccess() {
        return exclusiveAccess;
    }

    /** True if every registered nexus may do what the holder may. */
    boolean letsRegistrantsIn() {
        return sharing != Sharing.NOBODY;
    }

    /** True if every registered nexus is a holder. */
    boolean allRegistrants() {
        return sharing == Sharing.HOLDERS;
    }

    /** The type with this code, or null. */
    static @Nullable ReservationType withCode(int code) {
        for (ReservationType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        return null;
    }
}
