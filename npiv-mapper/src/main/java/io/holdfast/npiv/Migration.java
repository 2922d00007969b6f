package io.holdfast.npiv;

/**
 * Where a client is in its move to another machine.
 *
 * <pre>
 *            Prepare                 HandOver (every adapter goes to its other name)
 *   SETTLED ─────────► PREPARED ──────────────────► SETTLED
 *                         │    Cancel
 *                         └──────────► SETTLED (nothing changed)
 * </pre>
 */
public enum Migration {
    /** Of each pair only the active name may log in. */
    SETTLED,
    /** Both may; the other one has no say yet ({@link LoginRight#STANDBY}). */
    PREPARED
}
