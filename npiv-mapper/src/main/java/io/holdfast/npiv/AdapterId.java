package io.holdfast.npiv;

import java.util.Comparator;

/**
 * Which virtual adapter of which client; unique in the cluster.
 *
 * @param client its client's id
 * @param slot 1 to {@value #MAX_SLOT}, unique in the client
 */
public record AdapterId(int client, int slot) implements Comparable<AdapterId> {
    public static final int MAX_SLOT = 65_535;

    private static final Comparator<AdapterId> ORDER =
            Comparator.comparingInt(AdapterId::client).thenComparingInt(AdapterId::slot);

    @Override
    public int compareTo(AdapterId other) {
        return ORDER.compare(this, other);
    }

    /** The tail of a VIOS location code: {@code V3-C10} is slot 10 of client 3. */
    @Override
    public String toString() {
        return "V" + client + "-C" + slot;
    }
}
