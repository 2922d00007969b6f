package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The lists that administrators of a Virtual I/O Server know, as data; whoever prints them decides how. Components are
 * named as the fields of {@code lsmap -field} and {@code lsnports}, in their order; what is not there is null.
 */
public final class FabricListing {
    private static final String LOGGED_IN = "LOGGED_IN";
    private static final String NOT_LOGGED_IN = "NOT_LOGGED_IN";
    private static final String NOT_MAPPED = "NOT_MAPPED";
    private static final String MIGRATING = "MIGRATING";

    private final Fabric fabric;
    private final LoginDirectory directory;

    public FabricListing(Fabric fabric, LoginDirectory directory) {
        this.fabric = fabric;
        this.directory = directory;
    }

    /**
     * A line of {@code lsmap -npiv}.
     *
     * @param physloc the target's name: where initiators find it
     * @param clntos the kind of client, of whose operating system nothing is known here
     * @param fc the physical port, {@code fcphysloc} where that is
     * @param ports how many sessions are logged in
     * @param vfcclientdrc the client's adapter
     * @param wwpns both names, as HMC lists them: the active one is not always the first
     */
    public record LsmapNpiv(
            String name,
            String physloc,
            int clntid,
            String clntname,
            String clntos,
            String status,
            @Nullable String fc,
            @Nullable String fcphysloc,
            int ports,
            List<String> flags,
            String vfcclient,
            String vfcclientdrc,
            String wwpns,
            String active) {
        public LsmapNpiv {
            flags = List.copyOf(flags);
        }
    }

    /** A header of {@code lsmap -all}, with a block for each device. */
    public record Lsmap(String svsa, String physloc, int clientid, List<Device> devices) {
        public Lsmap {
            devices = List.copyOf(devices);
        }
    }

    /** @param vtd the virtual target device, {@code backing} the LU behind it */
    public record Device(String vtd, String status, int lun, String backing, String access, String sharing) {}

    /**
     * A line of {@code lsnports}.
     *
     * @param fabric 1 as on a VIOS: a port is always connected
     * @param tports how many server adapters it can carry, {@code aports} how many more
     * @param swwpns how many names that makes, {@code awwpns} how many more
     */
    public record Lsnports(String name, String physloc, int fabric, int tports, int aports, int swwpns, int awwpns) {}

    /** A line of what {@code vfcmap} did. */
    public record Vfcmap(String vadapter, @Nullable String fcp) {}

    /**
     * All server adapters by number.
     *
     * @param sessions how many are logged in, by port name
     */
    public List<LsmapNpiv> lsmapNpiv(Map<Wwpn, Integer> sessions) {
        List<LsmapNpiv> rows = new ArrayList<>();
        for (ServerAdapter server : fabric.servers()) {
            rows.add(npivRow(server, sessions));
        }
        return rows;
    }

    private LsmapNpiv npivRow(ServerAdapter server, Map<Wwpn, Integer> sessions) {
        ClientAdapter adapter = fabric.adapters.need(server.client());
        Client client = fabric.clients.need(adapter.id().client());
        PhysicalPort port = server.port() == null ? null : fabric.ports.need(server.port());
        int loggedIn = 0;
        for (Side side : Side.values()) {
            loggedIn += sessions.getOrDefault(adapter.pair().of(side), 0);
        }
        String status = port == null ? NOT_MAPPED : loggedIn > 0 ? LOGGED_IN : NOT_LOGGED_IN;
        List<String> flags = new ArrayList<>();
        flags.add(status);
        if (client.migration() == Migration.PREPARED) {
            flags.add(MIGRATING);
        }
        return new LsmapNpiv(
                server.name(),
                directory.targetName(server),
                client.id(),
                client.name(),
                client.kind().label(),
                status,
                port == null ? null : port.name(),
                port == null ? null : port.location(),
                loggedIn,
                flags,
                "fcs" + (adapter.id().slot() - 1),
                adapter.id().toString(),
                adapter.pair().toString(),
                adapter.activeName().toString());
    }

    /** All server adapters by number, each with what its client sees through it. */
    public List<Lsmap> lsmap() {
        List<Lsmap> rows = new ArrayList<>();
        for (ServerAdapter server : fabric.servers()) {
            List<Device> devices = new ArrayList<>();
            for (LuMap map : fabric.mapsOf(server.client().client())) {
                Lu lu = fabric.lus.need(map.lu());
                devices.add(new Device(
                        map.device(),
                        "Available",
                        map.lun(),
                        lu.name(),
                        map.access() == MapAccess.READ_ONLY ? "ro" : "rw",
                        lu.sharing() == Sharing.SHARED ? "shared" : "private"));
            }
            rows.add(new Lsmap(
                    server.name(), directory.targetName(server), server.client().client(), devices));
        }
        return rows;
    }

    /** All ports by name. */
    public List<Lsnports> lsnports() {
        Map<String, Integer> carried = new HashMap<>();
        for (ServerAdapter server : fabric.servers()) {
            if (server.port() != null) {
                carried.merge(server.port(), 1, Integer::sum);
            }
        }
        List<Lsnports> rows = new ArrayList<>();
        for (PhysicalPort port : fabric.ports()) {
            int free = port.capacity() - carried.getOrDefault(port.name(), 0);
            rows.add(new Lsnports(
                    port.name(), port.location(), 1, port.capacity(), free, 2 * port.capacity(), 2 * free));
        }
        return rows;
    }

    /** Which server adapter is on which port. */
    public List<Vfcmap> vfcmap() {
        List<Vfcmap> rows = new ArrayList<>();
        fabric.servers().forEach(server -> rows.add(new Vfcmap(server.name(), server.port())));
        return rows;
    }
}
