package io.holdfast.iscsi;

import java.util.concurrent.atomic.AtomicLong;

/** Numbers for sessions, unique in a server's life. Thread-safe. */
final class SessionIds {
    private final AtomicLong last = new AtomicLong();

    long next() {
        return last.incrementAndGet();
    }

    /** The target session identifying handle of a session, 1..65535 (RFC 7143 §11.12.6). */
    static int tsih(long id) {
        return (int) (id % 0xffff) + 1;
    }
}
