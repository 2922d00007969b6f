package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What holds in every fabric, so that a file that was damaged or edited by hand is noticed before it is obeyed. */
final class FabricRules {
    /** As many problems as one wants to read. */
    private static final int MAX_PROBLEMS = 20;

    private final FabricState state;
    private final List<String> problems = new ArrayList<>();

    private FabricRules(FabricState state) {
        this.state = state;
    }

    /** One line for each broken rule, the first {@value #MAX_PROBLEMS}; empty if all hold. */
    static List<String> problemsOf(FabricState state) {
        FabricRules rules = new FabricRules(state);
        rules.check();
        return rules.problems.size() <= MAX_PROBLEMS ? rules.problems : rules.problems.subList(0, MAX_PROBLEMS);
    }

    private void check() {
        Map<String, WwpnPool> pools = byKey(state.pools(), WwpnPool::name);
        Map<Integer, Client> clients = byKey(state.clients(), Client::id);
        byKey(state.clients(), Client::name);
        Map<AdapterId, ClientAdapter> adapters = byKey(state.adapters(), ClientAdapter::id);
        Map<String, PhysicalPort> ports = byKey(state.ports(), PhysicalPort::name);
        Map<String, Lu> lus = byKey(state.lus(), Lu::name);
        byKey(state.servers(), ServerAdapter::number);
        byKey(state.servers(), ServerAdapter::client);
        byKey(state.zones(), Zone::name);
        byKey(state.maps(), LuMap::id);
        byKey(state.initiators(), InitiatorBinding::initiator);
        prefixes();
        counters(clients);
        Map<Wwpn, ClientAdapter> names = adapters(pools, clients);
        servers(adapters, ports);
        zones(names, ports);
        maps(clients, lus);
        for (InitiatorBinding binding : state.initiators()) {
            require(names.get(binding.wwpn()) != null, binding, "stands for the unknown name " + binding.wwpn());
            require(isIqn(binding.initiator()), binding, "is no normalised iqn. name");
        }
    }

    private void prefixes() {
        List<Map.Entry<WwpnPrefix, String>> all = new ArrayList<>();
        state.pools().forEach(pool -> all.add(Map.entry(pool.prefix(), pool.label())));
        state.retiredPrefixes().forEach(gone -> all.add(Map.entry(gone.prefix(), "a deleted pool")));
        for (int i = 0; i < all.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (all.get(i).getKey().overlaps(all.get(j).getKey())) {
                    problems.add("prefix " + all.get(i).getKey() + " of "
                            + all.get(i).getValue() + " overlaps prefix "
                            + all.get(j).getKey() + " of " + all.get(j).getValue());
                }
            }
        }
        for (RetiredPrefix gone : state.retiredPrefixes()) {
            if (gone.nextPair() < 0 || gone.nextPair() > gone.prefix().pairs()) {
                problems.add("counter " + gone.nextPair() + " of deleted prefix " + gone.prefix() + " is out of range");
            }
        }
    }

    private void counters(Map<Integer, Client> clients) {
        for (Client client : clients.values()) {
            require(client.id() >= 1 && client.id() < state.nextClient(), client, "has an id that was not given yet");
        }
        String newer = "is newer than version " + state.version();
        for (ServerAdapter server : state.servers()) {
            require(
                    server.number() >= 0
                            && server.number() <= ServerAdapter.MAX_NUMBER
                            && server.number() < state.nextServer(),
                    server,
                    "has a number that was not given yet");
        }
        for (List<? extends FabricObject> objects : everything()) {
            for (FabricObject object : objects) {
                require(object.revision() <= state.version(), object, newer);
            }
        }
    }

    private Map<Wwpn, ClientAdapter> adapters(Map<String, WwpnPool> pools, Map<Integer, Client> clients) {
        Map<Wwpn, ClientAdapter> names = new HashMap<>();
        for (ClientAdapter adapter : state.adapters()) {
            Client client = clients.get(adapter.id().client());
            require(client != null, adapter, "belongs to no client");
            int slot = adapter.id().slot();
            require(
                    client == null || slot >= 1 && slot <= AdapterId.MAX_SLOT && slot < client.nextSlot(),
                    adapter,
                    "has a slot that was not given yet");
            WwpnPool pool = pools.get(adapter.pool());
            require(pool != null && issued(pool, adapter.pair()), adapter, "has names that its pool did not issue");
            for (Side side : Side.values()) {
                ClientAdapter other = names.put(adapter.pair().of(side), adapter);
                require(
                        other == null,
                        adapter,
                        () -> "has a name twice given, " + adapter.pair().of(side));
            }
        }
        return names;
    }

    private static boolean issued(WwpnPool pool, WwpnPair pair) {
        if (!pool.prefix().covers(pair.first())) {
            return false;
        }
        long index = pool.prefix().indexOf(pair.first());
        WwpnPair issued = pool.prefix().pair(index);
        // Each by itself: comparing pairs would put together what a record makes of itself, in the middle of a start.
        return index < pool.nextPair()
                && issued.first().equals(pair.first())
                && issued.second().equals(pair.second());
    }

    private void servers(Map<AdapterId, ClientAdapter> adapters, Map<String, PhysicalPort> ports) {
        Map<String, Integer> carried = new TreeMap<>();
        for (ServerAdapter server : state.servers()) {
            require(adapters.get(server.client()) != null, server, "is paired with no adapter");
            String port = server.port();
            if (port != null) {
                require(ports.get(port) != null, server, () -> "is assigned to the unknown port " + port);
                carried.merge(port, 1, Integer::sum);
            }
        }
        for (PhysicalPort port : ports.values()) {
            int load = carried.getOrDefault(port.name(), 0);
            require(
                    port.capacity() >= 1 && port.capacity() <= PhysicalPort.MAX_CAPACITY,
                    port,
                    "has no valid capacity");
            require(load <= port.capacity(), port, "carries " + load + " server adapters");
        }
    }

    private void zones(Map<Wwpn, ClientAdapter> names, Map<String, PhysicalPort> ports) {
        for (Zone zone : state.zones()) {
            for (Wwpn member : zone.members()) {
                require(names.get(member) != null, zone, "has the unknown member " + member);
            }
            for (String port : zone.ports()) {
                require(ports.get(port) != null, zone, "has the unknown port " + port);
            }
        }
    }

    private void maps(Map<Integer, Client> clients, Map<String, Lu> lus) {
        Map<String, Integer> owners = new HashMap<>();
        Set<String> seen = new HashSet<>();
        for (LuMap map : state.maps()) {
            Client client = clients.get(map.client());
            require(client != null, map, "belongs to no client");
            require(
                    map.lun() >= 0 && map.lun() <= LuMap.MAX_LUN && (client == null || map.lun() < client.nextLun()),
                    map,
                    "has a number that was not given yet");
            Lu lu = lus.get(map.lu());
            require(lu != null, map, () -> "is the unknown LU " + map.lu());
            require(seen.add(map.client() + "/" + map.lu()), map, () -> "is LU " + map.lu() + " a second time");
            Integer owner = owners.putIfAbsent(map.lu(), map.client());
            require(
                    lu == null || lu.sharing() == Sharing.SHARED || owner == null || owner == map.client(),
                    map,
                    () -> "is the private LU " + map.lu() + " of client " + owner);
        }
    }

    private List<List<? extends FabricObject>> everything() {
        return List.of(
                List.of(state.zonePolicy()),
                state.pools(),
                state.clients(),
                state.adapters(),
                state.servers(),
                state.ports(),
                state.zones(),
                state.lus(),
                state.maps(),
                state.initiators());
    }

    private <K, V extends FabricObject> Map<K, V> byKey(List<V> rows, Function<V, K> key) {
        Map<K, V> map = new HashMap<>(2 * rows.size());
        for (V row : rows) {
            K id = key.apply(row);
            @Nullable V other = map.put(id, row);
            require(other == null, row, () -> "is there twice, by " + id);
        }
        return map;
    }

    private static boolean isIqn(String name) {
        try {
            return InitiatorName.checkedIqn(name).equals(name);
        } catch (NameFormatException e) {
            return false;
        }
    }

    private void require(boolean holds, FabricObject object, String problem) {
        if (!holds) {
            problems.add(object.label() + " " + problem);
        }
    }

    /** A start goes through thousands of rows, and nearly never has anything to say. */
    private void require(boolean holds, FabricObject object, Supplier<String> problem) {
        if (!holds) {
            problems.add(object.label() + " " + problem.get());
        }
    }
}
