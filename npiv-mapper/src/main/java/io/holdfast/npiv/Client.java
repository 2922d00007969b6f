package io.holdfast.npiv;

/**
 * Somebody who has disks: a VM, a container or a process group.
 *
 * @param id 1 and up, never given to another client
 * @param nextSlot the lowest slot that was never used
 * @param nextLun the lowest LU number above all that were ever used; taking a number is no change of the client
 * @param revision the fabric's version that last changed it
 */
public record Client(
        int id, String name, ClientKind kind, Migration migration, int nextSlot, int nextLun, long revision)
        implements FabricObject {

    Client usedSlot(int slot) {
        return new Client(id, name, kind, migration, Math.max(nextSlot, slot + 1), nextLun, revision);
    }

    Client usedLun(int lun) {
        return new Client(id, name, kind, migration, nextSlot, Math.max(nextLun, lun + 1), revision);
    }

    Client in(Migration state, long version) {
        return new Client(id, name, kind, state, nextSlot, nextLun, version);
    }

    @Override
    public String label() {
        return "client " + id + " (" + name + ")";
    }

    @Override
    public Client stamped(long version) {
        return new Client(id, name, kind, migration, nextSlot, nextLun, version);
    }
}
