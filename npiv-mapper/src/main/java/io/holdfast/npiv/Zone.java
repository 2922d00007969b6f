package io.holdfast.npiv;

import java.util.List;

/**
 * Port names and the physical ports they may log in at. A name that is in a zone may log in only where one of its zones
 * says so; for the others see {@link DefaultZone}.
 *
 * @param members ascending, each once
 * @param ports ascending, each once
 * @param revision the fabric's version that last changed it
 */
public record Zone(String name, List<Wwpn> members, List<String> ports, long revision) implements FabricObject {
    public Zone {
        members = members.stream().sorted().distinct().toList();
        ports = ports.stream().sorted().distinct().toList();
    }

    Zone without(Wwpn member) {
        return new Zone(name, members.stream().filter(m -> !m.equals(member)).toList(), ports, revision);
    }

    @Override
    public String label() {
        return "zone " + name;
    }

    @Override
    public Zone stamped(long version) {
        return new Zone(name, members, ports, version);
    }
}
