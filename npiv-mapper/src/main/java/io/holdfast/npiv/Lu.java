package io.holdfast.npiv;

/**
 * A logical unit that can be mapped.
 *
 * @param name of the backing device
 * @param revision the fabric's version that last changed it
 */
public record Lu(String name, Sharing sharing, long revision) implements FabricObject {

    @Override
    public String label() {
        return "LU " + name;
    }

    @Override
    public Lu stamped(long version) {
        return new Lu(name, sharing, version);
    }
}
