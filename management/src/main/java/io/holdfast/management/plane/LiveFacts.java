package io.holdfast.management.plane;

import java.time.Instant;
import java.util.List;
import java.util.Map;
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
     */
    record Session(long id, String initiator, String target, String peer, String portal, Instant since) {}

    /** @param obstacle why it is not served; null if it is */
    record Unit(long sizeBytes, @Nullable String obstacle) {}

    record Agent(String name, String peer, Instant since, List<String> vms) {}

    /** @param state {@code protected}: its agent is connected and looks after it */
    record Vm(
            String name,
            String agent,
            String state,
            @Nullable Instant since) {}

    List<Session> sessions();

    /** By LU's name. */
    Map<String, Unit> units();

    List<Agent> agents();

    List<Vm> vms();

    /** How many logins have been refused since the start. */
    long loginsRefused();

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
        public long loginsRefused() {
            return 0;
        }
    };
}
