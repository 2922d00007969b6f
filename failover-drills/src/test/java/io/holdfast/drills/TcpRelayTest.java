package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The test is the portal behind the relay, too. */
@Timeout(20)
class TcpRelayTest {
    private static final int SILENCE_MS = 300;
    private static final int LIMIT_MS = 10_000;

    private ServerSocket portal = unbound();
    private TcpRelay relay = openRelay();

    private static ServerSocket unbound() {
        try {
            ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
            socket.setSoTimeout(LIMIT_MS);
            return socket;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private TcpRelay openRelay() {
        try {
            return TcpRelay.to(portal.getLocalPort());
        } catch (DrillFailure e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeEach
    void nothingIsAway() throws DrillFailure {
        relay.restore();
    }

    @AfterEach
    void close() throws IOException {
        relay.close();
        portal.close();
    }

    /** Both ends of a connection through the relay. */
    private record Pair(Socket initiator, Socket target) implements AutoCloseable {
        void pass(int value) throws IOException {
            initiator.getOutputStream().write(value);
            assertThat(target.getInputStream().read()).isEqualTo(value);
            target.getOutputStream().write(value + 1);
            assertThat(initiator.getInputStream().read()).isEqualTo(value + 1);
        }

        @Override
        public void close() throws IOException {
            initiator.close();
            target.close();
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), relay.port());
        socket.setSoTimeout(LIMIT_MS);
        return socket;
    }

    private Pair pair() throws IOException {
        Socket initiator = connect();
        Socket target = portal.accept();
        target.setSoTimeout(LIMIT_MS);
        return new Pair(initiator, target);
    }

    @Test
    void shouldPassBytesBothWays() throws IOException {
        try (Pair pair = pair()) {
            pair.pass(7);
            pair.pass(40);
        }
    }

    @Test
    void shouldHoldBytesBackWhileThePathIsSilentAndDeliverThemAfterwards() throws Exception {
        try (Pair pair = pair()) {
            pair.pass(1);
            relay.hang();
            pair.initiator().getOutputStream().write(9);
            pair.target().setSoTimeout(SILENCE_MS);
            assertThatThrownBy(() -> pair.target().getInputStream().read()).isInstanceOf(SocketTimeoutException.class);

            relay.restore();
            pair.target().setSoTimeout(LIMIT_MS);
            assertThat(pair.target().getInputStream().read()).isEqualTo(9);
        }
    }

    @Test
    void shouldCloseAndRefuseConnectionsWhileThePathIsCut() throws Exception {
        try (Pair pair = pair()) {
            pair.pass(1);
            relay.cut();

            assertThat(readOrEnd(pair.initiator())).isEqualTo(-1);
            assertThat(readOrEnd(pair.target())).isEqualTo(-1);
            assertThatThrownBy(this::connect).isInstanceOf(ConnectException.class);
        }
        relay.restore();
        try (Pair pair = pair()) {
            pair.pass(1);
        }
    }

    private static int readOrEnd(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read();
        } catch (SocketException e) {
            // A reset is an end, too.
            return -1;
        }
    }

    @Test
    void shouldCloseTheInitiatorsConnectionWhenThePortalDoes() throws IOException {
        try (Pair pair = pair()) {
            pair.pass(1);
            pair.target().close();

            assertThat(readOrEnd(pair.initiator())).isEqualTo(-1);
        }
    }
}
