package io.holdfast.drills;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A TCP connection to the server that says nothing and waits for its end: the time at which the server closed its
 * connections, to a fraction of a millisecond, without looking at anyone else's sockets. Opened just before the fault, so
 * that the server has no reason of its own to close it.
 */
final class Canary implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Canary.class);
    private static final int CONNECT_LIMIT_MS = 1_000;

    private final Socket socket;
    private volatile boolean ended;
    private volatile long endedNs;

    private Canary(Socket socket) {
        this.socket = socket;
        Thread thread = new Thread(this::listen, "canary");
        thread.setDaemon(true);
        thread.start();
    }

    static Canary at(int port) throws DrillFailure {
        Socket socket = new Socket();
        try {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), CONNECT_LIMIT_MS);
            return new Canary(socket);
        } catch (IOException e) {
            throw new DrillFailure("the server's port " + port + " takes no connection: " + e.getMessage(), e);
        }
    }

    private void listen() {
        try {
            // The server speaks only when spoken to: the first thing to be heard is the end.
            socket.getInputStream().transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // A reset is an end like any other.
            LOG.debug("canary: {}", e.toString());
        }
        endedNs = System.nanoTime();
        ended = true;
    }

    /** When the other side closed; empty while it has not. */
    OptionalLong endedNs() {
        return ended ? OptionalLong.of(endedNs) : OptionalLong.empty();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
