package io.holdfast.npiv;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Where each name may log in, as far as zones are concerned. */
final class Zoning {
    private final Map<Wwpn, Set<String>> portsOf = new HashMap<>();
    private final DefaultZone others;

    Zoning(Collection<Zone> zones, DefaultZone others) {
        for (Zone zone : zones) {
            for (Wwpn member : zone.members()) {
                portsOf.computeIfAbsent(member, m -> new HashSet<>()).addAll(zone.ports());
            }
        }
        this.others = others;
    }

    boolean allows(Wwpn name, String port) {
        Set<String> zoned = portsOf.get(name);
        return zoned == null ? others == DefaultZone.OPEN : zoned.contains(port);
    }
}
