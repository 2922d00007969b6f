package io.holdfast.block;

/** The operations of a {@link BlockBackend}, as filters name them. */
public enum BlockOperation {
    READ,
    WRITE,
    FLUSH,
    DISCARD
}
