package io.holdfast.npiv;

/**
 * A client's virtual Fibre Channel adapter.
 *
 * @param pool where its names come from
 * @param active the name it uses at present
 * @param revision the fabric's version that last changed it
 */
public record ClientAdapter(AdapterId id, String pool, WwpnPair pair, Side active, long revision)
        implements FabricObject {

    public Wwpn activeName() {
        return pair.of(active);
    }

    ClientAdapter handedOver(long version) {
        return new ClientAdapter(id, pool, pair, active.other(), version);
    }

    @Override
    public String label() {
        return "adapter " + id;
    }

    @Override
    public ClientAdapter stamped(long version) {
        return new ClientAdapter(id, pool, pair, active, version);
    }
}
