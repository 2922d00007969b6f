package io.holdfast.iscsi;

import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How many connections there may be. Visitors, those without a normal session, are many for moments only: they log in, or
 * discover. When one more comes than there is room for, the one that has been here longest goes: so nobody can keep others
 * from being answered by being idle, and the agents' probes are answered when no further session fits. Thread-safe.
 */
final class ConnectionLimits {
    /** Connections that have no normal session (yet). */
    static final int MAX_VISITORS = 256;

    private final int maxConnections;
    private final int maxOfInitiator;
    private final Set<IscsiConnection> visitors = new LinkedHashSet<>();
    /** Connections of normal sessions, and whose they are. */
    private final Map<IscsiConnection, String> settled = new HashMap<>();

    private final Map<String, Integer> countOf = new HashMap<>();

    /**
     * @param maxConnections of normal sessions, of all initiators
     * @param maxOfInitiator of normal sessions, of one initiator name
     */
    ConnectionLimits(int maxConnections, int maxOfInitiator) {
        this.maxConnections = maxConnections;
        this.maxOfInitiator = maxOfInitiator;
    }

    /**
     * A connection has been accepted.
     *
     * @return who has to go for it
     */
    synchronized @Nullable IscsiConnection visits(IscsiConnection connection) {
        visitors.add(connection);
        if (visitors.size() <= MAX_VISITORS) {
            return null;
        }
        Iterator<IscsiConnection> oldest = visitors.iterator();
        IscsiConnection goes = oldest.next();
        oldest.remove();
        return goes;
    }

    /**
     * A connection enters a normal session.
     *
     * @return why it may not, for the log; empty if it may
     */
    synchronized String settles(IscsiConnection connection, String initiatorName) {
        if (settled.size() >= maxConnections) {
            return "as many connections are open as there may be, " + maxConnections + " (max-connections)";
        }
        int others = countOf.getOrDefault(initiatorName, 0);
        if (others >= maxOfInitiator) {
            return "this initiator has as many connections as one may have, " + maxOfInitiator
                    + " (max-connections-per-initiator)";
        }
        visitors.remove(connection);
        settled.put(connection, initiatorName);
        countOf.put(initiatorName, others + 1);
        return "";
    }

    /** A connection is closed. */
    synchronized void gone(IscsiConnection connection) {
        visitors.remove(connection);
        String initiatorName = settled.remove(connection);
        if (initiatorName != null) {
            countOf.computeIfPresent(initiatorName, (name, count) -> count == 1 ? null : count - 1);
        }
    }
}
