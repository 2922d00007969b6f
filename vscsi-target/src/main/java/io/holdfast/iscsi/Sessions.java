package io.holdfast.iscsi;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The normal sessions that connections may join, by their handles, and the numbers of all sessions. Thread-safe. */
final class Sessions {
    private static final int HANDLES = 0xffff;

    private final AtomicLong last = new AtomicLong();
    private final Map<Integer, Session> byHandle = new ConcurrentHashMap<>();

    /** A number for a session, unique in a server's life, whose handle no other session has. */
    long nextId() {
        long id = last.incrementAndGet();
        while (byHandle.containsKey(handle(id))) {
            id = last.incrementAndGet();
        }
        return id;
    }

    /** The target session identifying handle of a session, 1..65535 (RFC 7143 §11.12.6). */
    static int handle(long id) {
        return (int) (id % HANDLES) + 1;
    }

    void add(Session session) {
        byHandle.put(handle(session.info().id()), session);
    }

    void remove(Session session) {
        byHandle.remove(handle(session.info().id()), session);
    }

    @Nullable
    Session find(int handle) {
        return byHandle.get(handle);
    }
}
