package io.holdfast.control;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a server serves, as an agent needs to know it.
 *
 * @param name the server, for people
 * @param portals addresses of its iSCSI portals, {@code ip:port}, the preferred one first
 * @param groups the tag of each portal's group, in the same order; those of portals beyond its end are {@link #USUAL_GROUP}
 */
public record ServerDescription(String name, List<String> portals, List<Integer> groups, List<ExportedUnit> units) {
    /** What a portal group's tag is unless it is said. */
    public static final int USUAL_GROUP = 1;

    /** A server whose portals are all of the usual group. */
    public ServerDescription(String name, List<String> portals, List<ExportedUnit> units) {
        this(name, portals, List.of(), units);
    }

    /** The tag of the group of one of {@link #portals}. */
    public int groupOf(String portal) {
        int index = portals.indexOf(portal);
        return index >= 0 && index < groups.size() ? groups.get(index) : USUAL_GROUP;
    }

    /** The same after a change. */
    public ServerDescription after(ServerMessage.UnitsChanged change) {
        Map<String, ExportedUnit> now = new LinkedHashMap<>();
        units.forEach(unit -> now.put(unit.name(), unit));
        change.gone().forEach(unit -> now.remove(unit.name()));
        change.served().forEach(unit -> now.put(unit.name(), unit));
        return new ServerDescription(name, portals, groups, List.copyOf(now.values()));
    }
}
