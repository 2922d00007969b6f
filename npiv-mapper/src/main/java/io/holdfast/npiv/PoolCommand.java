package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Pools of port names. */
public sealed interface PoolCommand extends FabricCommand {

    /** A pool with the prefix of a deleted one goes on where that one ended. */
    record Create(String name, WwpnPrefix prefix) implements PoolCommand {
        @Override
        public WwpnPool applyTo(FabricDraft draft) {
            FabricDraft.checkedName("pool name", name);
            for (WwpnPool other : draft.pools.all()) {
                if (other.prefix().overlaps(prefix)) {
                    throw new RefusedException(new Refusal.PrefixTaken(
                            prefix.digits(), other.prefix().digits(), other.label()));
                }
            }
            for (Map.Entry<WwpnPrefix, Long> retired : draft.retiredPrefixes.entrySet()) {
                if (retired.getKey().overlaps(prefix) && !retired.getKey().equals(prefix)) {
                    throw new RefusedException(new Refusal.PrefixTaken(
                            prefix.digits(), retired.getKey().digits(), "a deleted pool"));
                }
            }
            Long issued = draft.retiredPrefixes.remove(prefix);
            WwpnPool pool = new WwpnPool(name, prefix, issued == null ? 0 : issued, draft.version);
            draft.pools.add(pool);
            return pool;
        }
    }

    /** What it has issued stays issued. */
    record Delete(String name) implements PoolCommand {
        @Override
        public WwpnPool applyTo(FabricDraft draft) {
            WwpnPool pool = draft.pools.need(name);
            List<String> users = new ArrayList<>();
            for (ClientAdapter adapter : draft.adapters.all()) {
                if (adapter.pool().equals(name)) {
                    users.add(adapter.label());
                }
            }
            if (!users.isEmpty()) {
                throw new RefusedException(new Refusal.InUse(pool.label(), users));
            }
            draft.pools.remove(name);
            draft.retiredPrefixes.put(pool.prefix(), pool.nextPair());
            return pool;
        }
    }
}
