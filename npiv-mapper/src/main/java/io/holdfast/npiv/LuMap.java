package io.holdfast.npiv;

/**
 * One client sees one LU under one number, through all its adapters alike.
 *
 * @param client its id
 * @param lun 0 to {@value #MAX_LUN}; keeps until the LU is unmapped, whatever else is mapped and unmapped
 * @param lu its name
 * @param revision the fabric's version that last changed it
 */
public record LuMap(int client, int lun, String lu, MapAccess access, long revision) implements FabricObject {
    /** The largest number that flat space addressing can hold (SAM-5 §4.7.7.3). */
    public static final int MAX_LUN = 16_383;

    MapId id() {
        return new MapId(client, lun);
    }

    /** The virtual target device, which on a VIOS too has a name other than its backing device's. */
    public String device() {
        return "vtd" + client + "_" + lun;
    }

    @Override
    public String label() {
        return id().toString();
    }

    @Override
    public LuMap stamped(long version) {
        return new LuMap(client, lun, lu, access, version);
    }
}
