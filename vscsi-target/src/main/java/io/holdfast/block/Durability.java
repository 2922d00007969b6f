package io.holdfast.block;

/** What a write's acknowledgement promises. */
public enum Durability {
    /** The bytes are readable; they survive the server's death, but not the host's until the next flush. */
    CACHED,
    /** The bytes survive power loss when the callback runs (FUA). */
    DURABLE
}
