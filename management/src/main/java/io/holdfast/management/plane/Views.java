package io.holdfast.management.plane;

import io.holdfast.control.VmActionsTaken;
import io.holdfast.control.operator.Labels;
import io.holdfast.control.operator.Row;
import io.holdfast.iscsi.IoKind;
import io.holdfast.iscsi.IoTotals;
import io.holdfast.npiv.AdapterId;
import io.holdfast.npiv.Client;
import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.Fabric;
import io.holdfast.npiv.FabricListing;
import io.holdfast.npiv.InitiatorBinding;
import io.holdfast.npiv.InitiatorName;
import io.holdfast.npiv.LoginDirectory;
import io.holdfast.npiv.Lu;
import io.holdfast.npiv.LuMap;
import io.holdfast.npiv.PhysicalPort;
import io.holdfast.npiv.ServerAdapter;
import io.holdfast.npiv.Side;
import io.holdfast.npiv.Wwpn;
import io.holdfast.npiv.WwpnPool;
import io.holdfast.npiv.Zone;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One state and what is so at present, as the rows that people and programs get. Made for one answer. */
final class Views {
    private static final long UNKNOWN = -1;

    private final PlaneState state;
    private final Fabric fabric;
    private final LiveFacts facts;
    private final LoginDirectory directory;
    // Of thousands of objects; most answers need none of them, or one.
    private final Once<PortNames> ports = new Once<>(this::portNames);
    private final Once<Map<String, String>> bound = new Once<>(this::boundPortals);
    private final Once<Map<String, LiveFacts.Unit>> units = new Once<>(this::servedUnits);
    private final Once<List<LiveFacts.Session>> sessions = new Once<>(this::openSessions);
    private final Once<Map<Wwpn, ClientAdapter>> byWwpn = new Once<>(this::adaptersByWwpn);
    private final Once<Map<Wwpn, Integer>> loggedIn = new Once<>(this::sessionsByWwpn);
    private final Once<Map<AdapterId, ServerAdapter>> serverOf = new Once<>(this::serversByClient);
    /** Names of the clients that see an LU. */
    private final Once<Map<String, List<String>>> seenBy = new Once<>(this::clientsByLu);

    /** What is made when it is needed first. */
    private static final class Once<T> {
        private final Supplier<T> maker;
        private @Nullable T made;

        Once(Supplier<T> maker) {
            this.maker = maker;
        }

        T get() {
            T known = made;
            if (known == null) {
                known = maker.get();
                made = known;
            }
            return known;
        }
    }

    Views(PlaneState state, LiveFacts facts, String targetPrefix) {
        this.state = state;
        this.fabric = state.fabric();
        this.facts = facts;
        this.directory = state.directory(targetPrefix);
    }

    private PortNames portNames() {
        return new PortNames(fabric.ports(), bound.get());
    }

    private Map<String, String> boundPortals() {
        return facts.boundPortals();
    }

    /** Where a port is, which may have been asked for as any. */
    private String place(String location) {
        return bound.get().getOrDefault(location, location);
    }

    private Map<String, LiveFacts.Unit> servedUnits() {
        return facts.units();
    }

    private List<LiveFacts.Session> openSessions() {
        return facts.sessions();
    }

    private Map<Wwpn, ClientAdapter> adaptersByWwpn() {
        Map<Wwpn, ClientAdapter> adapters = new HashMap<>();
        for (ClientAdapter adapter : fabric.adapters()) {
            for (Side side : Side.values()) {
                adapters.put(adapter.pair().of(side), adapter);
            }
        }
        return adapters;
    }

    private Map<Wwpn, Integer> sessionsByWwpn() {
        Map<Wwpn, Integer> counts = new HashMap<>();
        for (LiveFacts.Session session : sessions.get()) {
            directory.wwpnOf(session.initiator()).ifPresent(wwpn -> counts.merge(wwpn, 1, Integer::sum));
        }
        return counts;
    }

    private Map<AdapterId, ServerAdapter> serversByClient() {
        Map<AdapterId, ServerAdapter> servers = new HashMap<>();
        fabric.servers().forEach(server -> servers.put(server.client(), server));
        return servers;
    }

    private Map<String, List<String>> clientsByLu() {
        Map<String, List<String>> clients = new HashMap<>();
        for (LuMap map : fabric.maps()) {
            clients.computeIfAbsent(map.lu(), lu -> new ArrayList<>()).add(clientName(map.client()));
        }
        return clients;
    }

    private String clientName(int id) {
        return fabric.client(id).map(Client::name).orElse("client " + id);
    }

    // ------------------------------------------------------------------ one

    Row.LuRow lu(String name) {
        return row(find(fabric.lus(), lu -> lu.name().equals(name), name));
    }

    Row.PoolRow pool(String name) {
        return row(find(state.pools().values(), pool -> pool.name().equals(name), name));
    }

    Row.WwpnPoolRow wwpnPool(String name) {
        return row(find(fabric.pools(), pool -> pool.name().equals(name), name));
    }

    Row.ClientRow client(int id) {
        return row(fabric.client(id).orElseThrow());
    }

    Row.AdapterRow adapter(AdapterId id) {
        return row(find(fabric.adapters(), adapter -> adapter.id().equals(id), id.toString()));
    }

    Row.PortRow port(String name) {
        return row(find(fabric.ports(), port -> port.name().equals(name), name), new Names(state).carried());
    }

    Row.MapRow map(int client, String lu) {
        return row(find(fabric.mapsOf(client), map -> map.lu().equals(lu), lu));
    }

    Row.ZoneRow zone(String name) {
        return row(find(fabric.zones(), zone -> zone.name().equals(name), name));
    }

    Row.InitiatorRow initiator(String name) {
        String normal = InitiatorName.normalise(name);
        return row(find(fabric.initiators(), binding -> binding.initiator().equals(normal), name));
    }

    Row.TokenRow token(String name) {
        return row(find(state.tokens().values(), token -> token.name().equals(name), name));
    }

    private static <T> T find(Iterable<T> all, Predicate<T> which, String name) {
        for (T one : all) {
            if (which.test(one)) {
                return one;
            }
        }
        throw new NoSuchElementException(name);
    }

    // ------------------------------------------------------------------ all

    List<Row.LuRow> lus() {
        return fabric.lus().stream().map(this::row).toList();
    }

    List<Row.PoolRow> pools() {
        return state.pools().values().stream().map(this::row).toList();
    }

    List<Row.WwpnPoolRow> wwpnPools() {
        return fabric.pools().stream().map(Views::row).toList();
    }

    List<Row.ClientRow> clients() {
        Map<Integer, List<ClientAdapter>> adapters = new TreeMap<>();
        for (ClientAdapter adapter : fabric.adapters()) {
            adapters.computeIfAbsent(adapter.id().client(), id -> new ArrayList<>())
                    .add(adapter);
        }
        return fabric.clients().stream()
                .map(client -> row(client, adapters.getOrDefault(client.id(), List.of())))
                .toList();
    }

    List<Row.AdapterRow> adapters(Optional<Client> of) {
        return fabric.adapters().stream()
                .filter(adapter ->
                        of.isEmpty() || adapter.id().client() == of.get().id())
                .map(this::row)
                .toList();
    }

    List<Row.PortRow> ports() {
        Map<String, Integer> carried = new Names(state).carried();
        return fabric.ports().stream().map(port -> row(port, carried)).toList();
    }

    List<Row.MapRow> maps(Optional<Client> of) {
        return (of.isPresent() ? fabric.mapsOf(of.get().id()) : fabric.maps())
                .stream().map(this::row).toList();
    }

    List<Row.ZoneRow> zones() {
        return fabric.zones().stream().map(Views::row).toList();
    }

    List<Row.InitiatorRow> initiators() {
        return fabric.initiators().stream().map(this::row).toList();
    }

    List<Row.TokenRow> tokens() {
        return state.tokens().values().stream().map(Views::row).toList();
    }

    List<Row.SessionRow> sessions(Optional<Client> of) {
        return sessions.get().stream()
                .map(this::row)
                .filter(row -> of.isEmpty() || of.get().name().equals(row.client()))
                .toList();
    }

    List<Row.AgentRow> agents() {
        return facts.agents().stream()
                .map(agent -> new Row.AgentRow(agent.name(), agent.peer(), agent.since(), agent.vms()))
                .toList();
    }

    /** Those that agents look after, and those that only have actions registered. */
    List<Row.VmRow> vms() {
        List<Row.VmRow> rows = new ArrayList<>();
        Map<String, EventActions> registered = new TreeMap<>(state.actions());
        for (LiveFacts.Vm vm : facts.vms()) {
            EventActions actions = registered.remove(vm.name());
            rows.add(new Row.VmRow(
                    vm.name(),
                    vm.agent(),
                    vm.state(),
                    vm.since(),
                    vm.why().isEmpty() ? null : vm.why(),
                    actions == null ? null : actions.actions(),
                    actions == null ? null : answer(actions, vm.taken())));
        }
        registered
                .values()
                .forEach(row -> rows.add(
                        new Row.VmRow(row.vm(), null, "no-agent", null, null, row.actions(), answer(row, null))));
        return rows;
    }

    /** What an agent makes of actions; null if it has not said, or of others only. */
    private static @Nullable String answer(EventActions actions, @Nullable VmActionsTaken taken) {
        String objection = actions.objection();
        if (!objection.isEmpty()) {
            return "not told: " + objection;
        }
        if (taken == null || taken.revision() != actions.revision()) {
            return null;
        }
        String overruled = taken.overruled().isEmpty() ? "" : "; nearer rows go first: " + taken.overruled();
        return (taken.refused().isEmpty() ? "taken" : "refused: " + taken.refused()) + overruled;
    }

    static Row.RaisedRow row(OperatorEvent event) {
        return new Row.RaisedRow(event.name(), event.target(), event.detail(), event.revision());
    }

    List<Row.RaisedRow> raised() {
        return state.raised().values().stream().map(Views::row).toList();
    }

    List<Row.LsmapRow> lsmap(Optional<String> vadapter) {
        List<Row.LsmapRow> rows = new ArrayList<>();
        for (FabricListing.Lsmap map : new FabricListing(fabric, directory).lsmap()) {
            if (vadapter.isPresent() && !vadapter.get().equals(map.svsa())) {
                continue;
            }
            if (map.devices().isEmpty()) {
                rows.add(new Row.LsmapRow(
                        map.svsa(), map.physloc(), map.clientid(), null, null, null, null, null, null));
            }
            for (FabricListing.Device device : map.devices()) {
                LiveFacts.Unit unit = units.get().get(device.backing());
                boolean served = unit == null || unit.obstacle() == null;
                rows.add(new Row.LsmapRow(
                        map.svsa(),
                        map.physloc(),
                        map.clientid(),
                        device.vtd(),
                        served ? device.status() : "Defined",
                        device.lun(),
                        device.backing(),
                        device.access(),
                        device.sharing()));
            }
        }
        return rows;
    }

    List<Row.LsmapNpivRow> lsmapNpiv(Optional<String> vadapter) {
        return new FabricListing(fabric, directory)
                .lsmapNpiv(loggedIn.get()).stream()
                        .filter(row -> vadapter.isEmpty() || vadapter.get().equals(row.name()))
                        .map(row -> new Row.LsmapNpivRow(
                                row.name(),
                                row.physloc(),
                                row.clntid(),
                                row.clntname(),
                                row.clntos(),
                                row.status(),
                                row.fc(),
                                row.fcphysloc() == null ? null : place(row.fcphysloc()),
                                row.ports(),
                                row.flags(),
                                row.vfcclient(),
                                row.vfcclientdrc(),
                                row.wwpns(),
                                row.active()))
                        .toList();
    }

    List<Row.LsnportsRow> lsnports() {
        return new FabricListing(fabric, directory)
                .lsnports().stream()
                        .map(row -> new Row.LsnportsRow(
                                row.name(),
                                place(row.physloc()),
                                row.fabric(),
                                row.tports(),
                                row.aports(),
                                row.swwpns(),
                                row.awwpns()))
                        .toList();
    }

    // ------------------------------------------------------------------ rows

    private Row.LuRow row(Lu lu) {
        LuBacking backing = Objects.requireNonNull(state.backings().get(lu.name()), lu.label());
        LiveFacts.Unit unit = units.get().get(lu.name());
        String obstacle = unit == null ? null : unit.obstacle();
        return new Row.LuRow(
                lu.name(),
                unit == null ? backing.sizeBytes() : unit.sizeBytes(),
                obstacle == null ? "available" : obstacle,
                Labels.of(lu.sharing()),
                backing.readOnly() ? "read-only" : "read-write",
                (backing.writeThrough() ? "write-through" : "write-back") + (backing.direct() ? ", direct" : ""),
                seenBy.get().getOrDefault(lu.name(), List.of()),
                backing.pool(),
                backing.path().toString(),
                backing.uuid().toString(),
                Math.max(lu.revision(), backing.revision()));
    }

    private Row.PoolRow row(StoragePool pool) {
        int lus = 0;
        long allotted = 0;
        for (LuBacking backing : state.backings().values()) {
            if (pool.name().equals(backing.pool())) {
                lus++;
                allotted += backing.sizeBytes();
            }
        }
        long free =
                pool.directory().toFile().exists() ? pool.directory().toFile().getUsableSpace() : UNKNOWN;
        return new Row.PoolRow(pool.name(), pool.directory().toString(), lus, allotted, free, pool.revision());
    }

    private static Row.WwpnPoolRow row(WwpnPool pool) {
        return new Row.WwpnPoolRow(
                pool.name(), pool.prefix().digits(), pool.nextPair(), pool.pairsLeft(), pool.revision());
    }

    private Row.ClientRow row(Client client) {
        List<ClientAdapter> adapters = new ArrayList<>();
        for (ClientAdapter adapter : fabric.adapters()) {
            if (adapter.id().client() == client.id()) {
                adapters.add(adapter);
            }
        }
        return row(client, adapters);
    }

    private Row.ClientRow row(Client client, List<ClientAdapter> adapters) {
        ClientAdapter first = adapters.isEmpty() ? null : adapters.get(0);
        int count = adapters.stream().mapToInt(this::sessionsOf).sum();
        return new Row.ClientRow(
                client.id(),
                client.name(),
                client.kind().label(),
                adapters.size(),
                fabric.mapsOf(client.id()).size(),
                count,
                first == null ? null : first.activeName().toString(),
                first == null ? null : first.activeName().naaName(),
                first == null ? null : targetOf(first),
                state.secrets().containsKey(client.id()),
                Labels.of(client.migration()),
                client.revision());
    }

    private int sessionsOf(ClientAdapter adapter) {
        return loggedIn.get().getOrDefault(adapter.pair().first(), 0)
                + loggedIn.get().getOrDefault(adapter.pair().second(), 0);
    }

    private @Nullable String targetOf(ClientAdapter adapter) {
        ServerAdapter server = serverOf.get().get(adapter.id());
        return server == null ? null : directory.targetName(server);
    }

    private Row.AdapterRow row(ClientAdapter adapter) {
        ServerAdapter server = serverOf.get().get(adapter.id());
        return new Row.AdapterRow(
                adapter.id().toString(),
                clientName(adapter.id().client()),
                server == null ? null : server.name(),
                server == null ? null : server.port(),
                adapter.activeName().toString(),
                adapter.pair().of(adapter.active().other()).toString(),
                sessionsOf(adapter),
                targetOf(adapter),
                adapter.revision());
    }

    private Row.PortRow row(PhysicalPort port, Map<String, Integer> carried) {
        long here = sessions.get().stream()
                .filter(session -> port.name().equals(ports.get().at(session.portal())))
                .count();
        return new Row.PortRow(
                port.name(),
                place(port.location()),
                port.capacity(),
                carried.getOrDefault(port.name(), 0),
                (int) here,
                port.revision());
    }

    private Row.MapRow row(LuMap map) {
        LuBacking backing = state.backings().get(map.lu());
        return new Row.MapRow(
                clientName(map.client()),
                map.lun(),
                map.lu(),
                backing == null ? 0 : backing.sizeBytes(),
                Labels.of(map.access()),
                map.device(),
                map.revision());
    }

    private static Row.ZoneRow row(Zone zone) {
        return new Row.ZoneRow(
                zone.name(),
                zone.members().stream().map(Wwpn::toString).toList(),
                List.copyOf(zone.ports()),
                zone.revision());
    }

    private Row.InitiatorRow row(InitiatorBinding binding) {
        ClientAdapter adapter = byWwpn.get().get(binding.wwpn());
        return new Row.InitiatorRow(
                binding.initiator(),
                binding.wwpn().toString(),
                adapter == null ? "" : clientName(adapter.id().client()),
                binding.revision());
    }

    private static Row.TokenRow row(AccessToken token) {
        return new Row.TokenRow(
                token.name(), Labels.of(token.role()), token.created(), token.expires(), token.revision());
    }

    private Row.SessionRow row(LiveFacts.Session session) {
        IoTotals done = session.traffic().get();
        Wwpn wwpn = directory.wwpnOf(session.initiator()).orElse(null);
        ClientAdapter adapter = wwpn == null ? null : byWwpn.get().get(wwpn);
        return new Row.SessionRow(
                session.id(),
                adapter == null ? null : clientName(adapter.id().client()),
                wwpn == null ? null : wwpn.toString(),
                session.initiator(),
                session.target(),
                session.peer(),
                ports.get().at(session.portal()),
                session.since(),
                done.operations(IoKind.READ),
                done.bytes(IoKind.READ),
                done.operations(IoKind.WRITE),
                done.bytes(IoKind.WRITE),
                Arrays.stream(IoKind.values()).mapToLong(done::errors).sum());
    }
}
