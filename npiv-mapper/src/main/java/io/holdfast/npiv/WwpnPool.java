package io.holdfast.npiv;

/**
 * Where port names come from: a prefix and a counter that only ever goes up. What has been issued is gone, whatever
 * became of it; a deleted pool's counter outlives it ({@link RetiredPrefix}).
 *
 * @param nextPair index of the pair to issue next, 0 to the number of pairs (then it is exhausted)
 * @param revision the fabric's version that last changed it; issuing is no change
 */
public record WwpnPool(String name, WwpnPrefix prefix, long nextPair, long revision) implements FabricObject {
    public WwpnPool {
        if (nextPair < 0 || nextPair > prefix.pairs()) {
            throw new IllegalArgumentException("pool " + name + ": its counter " + nextPair + " is not in 0.."
                    + prefix.pairs() + ", the pairs of prefix " + prefix);
        }
    }

    /** How many pairs are still to be had. */
    public long pairsLeft() {
        return prefix.pairs() - nextPair;
    }

    WwpnPair upcoming() {
        return prefix.pair(nextPair);
    }

    /** The counter moved on to this index; it never goes back. */
    WwpnPool advancedTo(long index) {
        return new WwpnPool(name, prefix, Math.max(nextPair, index), revision);
    }

    @Override
    public String label() {
        return "pool " + name;
    }

    @Override
    public WwpnPool stamped(long version) {
        return new WwpnPool(name, prefix, nextPair, version);
    }
}
