package io.holdfast.block;

/**
 * Why a backend did not do what it was asked.
 *
 * @param kind what a caller decides by
 * @param detail for people: what was asked and what the system said
 */
public record BlockError(Kind kind, String detail) {

    /** The kinds of failure a device server answers differently. */
    public enum Kind {
        /** The host has no space left for a sparse file to grow (ENOSPC, EDQUOT). Goes away when space returns. */
        NO_SPACE,
        /** The storage could not read or write these bytes (EIO and the like). */
        MEDIUM,
        /** The storage as a whole cannot be reached (file gone, device removed, stale handle). */
        UNREACHABLE,
        /** A write to something read-only. */
        READ_ONLY,
        /** Offset or length beyond the end. A fault of ours: the device server checks ranges first. */
        OUT_OF_RANGE,
        /** The backend or its file system cannot do this at all (EOPNOTSUPP). */
        UNSUPPORTED
    }
}
