package io.holdfast.npiv;

/** What a client may do with a mapped LU. */
public enum MapAccess {
    READ_WRITE,
    READ_ONLY
}
