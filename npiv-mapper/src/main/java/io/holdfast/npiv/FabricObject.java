package io.holdfast.npiv;

/** One thing in a {@link Fabric} that commands make, change and remove. All are records of plain values. */
public sealed interface FabricObject
        permits WwpnPool,
                Client,
                ClientAdapter,
                ServerAdapter,
                PhysicalPort,
                Zone,
                ZonePolicy,
                Lu,
                LuMap,
                InitiatorBinding {

    /** Kind and name, for people: {@code client 3 (web1)}. */
    String label();

    /** The fabric's version that last changed it. */
    long revision();

    /** The same, changed in this version of the fabric. */
    FabricObject stamped(long version);
}
