package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a change means to those who are logged in.
 *
 * @param rights names whose right is another now; who has {@link LoginRight#NONE} must be logged out
 * @param moved names whose target is at another physical port now, or at none; their sessions at the old one must end
 * @param otherUnits clients that see other LUs than before, or see them otherwise (REPORTED LUNS DATA HAS CHANGED)
 */
public record FabricChange(Map<Wwpn, LoginRight> rights, Set<Wwpn> moved, Set<Integer> otherUnits) {

    /** What is different in the newer one. */
    public static FabricChange between(LoginDirectory before, LoginDirectory after) {
        Map<Wwpn, LoginRight> rights = new TreeMap<>();
        Set<Wwpn> moved = new TreeSet<>();
        for (Fabric fabric : List.of(before.fabric(), after.fabric())) {
            for (ClientAdapter adapter : fabric.adapters()) {
                for (Side side : Side.values()) {
                    Wwpn name = adapter.pair().of(side);
                    if (before.rightOf(name) != after.rightOf(name)) {
                        rights.put(name, after.rightOf(name));
                    }
                    String old = before.portOf(name);
                    if (old != null && !old.equals(after.portOf(name))) {
                        moved.add(name);
                    }
                }
            }
        }
        return new FabricChange(rights, moved, otherUnits(before.fabric(), after.fabric()));
    }

    private static Set<Integer> otherUnits(Fabric before, Fabric after) {
        Set<Integer> clients = new TreeSet<>();
        for (Fabric fabric : List.of(before, after)) {
            for (Client client : fabric.clients()) {
                if (!unstamped(before.mapsOf(client.id())).equals(unstamped(after.mapsOf(client.id())))) {
                    clients.add(client.id());
                }
            }
        }
        return clients;
    }

    private static List<LuMap> unstamped(Collection<LuMap> maps) {
        List<LuMap> plain = new ArrayList<>();
        maps.forEach(map -> plain.add(map.stamped(0)));
        return plain;
    }
}
