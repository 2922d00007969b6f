package io.holdfast.drills;

import io.holdfast.drills.FactLog.Fact;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Sees to whom QEMU is connected. Looking through the kernel's whole socket table takes milliseconds of CPU on a machine
 * with a large hash, so that is done only when QEMU holds a socket it did not hold before; the beginning of the
 * connection is the time at which the new socket was first seen among QEMU's descriptors.
 *
 * <p>Not thread-safe: belongs to the sampling thread.
 */
final class ConnectionWatch {
    private final long qemuPid;
    private final int serverPort;
    private final OptionalInt portalPort;
    private final FactLog facts;
    private Set<Long> known = Set.of();

    ConnectionWatch(long qemuPid, int serverPort, OptionalInt portalPort, FactLog facts) {
        this.qemuPid = qemuPid;
        this.serverPort = serverPort;
        this.portalPort = portalPort;
        this.facts = facts;
    }

    /** Looks once. */
    void look() throws IOException {
        long atNs = System.nanoTime();
        Set<Long> held = SocketTable.inodesOf(qemuPid);
        Set<Long> fresh = new HashSet<>(held);
        fresh.removeAll(known);
        if (!fresh.isEmpty()) {
            // One that is not connected yet stays unknown, and is looked at again at the next sample.
            fresh.removeAll(resolve(fresh, SocketTable.now(), atNs));
            held.removeAll(fresh);
        }
        known = held;
    }

    /** Notes the connections among {@code fresh}; answers which need no second look. */
    private Set<Long> resolve(Set<Long> fresh, List<SocketTable.Socket> table, long atNs) {
        Set<Long> done = new HashSet<>(fresh);
        for (SocketTable.Socket socket : table) {
            if (!fresh.contains(socket.inode())) {
                continue;
            }
            if (socket.connectedTo(serverPort)) {
                facts.began(Fact.QEMU_AT_SERVER, atNs);
            } else if (portalPort.isPresent() && socket.connectedTo(portalPort.getAsInt())) {
                facts.began(Fact.QEMU_AT_PORTAL, atNs);
            } else if (socket.connecting()) {
                done.remove(socket.inode());
            }
        }
        return done;
    }
}
