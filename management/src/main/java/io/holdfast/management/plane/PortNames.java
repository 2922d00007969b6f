package io.holdfast.management.plane;

import io.holdfast.net.Addresses;
import io.holdfast.npiv.PhysicalPort;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which port an address of this host is: sessions know the address they came to, which a port may have among others. */
final class PortNames {
    private final Map<String, String> byLocation = new HashMap<>();
    /** Ports at every address of the host, by TCP port. */
    private final Map<Integer, String> everywhere = new HashMap<>();

    /** @param bound see {@link LiveFacts#boundPortals} */
    PortNames(Collection<PhysicalPort> ports, Map<String, String> bound) {
        for (PhysicalPort port : ports) {
            InetSocketAddress at = Addresses.parseNumeric(port.location()).orElse(null);
            if (at != null && at.getAddress().isAnyLocalAddress()) {
                everywhere.put(at.getPort(), port.name());
            }
            byLocation.put(at == null ? port.location() : Addresses.print(at), port.name());
        }
        bound.forEach((set, address) -> {
            String name = byLocation.get(set);
            if (name != null) {
                byLocation.putIfAbsent(address, name);
                Addresses.parseNumeric(address)
                        .filter(at -> at.getAddress().isAnyLocalAddress())
                        .ifPresent(at -> everywhere.putIfAbsent(at.getPort(), name));
            }
        });
    }

    /** @param portal {@code ip:port} */
    @Nullable
    String at(String portal) {
        String exact = byLocation.get(portal);
        if (exact != null) {
            return exact;
        }
        InetSocketAddress at = Addresses.parseNumeric(portal).orElse(null);
        return at == null ? null : everywhere.get(at.getPort());
    }
}
