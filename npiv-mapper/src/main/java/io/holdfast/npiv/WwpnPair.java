package io.holdfast.npiv;

/**
 * The two port names of a virtual adapter. Normally only one of them is logged in; the client goes to the other when it
 * moves to another machine, and stays with it until it moves again.
 *
 * @param first the one in use until the client is moved for the first time
 */
public record WwpnPair(Wwpn first, Wwpn second) {
    public WwpnPair {
        if (first.equals(second)) {
            throw new IllegalArgumentException("the two port names of a pair are both " + first);
        }
    }

    public Wwpn of(Side side) {
        return side == Side.FIRST ? first : second;
    }

    /** HMC's spelling: both, with a comma between them. */
    @Override
    public String toString() {
        return first + "," + second;
    }
}
