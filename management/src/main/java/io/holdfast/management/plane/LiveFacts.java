package io.holdfast.management.plane;

import io.holdfast.control.VmActionsTaken;
import io.holdfast.iscsi.IoTotals;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What is so at this moment and in no file. Thread-safe; answers from memory. */
public interface LiveFacts {

    /**
     * An iSCSI session in full feature phase.
     *
     * @param id unique in this life of the server
     * @param initiator its name as it came, normalised
     * @param peer {@code ip:port}
     * @param portal the server's address it came to, {@code ip:port}
     * @param traffic what it has done so far, at all LUs
     */
    record Session(
            long id,
            String initiator,
            String target,
            String peer,
            String portal,
            Instant since,
            Supplier<IoTotals> traffic) {}

    /** @param obstacle why it is not served; null if it is */
    record Unit(long sizeBytes, @Nullable String obstacle) {}

    record Agent(String name, String peer, Instant since, List<String> vms) {}

    /**
     * @param state its agent's word, in lower case: {@code running}, {@code frozen}…; {@code unknown} if it has not said
     * @param why how it came to that, for people; empty if nobody knows
     * @param taken what its agent made of the actions that it was told of last; null if it has not said
     */
    record Vm(
            String name,
            String agent,
            String state,
            @Nullable Instant since,
            String why,
            @Nullable VmActionsTaken taken) {}

    /**
     * What has been done since the start, by all sessions, also those that are over.
     *
     * @param units by UUID
     * @param clients by name; empty for who is none
     * @param portals by the server's address, {@code ip:port}
     */
    record Traffic(Map<UUID, IoTotals> units, Map<String, IoTotals> clients, Map<String, IoTotals> portals) {
        public static final Traffic NONE = new Traffic(Map.of(), Map.of(), Map.of());
    }

    List<Session> sessions();

    /** By LU's name. */
    Map<String, Unit> units();

    List<Agent> agents();

    List<Vm> vms();

    /** How many logins have been refused since the start, by what the initiator was told. */
    Map<String, Long> loginsRefused();

    /** How often VMs have been frozen since the start, by their agents' word. */
    long freezes();

    Traffic traffic();

    /** What is served beside the LUs of the control plane, to everybody: target names by UUID. */
    Map<UUID, String> exports();

    /** Where portals listen whose setting says any TCP port (0): {@code ip:port}, by the address that was set. */
    default Map<String, String> boundPortals() {
        return Map.of();
    }

    /** Nobody is there. */
    LiveFacts NONE = new LiveFacts() {
        @Override
        public List<Session> sessions() {
            return List.of();
        }

        @Override
        public Map<String, Unit> units() {
            return Map.of();
        }

        @Override
        public List<Agent> agents() {
            return List.of();
        }

        @Override
        public List<Vm> vms() {
            return List.of();
        }

        @Override
        public Map<String, Long> loginsRefused() {
            return Map.of();
        }

        @Override
        public long freezes() {
            return 0;
        }

        @Override
        public Traffic traffic() {
            return Traffic.NONE;
        }

        @Override
        public Map<UUID, String> exports() {
            return Map.of();
        }
    };
}
