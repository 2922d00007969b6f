package io.holdfast.npiv;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Physical ports, and which server adapters they carry. */
public sealed interface PortCommand extends FabricCommand {

    /** @param location the portal's address, for people */
    record Add(String name, String location, int capacity) implements PortCommand {
        @Override
        public PhysicalPort applyTo(FabricDraft draft) {
            FabricDraft.checkedName("port name", name);
            FabricDraft.checkedText("port location", location);
            FabricDraft.checkedNumber("capacity", capacity, 1, PhysicalPort.MAX_CAPACITY);
            PhysicalPort port = new PhysicalPort(name, location, capacity, draft.version);
            draft.ports.add(port);
            return port;
        }
    }

    /** Another capacity; not below what the port carries. */
    record Resize(String name, int capacity) implements PortCommand {
        @Override
        public PhysicalPort applyTo(FabricDraft draft) {
            PhysicalPort port = draft.ports.need(name);
            int carried = carriedBy(draft, name).size();
            FabricDraft.checkedNumber("capacity", capacity, Math.max(1, carried), PhysicalPort.MAX_CAPACITY);
            PhysicalPort resized = new PhysicalPort(name, port.location(), capacity, draft.version);
            draft.ports.replace(resized);
            return resized;
        }
    }

    /** Refused while it carries server adapters or is in a zone. */
    record Remove(String name) implements PortCommand {
        @Override
        public PhysicalPort applyTo(FabricDraft draft) {
            PhysicalPort port = draft.ports.need(name);
            List<String> users = carriedBy(draft, name);
            for (Zone zone : draft.zones.all()) {
                if (zone.ports().contains(name)) {
                    users.add(zone.label());
                }
            }
            if (!users.isEmpty()) {
                throw new RefusedException(new Refusal.InUse(port.label(), users));
            }
            return draft.ports.remove(name);
        }
    }

    /**
     * What {@code vfcmap} does.
     *
     * @param server number of the server adapter
     * @param port null to take it off its port
     */
    record Assign(int server, @Nullable String port) implements PortCommand {
        @Override
        public ServerAdapter applyTo(FabricDraft draft) {
            ServerAdapter found = draft.needServer(server);
            if (port != null && !port.equals(found.port())) {
                PhysicalPort to = draft.ports.need(port);
                if (carriedBy(draft, port).size() >= to.capacity()) {
                    throw new RefusedException(new Refusal.PortFull(port, to.capacity()));
                }
            }
            ServerAdapter assigned = found.assigned(port, draft.version);
            draft.servers.replace(assigned);
            return assigned;
        }
    }

    private static List<String> carriedBy(FabricDraft draft, String port) {
        List<String> carried = new ArrayList<>();
        for (ServerAdapter server : draft.servers.all()) {
            if (port.equals(server.port())) {
                carried.add(server.label());
            }
        }
        return carried;
    }
}
