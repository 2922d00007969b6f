package io.holdfast.npiv;

import java.util.Collection;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A fabric in the making: what {@link FabricCommand}s work on. Used by one thread, within one call. */
public final class FabricDraft {
    static final int MAX_CLIENTS = 65_535;

    private static final int MAX_TEXT = 255;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:-]{0,99}");

    final long version;
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
    int nextClient;
    int nextServer;
    ZonePolicy zonePolicy;
    private final long basis;

    /** @param basis the version the caller has seen */
    FabricDraft(Fabric from, long basis) {
        this.version = from.version() + 1;
        this.pools = from.pools.draft(basis, version);
        this.clients = from.clients.draft(basis, version);
        this.adapters = from.adapters.draft(basis, version);
        this.servers = from.servers.draft(basis, version);
        this.ports = from.ports.draft(basis, version);
        this.zones = from.zones.draft(basis, version);
        this.lus = from.lus.draft(basis, version);
        this.maps = from.maps.draft(basis, version);
        this.initiators = from.initiators.draft(basis, version);
        this.retiredPrefixes = new TreeMap<>(from.retiredPrefixes);
        this.nextClient = from.nextClient();
        this.nextServer = from.nextServer();
        this.zonePolicy = from.zonePolicy();
        this.basis = basis;
    }

    void replace(ZonePolicy policy) {
        if (zonePolicy.revision() > basis && zonePolicy.revision() != version) {
            throw new RefusedException(new Refusal.Stale(zonePolicy.label(), zonePolicy.revision(), basis));
        }
        zonePolicy = policy;
    }

    static String checkedName(String what, String name) {
        if (!NAME.matcher(name).matches()) {
            throw new RefusedException(new Refusal.BadValue(
                    what, name, "1 to 100 letters, digits, '.', '_', ':' and '-', the first a letter or digit"));
        }
        return name;
    }

    static void checkedText(String what, String text) {
        if (text.length() > MAX_TEXT || text.chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw new RefusedException(
                    new Refusal.BadValue(what, text, "at most " + MAX_TEXT + " printable ASCII characters"));
        }
    }

    static int checkedNumber(String what, int number, int min, int max) {
        if (number < min || number > max) {
            throw new RefusedException(
                    new Refusal.BadValue(what, Integer.toString(number), "it is " + min + " to " + max));
        }
        return number;
    }

    Collection<ClientAdapter> adaptersOf(int client) {
        return adapters.range(new AdapterId(client, 0), new AdapterId(client + 1, 0));
    }

    Collection<LuMap> mapsOf(int client) {
        return maps.range(new MapId(client, 0), new MapId(client + 1, 0));
    }

    @Nullable
    ServerAdapter serverOf(AdapterId adapter) {
        for (ServerAdapter server : servers.all()) {
            if (server.client().equals(adapter)) {
                return server;
            }
        }
        return null;
    }

    /** The adapter one of whose names this is. */
    ClientAdapter adapterNamed(Wwpn name) {
        for (ClientAdapter adapter : adapters.all()) {
            if (adapter.pair().first().equals(name) || adapter.pair().second().equals(name)) {
                return adapter;
            }
        }
        throw new RefusedException(new Refusal.Unknown("adapter with the name", name.toString()));
    }

    ServerAdapter needServer(int number) {
        ServerAdapter found = servers.find(number);
        if (found == null) {
            throw new RefusedException(new Refusal.Unknown("server adapter", ServerAdapter.name(number)));
        }
        return found;
    }

    Client needSettled(int client) {
        Client found = clients.need(client);
        if (found.migration() != Migration.SETTLED) {
            throw new RefusedException(new Refusal.MigrationUnderWay(found.label()));
        }
        return found;
    }
}
