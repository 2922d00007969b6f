package io.holdfast.npiv;

/**
 * What holds for names that are in no zone.
 *
 * @param revision the fabric's version that last changed it
 */
public record ZonePolicy(DefaultZone others, long revision) implements FabricObject {

    @Override
    public String label() {
        return "default zone";
    }

    @Override
    public ZonePolicy stamped(long version) {
        return new ZonePolicy(others, version);
    }
}
