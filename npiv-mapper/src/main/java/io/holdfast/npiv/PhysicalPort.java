package io.holdfast.npiv;

/**
 * A port that many virtual adapters share: for this target, a portal.
 *
 * @param name {@code fcs0}, or whatever the administrator calls it
 * @param location where it is, for people: the portal's address
 * @param capacity how many server adapters it carries, 1 to {@value #MAX_CAPACITY}
 * @param revision the fabric's version that last changed it
 */
public record PhysicalPort(String name, String location, int capacity, long revision) implements FabricObject {
    /** What host bus adapters with NPIV offer. */
    public static final int DEFAULT_CAPACITY = 64;
    /** A portal has no hardware that ends earlier, but a limit it must have. */
    public static final int MAX_CAPACITY = 4096;

    @Override
    public String label() {
        return "port " + name;
    }

    @Override
    public PhysicalPort stamped(long version) {
        return new PhysicalPort(name, location, capacity, version);
    }
}
