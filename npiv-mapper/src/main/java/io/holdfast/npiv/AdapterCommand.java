package io.holdfast.npiv;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Client adapters, and their pairing with server adapters. */
public sealed interface AdapterCommand extends FabricCommand {

    /**
     * Gives a client an adapter, with a pair of names that nobody ever had.
     *
     * @param slot null for the next one that was never used
     */
    record Add(int client, String pool, @Nullable Integer slot) implements AdapterCommand {
        @Override
        public ClientAdapter applyTo(FabricDraft draft) {
            Client owner = draft.needSettled(client);
            int place = slot != null
                    ? FabricDraft.checkedNumber("slot", slot, 1, AdapterId.MAX_SLOT)
                    : freeSlot(draft, owner);
            WwpnPool from = draft.pools.need(pool);
            if (from.pairsLeft() == 0) {
                throw new RefusedException(new Refusal.PoolExhausted(
                        pool, from.prefix().digits(), from.prefix().pairs()));
            }
            ClientAdapter adapter =
                    new ClientAdapter(new AdapterId(client, place), pool, from.upcoming(), Side.FIRST, draft.version);
            draft.adapters.add(adapter);
            draft.pools.adjust(from.advancedTo(from.nextPair() + 1));
            draft.clients.adjust(owner.usedSlot(place));
            return adapter;
        }

        private static int freeSlot(FabricDraft draft, Client owner) {
            if (owner.nextSlot() <= AdapterId.MAX_SLOT) {
                return owner.nextSlot();
            }
            int slot = 1;
            for (ClientAdapter taken : draft.adaptersOf(owner.id())) {
                if (taken.id().slot() > slot) {
                    break;
                }
                slot = taken.id().slot() + 1;
            }
            if (slot > AdapterId.MAX_SLOT) {
                throw new RefusedException(
                        new Refusal.LimitReached("adapters of " + owner.label(), AdapterId.MAX_SLOT));
            }
            return slot;
        }
    }

    /** Its names are never issued again; they leave their zones, and initiator names bound to them go. */
    record Remove(AdapterId adapter) implements AdapterCommand {
        @Override
        public ClientAdapter applyTo(FabricDraft draft) {
            ClientAdapter found = draft.adapters.need(adapter);
            draft.needSettled(adapter.client());
            ServerAdapter server = draft.serverOf(adapter);
            if (server != null) {
                throw new RefusedException(new Refusal.InUse(found.label(), List.of(server.label())));
            }
            for (Side side : Side.values()) {
                forget(draft, found.pair().of(side));
            }
            return draft.adapters.remove(adapter);
        }

        private static void forget(FabricDraft draft, Wwpn name) {
            for (Zone zone : List.copyOf(draft.zones.all())) {
                if (zone.members().contains(name)) {
                    draft.zones.adjust(zone.without(name));
                }
            }
            for (InitiatorBinding binding : List.copyOf(draft.initiators.all())) {
                if (binding.wwpn().equals(name)) {
                    draft.initiators.drop(binding.initiator());
                }
            }
        }
    }

    /**
     * Makes a server adapter for a client adapter.
     *
     * @param server null for the next number that was never used
     */
    record Pair(AdapterId adapter, @Nullable Integer server) implements AdapterCommand {
        @Override
        public ServerAdapter applyTo(FabricDraft draft) {
            ClientAdapter found = draft.adapters.need(adapter);
            draft.needSettled(adapter.client());
            ServerAdapter has = draft.serverOf(adapter);
            if (has != null) {
                throw new RefusedException(new Refusal.AlreadyPaired(found.label(), has.label()));
            }
            int number = server != null ? server : draft.nextServer;
            if (server == null && number > ServerAdapter.MAX_NUMBER) {
                throw new RefusedException(new Refusal.LimitReached(
                        "server adapters without naming a number that is free again", ServerAdapter.MAX_NUMBER + 1));
            }
            FabricDraft.checkedNumber("server adapter", number, 0, ServerAdapter.MAX_NUMBER);
            ServerAdapter taken = draft.servers.find(number);
            if (taken != null) {
                throw new RefusedException(new Refusal.AlreadyPaired(taken.label(), "adapter " + taken.client()));
            }
            ServerAdapter made = new ServerAdapter(number, adapter, null, draft.version);
            draft.servers.add(made);
            draft.nextServer = Math.max(draft.nextServer, number + 1);
            return made;
        }
    }

    /** Removes a server adapter: its client does not reach the server any more. */
    record Unpair(int server) implements AdapterCommand {
        @Override
        public ServerAdapter applyTo(FabricDraft draft) {
            draft.needSettled(draft.needServer(server).client().client());
            return draft.servers.remove(server);
        }
    }
}
