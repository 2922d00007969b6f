package io.holdfast.agent.watch;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that has nothing to welcome anybody to yet: it sends some heart-beats, and says bye. One agent at a time. */
final class StartingServer implements AutoCloseable {
    private static final int ACCEPTOR_LIMIT_MS = 20_000;
    final AtomicInteger accepted = new AtomicInteger();
    private final ServerSocket listener;
    private final Thread thread;
    private final int beats;

    StartingServer(int port, int beats) throws IOException {
        listener = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
        this.beats = beats;
        thread = new Thread(this::serve, "starting-server");
        thread.setDaemon(true);
        thread.start();
    }

    private void serve() {
        while (!listener.isClosed()) {
            try (Socket agent = listener.accept()) {
                accepted.incrementAndGet();
                agent.setSoTimeout(50);
                for (int i = 0; i < beats && !listener.isClosed(); i++) {
                    say(agent, "{\"type\":\"heartbeat\",\"seq\":" + i + "}");
                    readOrWait(agent);
                }
                say(agent, "{\"type\":\"bye\",\"why\":\"the start failed\"}");
            } catch (IOException e) {
                // The agent has gone, or the test is over.
            }
        }
    }

    private static void say(Socket agent, String line) throws IOException {
        agent.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static void readOrWait(Socket agent) throws IOException {
        try {
            if (agent.getInputStream().read(new byte[1024]) < 0) {
                throw new IOException("the agent has gone");
            }
        } catch (SocketTimeoutException e) {
            // Nothing said for the time between two heart-beats.
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        try {
            // As long as its thread is in accept(2) the kernel keeps the port open, closed or not.
            thread.join(ACCEPTOR_LIMIT_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
