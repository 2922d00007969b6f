package io.holdfast.npiv;

/** Which LU number of which client. */
record MapId(int client, int lun) implements Comparable<MapId> {
    @Override
    public int compareTo(MapId other) {
        int byClient = Integer.compare(client, other.client);
        return byClient != 0 ? byClient : Integer.compare(lun, other.lun);
    }

    /** Written out, as is {@link #hashCode}, for a quick start: see {@link Wwpn#equals}. */
    @Override
    public boolean equals(Object other) {
        return other instanceof MapId id && client == id.client && lun == id.lun;
    }

    @Override
    public int hashCode() {
        return 31 * client + lun;
    }

    @Override
    public String toString() {
        return "LUN " + lun + " of client " + client;
    }
}
