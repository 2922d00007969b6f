package io.holdfast.drills;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A path from an initiator to a portal that can be taken away while the portal stays: a TCP port on the loopback, each
 * connection to which is passed on to another port.
 *
 * <p>Thread-safe: its lock guards the state and the sockets. Two threads for each connection, one for the port.
 */
final class TcpRelay implements AutoCloseable {
    private static final int BUFFER_BYTES = 64 << 10;
    private static final int BACKLOG = 16;

    private enum State {
        OPEN,
        /** Connections stay, and nothing moves: a pulled cable. */
        SILENT,
        /** Connections are closed and new ones refused: nobody serves there. */
        CLOSED
    }

    private static final int ACCEPTOR_LIMIT_MS = 2000;

    private final int port;
    private final int upstream;
    private final Set<Socket> sockets = new HashSet<>();
    private State state = State.OPEN;
    private @Nullable ServerSocket listener;
    private @Nullable Thread acceptor;

    private TcpRelay(int port, int upstream) {
        this.port = port;
        this.upstream = upstream;
    }

    /** Opens a free port that leads to {@code upstream} on the loopback. */
    static TcpRelay to(int upstream) throws DrillFailure {
        TcpRelay relay = new TcpRelay(FreePort.choose(), upstream);
        relay.listen();
        return relay;
    }

    int port() {
        return port;
    }

    /** From now on nothing moves, and nobody is told. */
    synchronized void hang() {
        state = State.SILENT;
    }

    /** Closes what there is and refuses what comes, from the moment on in which this returns. */
    void cut() {
        Thread waiting;
        synchronized (this) {
            state = State.CLOSED;
            closeQuietly(listener);
            listener = null;
            sockets.forEach(TcpRelay::closeQuietly);
            sockets.clear();
            notifyAll();
            waiting = acceptor;
            acceptor = null;
        }
        // As long as its thread is in accept(2) the kernel keeps the port open, closed or not.
        if (waiting != null) {
            awaitEnd(waiting);
        }
    }

    private static void awaitEnd(Thread thread) {
        try {
            thread.join(ACCEPTOR_LIMIT_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** As in the beginning; connections that only were silent go on. */
    synchronized void restore() throws DrillFailure {
        boolean refused = state == State.CLOSED;
        state = State.OPEN;
        if (refused) {
            listen();
        }
        notifyAll();
    }

    private synchronized void listen() throws DrillFailure {
        try {
            ServerSocket socket = new ServerSocket();
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
            listener = socket;
            acceptor = daemon("relay-" + port, () -> acceptFrom(socket));
        } catch (IOException e) {
            throw new DrillFailure("cannot listen on port " + port + ": " + e.getMessage(), e);
        }
    }

    private static Thread daemon(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void acceptFrom(ServerSocket socket) {
        while (!socket.isClosed()) {
            try {
                Socket down = socket.accept();
                awaitMoving();
                join(down);
            } catch (IOException e) {
                // Cut, or the server behind is away: the initiator finds its connection closed and tries again.
            }
        }
    }

    private void join(Socket down) throws IOException {
        Socket up = new Socket();
        if (!keep(down) || !keep(up)) {
            closeQuietly(down);
            return;
        }
        try {
            up.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), upstream));
            down.setTcpNoDelay(true);
            up.setTcpNoDelay(true);
        } catch (IOException e) {
            drop(down, up);
            throw e;
        }
        daemon("relay-" + port + "-up", () -> copy(down, up));
        daemon("relay-" + port + "-down", () -> copy(up, down));
    }

    private synchronized boolean keep(Socket socket) {
        if (state == State.CLOSED) {
            return false;
        }
        return sockets.add(socket);
    }

    private synchronized void drop(Socket one, Socket other) {
        closeQuietly(one);
        closeQuietly(other);
        sockets.remove(one);
        sockets.remove(other);
    }

    private void copy(Socket from, Socket to) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                awaitMoving();
                out.write(buffer, 0, count);
            }
        } catch (IOException e) {
            // Either end has gone; the other one learns of it below.
        }
        drop(from, to);
    }

    private synchronized void awaitMoving() {
        boolean interrupted = false;
        while (state == State.SILENT) {
            try {
                wait();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable socket) {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (Exception e) {
            // It is of no use any more either way.
        }
    }

    @Override
    public void close() {
        cut();
    }
}
