package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.List;

/** Clients. */
public sealed interface ClientCommand extends FabricCommand {

    /** It gets an id that nobody ever had. */
    record Create(String name, ClientKind kind) implements ClientCommand {
        @Override
        public Client applyTo(FabricDraft draft) {
            FabricDraft.checkedName("client name", name);
            requireFree(draft, name);
            if (draft.nextClient > FabricDraft.MAX_CLIENTS) {
                throw new RefusedException(
                        new Refusal.LimitReached("clients, those removed included", FabricDraft.MAX_CLIENTS));
            }
            int firstSlot = 1;
            int firstLun = 0;
            Client client =
                    new Client(draft.nextClient, name, kind, Migration.SETTLED, firstSlot, firstLun, draft.version);
            draft.nextClient++;
            draft.clients.add(client);
            return client;
        }
    }

    record Rename(int client, String name) implements ClientCommand {
        @Override
        public Client applyTo(FabricDraft draft) {
            Client old = draft.clients.need(client);
            FabricDraft.checkedName("client name", name);
            if (!old.name().equals(name)) {
                requireFree(draft, name);
            }
            Client renamed = new Client(
                    old.id(), name, old.kind(), old.migration(), old.nextSlot(), old.nextLun(), draft.version);
            draft.clients.replace(renamed);
            return renamed;
        }
    }

    /** Refused while it has adapters or LUs. */
    record Delete(int client) implements ClientCommand {
        @Override
        public Client applyTo(FabricDraft draft) {
            Client found = draft.clients.need(client);
            List<String> users = new ArrayList<>();
            draft.adaptersOf(client).forEach(adapter -> users.add(adapter.label()));
            draft.mapsOf(client).forEach(map -> users.add("LU " + map.lu()));
            if (!users.isEmpty()) {
                throw new RefusedException(new Refusal.InUse(found.label(), users));
            }
            return draft.clients.remove(client);
        }
    }

    private static void requireFree(FabricDraft draft, String name) {
        for (Client other : draft.clients.all()) {
            if (other.name().equals(name)) {
                throw new RefusedException(new Refusal.Exists(other.label()));
            }
        }
    }
}
