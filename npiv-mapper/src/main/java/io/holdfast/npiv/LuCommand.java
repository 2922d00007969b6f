package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Logical units, and who sees them. */
public sealed interface LuCommand extends FabricCommand {

    record Add(String name, Sharing sharing) implements LuCommand {
        @Override
        public Lu applyTo(FabricDraft draft) {
            FabricDraft.checkedName("LU name", name);
            Lu lu = new Lu(name, sharing, draft.version);
            draft.lus.add(lu);
            return lu;
        }
    }

    /** An LU that several clients have cannot become private. */
    record Declare(String name, Sharing sharing) implements LuCommand {
        @Override
        public Lu applyTo(FabricDraft draft) {
            draft.lus.need(name);
            List<String> clients = clientsOf(draft, name);
            if (sharing == Sharing.PRIVATE && clients.size() > 1) {
                throw new RefusedException(new Refusal.LuIsShared(name, clients));
            }
            Lu declared = new Lu(name, sharing, draft.version);
            draft.lus.replace(declared);
            return declared;
        }
    }

    /** Refused while it is mapped. */
    record Remove(String name) implements LuCommand {
        @Override
        public Lu applyTo(FabricDraft draft) {
            Lu lu = draft.lus.need(name);
            List<String> clients = clientsOf(draft, name);
            if (!clients.isEmpty()) {
                throw new RefusedException(new Refusal.InUse(lu.label(), clients));
            }
            return draft.lus.remove(name);
        }
    }

    /**
     * Shows an LU to a client.
     *
     * @param lun null for the next number above all that the client ever used, from 0: an initiator that has not noticed
     *     that a LUN went must not find another disk under its number
     */
    record Map(
            int client,
            String lu,
            MapAccess access,
            @Nullable Integer lun) implements LuCommand {
        @Override
        public LuMap applyTo(FabricDraft draft) {
            Client owner = draft.clients.need(client);
            Lu what = draft.lus.need(lu);
            for (LuMap other : draft.maps.all()) {
                if (!other.lu().equals(lu)) {
                    continue;
                }
                if (other.client() == client) {
                    throw new RefusedException(new Refusal.AlreadyMapped(owner.label(), lu, other.lun()));
                } else if (what.sharing() == Sharing.PRIVATE) {
                    throw new RefusedException(new Refusal.LuIsPrivate(
                            lu, draft.clients.need(other.client()).label()));
                }
            }
            int number = lun != null ? FabricDraft.checkedNumber("LUN", lun, 0, LuMap.MAX_LUN) : freeLun(draft, owner);
            LuMap taken = draft.maps.find(new MapId(client, number));
            if (taken != null) {
                throw new RefusedException(new Refusal.LunTaken(owner.label(), number, taken.lu()));
            }
            LuMap map = new LuMap(client, number, lu, access, draft.version);
            draft.maps.add(map);
            draft.clients.adjust(owner.usedLun(number));
            return map;
        }

        /** Once the highest number was used, the lowest that is free. */
        private static int freeLun(FabricDraft draft, Client owner) {
            if (owner.nextLun() <= LuMap.MAX_LUN) {
                return owner.nextLun();
            }
            int lun = 0;
            for (LuMap taken : draft.mapsOf(owner.id())) {
                if (taken.lun() > lun) {
                    break;
                }
                lun = taken.lun() + 1;
            }
            if (lun > LuMap.MAX_LUN) {
                throw new RefusedException(new Refusal.LimitReached("LUs of " + owner.label(), LuMap.MAX_LUN + 1));
            }
            return lun;
        }
    }

    /** The client's other numbers stay as they are, also when this was LUN 0. */
    record Unmap(int client, int lun) implements LuCommand {
        @Override
        public LuMap applyTo(FabricDraft draft) {
            Client owner = draft.clients.need(client);
            MapId id = new MapId(client, lun);
            if (draft.maps.find(id) == null) {
                throw new RefusedException(new Refusal.NotMapped(owner.label(), lun));
            }
            return draft.maps.remove(id);
        }
    }

    private static List<String> clientsOf(FabricDraft draft, String lu) {
        List<String> clients = new ArrayList<>();
        for (LuMap map : draft.maps.all()) {
            if (map.lu().equals(lu)) {
                clients.add(draft.clients.need(map.client()).label());
            }
        }
        return clients;
    }
}
