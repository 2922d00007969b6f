package io.holdfast.npiv;

/**
 * A name of the form {@code iqn.…} that stands for a port name.
 *
 * @param initiator normalised ({@link InitiatorName})
 * @param revision the fabric's version that last changed it
 */
public record InitiatorBinding(String initiator, Wwpn wwpn, long revision) implements FabricObject {

    @Override
    public String label() {
        return "initiator name " + initiator;
    }

    @Override
    public InitiatorBinding stamped(long version) {
        return new InitiatorBinding(initiator, wwpn, version);
    }
}
