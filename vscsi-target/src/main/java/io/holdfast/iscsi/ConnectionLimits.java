package io.holdfast.iscsi;

import java.util.Iterator;
import java.util.LinkedHashSet;
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

    private final int maxSessions;
    private final Set<IscsiConnection> visitors = new LinkedHashSet<>();
    private final Set<IscsiConnection> settled = new LinkedHashSet<>();

    /** @param maxSessions connections of normal sessions */
    ConnectionLimits(int maxSessions) {
        this.maxSessions = maxSessions;
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

    /** A connection enters a normal session; false if there are as many as there may be. */
    synchronized boolean settles(IscsiConnection connection) {
        if (settled.size() >= maxSessions) {
            return false;
        }
        visitors.remove(connection);
        settled.add(connection);
        return true;
    }

    /** A connection is closed. */
    synchronized void gone(IscsiConnection connection) {
        visitors.remove(connection);
        settled.remove(connection);
    }
}
