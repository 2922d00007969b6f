package io.holdfast.management;

import io.holdfast.management.config.ByteSize;
import io.holdfast.net.Addresses;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a server prints once it serves: a line for each logical unit and portal, for scripts; then how to use them, for
 * people.
 *
 * @param units what is exported to everybody; those that clients were given one by one are not told here
 * @param portals where initiators log in
 * @param control where agents connect
 * @param namePrefix of target names
 */
record ServingNotice(
        List<ServedUnit> units, List<InetSocketAddress> portals, InetSocketAddress control, String namePrefix) {

    /** As it is typed: in a checkout {@code scripts/holdfast}, by whose word. */
    private static final String COMMAND = System.getProperty("holdfast.command", "holdfast");

    void printTo(PrintWriter out) {
        for (ServedUnit unit : units) {
            for (InetSocketAddress portal : portals) {
                out.println(url(portal) + "/" + unit.target().name() + "/" + ServedUnit.LUN);
            }
        }
        if (units.isEmpty()) {
            portals.forEach(portal -> out.println(url(portal)));
        }
        out.println();
        units.forEach(unit -> out.println("  " + inWords(unit)));
        List<InetSocketAddress> everywhere = Stream.concat(portals.stream(), Stream.of(control))
                .filter(address -> address.getAddress().isAnyLocalAddress())
                .toList();
        everywhere.forEach(
                address -> out.println("  port " + address.getPort() + " is open at every address of this host"));
        if (!units.isEmpty() || !everywhere.isEmpty()) {
            out.println();
        }
        out.println("A guest that survives this server's death goes through an agent on its own host:");
        out.println("  " + COMMAND + " agent --server " + Addresses.print(Reachable.of(control))
                + " --vm web1=/run/web1.qmp");
        out.println("  qemu-system-x86_64 … -qmp unix:/run/web1.qmp,server=on,wait=off \\");
        out.println("    -drive file=iscsi://PORTAL-OF-THE-AGENT/" + lastTarget() + "/" + ServedUnit.LUN
                + ",format=raw,if=virtio,cache=none,werror=stop,rerror=stop");
    }

    private static String url(InetSocketAddress portal) {
        return "iscsi://" + Addresses.print(Reachable.of(portal));
    }

    private static String inWords(ServedUnit unit) {
        int blockBytes = unit.export().blockBytes();
        return unit.target().name() + ": " + unit.export().path() + ", "
                + ByteSize.print(unit.backend().sizeBytes())
                + (blockBytes == 512 ? "" : ", blocks of " + blockBytes + " bytes")
                + (unit.backend().readOnly() ? ", read-only" : "");
    }

    /** A name that can be logged in to, or, where nothing is exported, the form of one. */
    private String lastTarget() {
        return units.isEmpty()
                ? namePrefix + ":vfchostN"
                : units.get(units.size() - 1).target().name();
    }
}
