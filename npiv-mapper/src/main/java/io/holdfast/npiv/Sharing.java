package io.holdfast.npiv;

/** How many clients may have an LU mapped. */
public enum Sharing {
    /** One. */
    PRIVATE,
    /** Any number: they know of each other (a cluster file system, a read-only image). */
    SHARED
}
