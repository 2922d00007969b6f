package io.holdfast.npiv;

import java.util.List;

/** Live migration; for the states see {@link Migration}. */
public sealed interface MigrationCommand extends FabricCommand {

    /** From now on both names of each pair may log in. */
    record Prepare(int client) implements MigrationCommand {
        @Override
        public Client applyTo(FabricDraft draft) {
            Client found = draft.needSettled(client);
            for (ClientAdapter adapter : draft.adaptersOf(client)) {
                requireZoned(draft, adapter);
            }
            Client prepared = found.in(Migration.PREPARED, draft.version);
            draft.clients.replace(prepared);
            return prepared;
        }

        private static void requireZoned(FabricDraft draft, ClientAdapter adapter) {
            ServerAdapter server = draft.serverOf(adapter.id());
            if (server == null || server.port() == null) {
                return;
            }
            Zoning zoning = new Zoning(draft.zones.all(), draft.zonePolicy.others());
            Wwpn other = adapter.pair().of(adapter.active().other());
            if (zoning.allows(adapter.activeName(), server.port()) && !zoning.allows(other, server.port())) {
                throw new RefusedException(
                        new Refusal.StandbyNotZoned(adapter.label(), other.toString(), server.port()));
            }
        }
    }

    /** The client is on the other machine: the other names are the active ones, the old ones are refused. */
    record HandOver(int client) implements MigrationCommand {
        @Override
        public Client applyTo(FabricDraft draft) {
            Client settled = needPrepared(draft, client).in(Migration.SETTLED, draft.version);
            for (ClientAdapter adapter : List.copyOf(draft.adaptersOf(client))) {
                draft.adapters.replace(adapter.handedOver(draft.version));
            }
            draft.clients.replace(settled);
            return settled;
        }
    }

    /** The client stays where it is. */
    record Cancel(int client) implements MigrationCommand {
        @Override
        public Client applyTo(FabricDraft draft) {
            Client settled = needPrepared(draft, client).in(Migration.SETTLED, draft.version);
            draft.clients.replace(settled);
            return settled;
        }
    }

    private static Client needPrepared(FabricDraft draft, int client) {
        Client found = draft.clients.need(client);
        if (found.migration() != Migration.PREPARED) {
            throw new RefusedException(new Refusal.NoMigration(found.label()));
        }
        return found;
    }
}
