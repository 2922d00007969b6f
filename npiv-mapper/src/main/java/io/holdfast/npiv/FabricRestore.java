package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** What a fabric and its backup make together: the backup's objects, and the higher of every two counters. */
final class FabricRestore {
    /**
     * How many pairs are passed over if the fabric that issued names after the backup is lost: nobody knows how many those
     * were. At most half of what the pool has left.
     */
    static final long GAP_PAIRS = 1024;

    private final Fabric current;
    private final FabricState backup;
    private final long version;
    /** What this fabric has issued. */
    private final SortedMap<WwpnPrefix, Long> issued = new TreeMap<>();

    private FabricRestore(Fabric current, FabricState backup) {
        this.current = current;
        this.backup = backup;
        this.version = Math.max(current.version(), backup.version()) + 1;
        issued.putAll(current.retiredPrefixes);
        current.pools().forEach(pool -> issued.put(pool.prefix(), pool.nextPair()));
    }

    static FabricState merge(Fabric current, FabricState backup) {
        return new FabricRestore(current, backup).merged();
    }

    private FabricState merged() {
        List<String> problems = FabricRules.problemsOf(backup);
        if (!problems.isEmpty()) {
            throw new RefusedException(new Refusal.BadState(problems));
        }
        List<WwpnPool> pools = new ArrayList<>();
        SortedMap<WwpnPrefix, Long> retired = new TreeMap<>(issued);
        for (RetiredPrefix old : backup.retiredPrefixes()) {
            requireApart(old.prefix());
            retired.put(old.prefix(), counter(old.prefix(), old.nextPair()));
        }
        for (WwpnPool pool : backup.pools()) {
            requireApart(pool.prefix());
            pools.add(advanced(pool).stamped(version));
            retired.remove(pool.prefix());
        }
        List<RetiredPrefix> gone = new ArrayList<>();
        retired.forEach((prefix, nextPair) -> gone.add(new RetiredPrefix(prefix, nextPair)));
        return new FabricState(
                version,
                Math.max(current.nextClient(), backup.nextClient()),
                Math.max(current.nextServer(), backup.nextServer()),
                backup.zonePolicy().stamped(version),
                gone,
                pools,
                backup.clients().stream().map(this::advanced).toList(),
                backup.adapters().stream().map(this::asInUse).toList(),
                backup.servers().stream().map(s -> s.stamped(version)).toList(),
                backup.ports().stream().map(p -> p.stamped(version)).toList(),
                backup.zones().stream().map(z -> z.stamped(version)).toList(),
                backup.lus().stream().map(l -> l.stamped(version)).toList(),
                backup.maps().stream().map(m -> m.stamped(version)).toList(),
                backup.initiators().stream().map(i -> i.stamped(version)).toList());
    }

    private WwpnPool advanced(WwpnPool pool) {
        return pool.advancedTo(counter(pool.prefix(), pool.nextPair()));
    }

    private long counter(WwpnPrefix prefix, long inBackup) {
        Long here = issued.get(prefix);
        return here != null
                ? Math.max(here, inBackup)
                : inBackup + Math.min(GAP_PAIRS, (prefix.pairs() - inBackup) / 2);
    }

    private Client advanced(Client client) {
        Client here = current.clients.find(client.id());
        if (here == null) {
            return client.stamped(version);
        }
        return client.usedSlot(here.nextSlot() - 1).usedLun(here.nextLun() - 1).in(here.migration(), version);
    }

    /** Which name is in use is no setting but where the client is: a guest that has moved since must not lose its disks. */
    private ClientAdapter asInUse(ClientAdapter adapter) {
        ClientAdapter here = current.adapters.find(adapter.id());
        Side active = here != null && here.pair().equals(adapter.pair()) ? here.active() : adapter.active();
        return new ClientAdapter(adapter.id(), adapter.pool(), adapter.pair(), active, version);
    }

    private void requireApart(WwpnPrefix prefix) {
        for (Map.Entry<WwpnPrefix, Long> known : issued.entrySet()) {
            if (known.getKey().overlaps(prefix) && !known.getKey().equals(prefix)) {
                throw new RefusedException(
                        new Refusal.PrefixTaken(prefix.digits(), known.getKey().digits(), "the fabric as it is now"));
            }
        }
    }
}
