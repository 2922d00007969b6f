package io.holdfast.npiv;

import java.util.Comparator;

/** Which LU number of which client. */
record MapId(int client, int lun) implements Comparable<MapId> {
    private static final Comparator<MapId> ORDER =
            Comparator.comparingInt(MapId::client).thenComparingInt(MapId::lun);

    @Override
    public int compareTo(MapId other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return "LUN " + lun + " of client " + client;
    }
}
