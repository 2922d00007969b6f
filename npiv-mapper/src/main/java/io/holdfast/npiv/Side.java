package io.holdfast.npiv;

/** One of the two port names of a {@link WwpnPair}. */
public enum Side {
    FIRST,
    SECOND;

    public Side other() {
        return this == FIRST ? SECOND : FIRST;
    }
}
