package io.holdfast.drills;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.locks.LockSupport;

/**
 * Finds out when the server listens again: tries to connect about every millisecond from the moment its process is
 * started. A refused attempt costs a local round trip; the one that succeeds is closed at once.
 */
final class ListenProbe {
    private static final long EVERY_NS = 1_000_000;
    private static final int CONNECT_LIMIT_MS = 200;

    private final int port;
    private final FactLog facts;
    private volatile boolean closed;

    ListenProbe(int port, FactLog facts) {
        this.port = port;
        this.facts = facts;
    }

    void start() {
        Thread thread = new Thread(this::run, "listen-probe");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        while (!closed) {
            long atNs = System.nanoTime();
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_LIMIT_MS);
                facts.began(FactLog.Fact.SERVER_LISTENS, atNs);
                return;
            } catch (IOException e) {
                // Not yet.
                LockSupport.parkNanos(EVERY_NS);
            }
        }
    }

    /** Ends the search, found or not. */
    void stop() {
        closed = true;
    }
}
