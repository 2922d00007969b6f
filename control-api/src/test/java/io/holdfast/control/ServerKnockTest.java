package io.holdfast.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each against a listener of the test's own, which says one line to whoever comes, or nothing. */
@Timeout(60)
class ServerKnockTest {
    private static final int PATIENT_MS = 30_000;

    private static ServerSocket listener() throws IOException {
        return new ServerSocket(0, 4, InetAddress.getLoopbackAddress());
    }

    private static InetSocketAddress address(ServerSocket listener) {
        return new InetSocketAddress(listener.getInetAddress(), listener.getLocalPort());
    }

    private static Thread answer(ServerSocket listener, String lines) {
        Thread thread = new Thread(() -> {
            try (Socket peer = listener.accept()) {
                peer.getOutputStream().write(lines.getBytes(StandardCharsets.UTF_8));
                // Until it leaves.
                peer.getInputStream().readAllBytes();
            } catch (IOException e) {
                // The test has ended.
            }
        });
        thread.start();
        return thread;
    }

    @Test
    void shouldSayWhatTheServerServes() throws Exception {
        try (ServerSocket listener = listener()) {
            Thread server = answer(
                    listener,
                    "{\"type\":\"heartbeat\",\"seq\":1}\n{\"type\":\"welcome\",\"protocol\":1,\"epoch\":7,\"server\":"
                            + "{\"name\":\"s1\",\"portals\":[\"127.0.0.1:3260\"],\"units\":[]}}\n");
            ServerDescription found = ServerKnock.at(address(listener), "test", PATIENT_MS);
            assertThat(found.name()).isEqualTo("s1");
            assertThat(found.portals()).containsExactly("127.0.0.1:3260");
            server.join();
        }
    }

    @Test
    void shouldNotTakeAnAcceptedConnectionForAServer() throws Exception {
        try (ServerSocket listener = listener()) {
            // The kernel accepts it; nobody answers, as while a service is restarted.
            assertThatThrownBy(() -> ServerKnock.at(address(listener), "test", 200))
                    .isInstanceOf(IOException.class)
                    .hasMessage("no answer within 0.2 s");
        }
    }

    @Test
    void shouldNotWaitAnewForEachPieceOfAnAnswer() throws Exception {
        try (ServerSocket listener = listener()) {
            Thread server = new Thread(() -> {
                try (Socket peer = listener.accept()) {
                    for (; ; ) {
                        peer.getOutputStream().write(' ');
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
                    }
                } catch (IOException e) {
                    // It has left.
                }
            });
            server.start();
            assertThatThrownBy(() -> ServerKnock.at(address(listener), "test", 300))
                    .hasMessage("no answer within 0.3 s");
            server.join();
        }
    }

    @Test
    void shouldSayWhyItIsRefused() throws Exception {
        try (ServerSocket listener = listener()) {
            Thread server = answer(listener, "{\"type\":\"refused\",\"why\":\"the server stops\"}\n");
            assertThatThrownBy(() -> ServerKnock.at(address(listener), "test", PATIENT_MS))
                    .hasMessage("it refuses us: the server stops");
            server.join();
        }
    }

    @Test
    void shouldSayThatNobodyListens() throws Exception {
        // Bound, so that nobody else gets the port, and not listening.
        try (Socket held = new Socket()) {
            held.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            InetSocketAddress nobody = new InetSocketAddress(held.getLocalAddress(), held.getLocalPort());
            assertThatThrownBy(() -> ServerKnock.at(nobody, "test", PATIENT_MS))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("nothing listens there");
        }
    }
}
