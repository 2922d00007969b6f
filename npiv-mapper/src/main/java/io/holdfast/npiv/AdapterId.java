package io.holdfast.npiv;

/**
 * Which virtual adapter of which client; unique in the cluster.
 *
 * @param client its client's id
 * @param slot 1 to {@value #MAX_SLOT}, unique in the client
 */
public record AdapterId(int client, int slot) implements Comparable<AdapterId> {
    public static final int MAX_SLOT = 65_535;

    @Override
    public int compareTo(AdapterId other) {
        int byClient = Integer.compare(client, other.client);
        return byClient != 0 ? byClient : Integer.compare(slot, other.slot);
    }

    /** Written out, as is {@link #hashCode}, for a quick start: see {@link Wwpn#equals}. */
    @Override
    public boolean equals(Object other) {
        return other instanceof AdapterId id && client == id.client && slot == id.slot;
    }

    @Override
    public int hashCode() {
        return 31 * client + slot;
    }

    /** The tail of a VIOS location code: {@code V3-C10} is slot 10 of client 3. */
    @Override
    public String toString() {
        return "V" + client + "-C" + slot;
    }
}
