package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Who is who, and who sees what: all clients, adapters, ports, zones, LUs and maps of a cluster, at one moment. A value:
 * a command makes a new one, with the next version, or is refused and makes nothing.
 *
 * <p>Immutable, so any thread may read it; whoever keeps the latest one decides who may replace it.
 */
public final class Fabric {
    /** Nothing yet: version 0. */
    public static final Fabric EMPTY = new Fabric();

    /** Basis of those who do not mind what happened in between. */
    private static final long ANY = Long.MAX_VALUE;

    final Table<String, WwpnPool> pools;
    final Table<Integer, Client> clients;
    final Table<AdapterId, ClientAdapter> adapters;
    final Table<Integer, ServerAdapter> servers;
    final Table<String, PhysicalPort> ports;
    final Table<String, Zone> zones;
    final Table<String, Lu> lus;
    final Table<MapId, LuMap> maps;
    final Table<String, InitiatorBinding> initiators;
    final SortedMap<WwpnPrefix, Long> retiredPrefixes;
    private final long version;
    private final int nextClient;
    private final int nextServer;
    private final ZonePolicy zonePolicy;

    private Fabric() {
        this.version = 0;
        this.pools = Table.empty("pool", WwpnPool::name);
        this.clients = Table.empty("client", Client::id);
        this.adapters = Table.empty("adapter", ClientAdapter::id);
        this.servers = Table.empty("server adapter", ServerAdapter::number);
        this.ports = Table.empty("port", PhysicalPort::name);
        this.zones = Table.empty("zone", Zone::name);
        this.lus = Table.empty("LU", Lu::name);
        this.maps = Table.empty("map", LuMap::id);
        this.initiators = Table.empty("initiator name", InitiatorBinding::initiator);
        this.retiredPrefixes = Collections.emptySortedMap();
        this.nextClient = 1;
        this.nextServer = 0;
        this.zonePolicy = new ZonePolicy(DefaultZone.OPEN, 0);
    }

    private Fabric(FabricDraft draft, long version) {
        this.version = version;
        this.pools = draft.pools;
        this.clients = draft.clients;
        this.adapters = draft.adapters;
        this.servers = draft.servers;
        this.ports = draft.ports;
        this.zones = draft.zones;
        this.lus = draft.lus;
        this.maps = draft.maps;
        this.initiators = draft.initiators;
        this.retiredPrefixes = Collections.unmodifiableSortedMap(new TreeMap<>(draft.retiredPrefixes));
        this.nextClient = draft.nextClient;
        this.nextServer = draft.nextServer;
        this.zonePolicy = draft.zonePolicy;
    }

    /** Carries out a command, whatever happened before. */
    public Outcome apply(FabricCommand command) {
        return carryOut(List.of(command), ANY);
    }

    /**
     * Carries out a command of somebody who has seen a certain version. Refused as stale if an object that it changes or
     * removes was changed since; what others did elsewhere in the meantime does not matter.
     */
    public Outcome apply(FabricCommand command, long basis) {
        return applyAll(List.of(command), basis);
    }

    /** Carries out all of them as one change with one version, or none. */
    public Outcome applyAll(List<FabricCommand> commands) {
        return carryOut(commands, ANY);
    }

    /** Both: all or none, and only if nothing they change is other than it was in the version the caller has seen. */
    public Outcome applyAll(List<FabricCommand> commands, long basis) {
        if (basis > version) {
            return new Outcome.Refused(new Refusal.UnknownVersion(basis, version));
        }
        return carryOut(commands, basis);
    }

    private Outcome carryOut(List<FabricCommand> commands, long basis) {
        FabricDraft draft = new FabricDraft(this, basis);
        List<FabricObject> objects = new ArrayList<>();
        try {
            for (FabricCommand command : commands) {
                objects.add(command.applyTo(draft));
            }
        } catch (RefusedException e) {
            return new Outcome.Refused(e.refusal());
        }
        return new Outcome.Done(new Fabric(draft, draft.version), objects);
    }

    /**
     * A stored fabric, read back as it was.
     *
     * @return refused as {@link Refusal.BadState} if it breaks a rule that commands keep
     */
    public static Outcome of(FabricState state) {
        List<String> problems = FabricRules.problemsOf(state);
        if (!problems.isEmpty()) {
            return new Outcome.Refused(new Refusal.BadState(problems));
        }
        FabricDraft draft = new FabricDraft(EMPTY, ANY);
        load(draft, state);
        draft.nextClient = state.nextClient();
        draft.nextServer = state.nextServer();
        draft.zonePolicy = state.zonePolicy();
        state.retiredPrefixes().forEach(retired -> draft.retiredPrefixes.put(retired.prefix(), retired.nextPair()));
        return new Outcome.Done(new Fabric(draft, state.version()), List.of());
    }

    /**
     * Puts a backup in this fabric's place, with a version above both. Counters never go back: what this fabric has issued
     * since the backup stays issued.
     *
     * @return refused if the backup contradicts itself, or if one of its pools could issue names of one of this fabric's
     */
    public Outcome restore(FabricState backup) {
        try {
            return of(FabricRestore.merge(this, backup));
        } catch (RefusedException e) {
            return new Outcome.Refused(e.refusal());
        }
    }

    static void load(FabricDraft draft, FabricState state) {
        state.pools().forEach(draft.pools::add);
        state.clients().forEach(draft.clients::add);
        state.adapters().forEach(draft.adapters::add);
        state.servers().forEach(draft.servers::add);
        state.ports().forEach(draft.ports::add);
        state.zones().forEach(draft.zones::add);
        state.lus().forEach(draft.lus::add);
        state.maps().forEach(draft.maps::add);
        state.initiators().forEach(draft.initiators::add);
    }

    /** All of it, as plain values. */
    public FabricState state() {
        return new FabricState(
                version,
                nextClient,
                nextServer,
                zonePolicy,
                retiredPrefixes(),
                List.copyOf(pools()),
                List.copyOf(clients()),
                List.copyOf(adapters()),
                List.copyOf(servers()),
                List.copyOf(ports()),
                List.copyOf(zones()),
                List.copyOf(lus()),
                List.copyOf(maps()),
                List.copyOf(initiators()));
    }

    /** What deleted pools have issued, by prefix. */
    public List<RetiredPrefix> retiredPrefixes() {
        List<RetiredPrefix> retired = new ArrayList<>();
        retiredPrefixes.forEach((prefix, nextPair) -> retired.add(new RetiredPrefix(prefix, nextPair)));
        return retired;
    }

    /** Goes up with every change. */
    public long version() {
        return version;
    }

    /** The id of the next client. */
    public int nextClient() {
        return nextClient;
    }

    /** The number of the next server adapter, if none is asked for. */
    public int nextServer() {
        return nextServer;
    }

    public ZonePolicy zonePolicy() {
        return zonePolicy;
    }

    /** By name. */
    public Collection<WwpnPool> pools() {
        return pools.all();
    }

    /** By id. */
    public Collection<Client> clients() {
        return clients.all();
    }

    public Optional<Client> client(int id) {
        return Optional.ofNullable(clients.find(id));
    }

    /** By client and slot. */
    public Collection<ClientAdapter> adapters() {
        return adapters.all();
    }

    /** By number. */
    public Collection<ServerAdapter> servers() {
        return servers.all();
    }

    /** By name. */
    public Collection<PhysicalPort> ports() {
        return ports.all();
    }

    /** By name. */
    public Collection<Zone> zones() {
        return zones.all();
    }

    /** By name. */
    public Collection<Lu> lus() {
        return lus.all();
    }

    /** By client and LUN. */
    public Collection<LuMap> maps() {
        return maps.all();
    }

    /** What a client sees, by LUN. */
    public Collection<LuMap> mapsOf(int client) {
        return maps.range(new MapId(client, 0), new MapId(client + 1, 0));
    }

    /** By name. */
    public Collection<InitiatorBinding> initiators() {
        return initiators.all();
    }

    @Override
    public String toString() {
        return "fabric version " + version;
    }
}
