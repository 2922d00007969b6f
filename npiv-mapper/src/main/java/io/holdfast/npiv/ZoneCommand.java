package io.holdfast.npiv;

import java.util.List;

/** Zones. Changing one replaces it whole, as on a switch. */
public sealed interface ZoneCommand extends FabricCommand {

    /** @param members names of adapters; of a client that is to be moved, both of its pair */
    record Create(String name, List<Wwpn> members, List<String> ports) implements ZoneCommand {
        public Create {
            members = List.copyOf(members);
            ports = List.copyOf(ports);
        }

        @Override
        public Zone applyTo(FabricDraft draft) {
            Zone zone = checked(draft, name, members, ports);
            draft.zones.add(zone);
            return zone;
        }
    }

    record Change(String name, List<Wwpn> members, List<String> ports) implements ZoneCommand {
        public Change {
            members = List.copyOf(members);
            ports = List.copyOf(ports);
        }

        @Override
        public Zone applyTo(FabricDraft draft) {
            Zone zone = checked(draft, name, members, ports);
            draft.zones.replace(zone);
            return zone;
        }
    }

    record Delete(String name) implements ZoneCommand {
        @Override
        public Zone applyTo(FabricDraft draft) {
            return draft.zones.remove(name);
        }
    }

    /** What holds for names that are in no zone. */
    record SetDefault(DefaultZone others) implements ZoneCommand {
        @Override
        public ZonePolicy applyTo(FabricDraft draft) {
            ZonePolicy policy = new ZonePolicy(others, draft.version);
            draft.replace(policy);
            return policy;
        }
    }

    private static Zone checked(FabricDraft draft, String name, List<Wwpn> members, List<String> ports) {
        FabricDraft.checkedName("zone name", name);
        members.forEach(draft::adapterNamed);
        ports.forEach(draft.ports::need);
        return new Zone(name, members, ports, draft.version);
    }
}
