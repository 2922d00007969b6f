package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SocketTableTest {
    private static final String TABLE = """
              sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
               0: 0100007F:0CBC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 ff 100 0 0 10 0
               1: 0100007F:9C40 0100007F:0CBC 01 00000000:00000000 00:00000000 00000000     0        0 222 1 ff 20 4 30 10 -1
               2: 0000000000000000FFFF00000100007F:9C41 0000000000000000FFFF00000100007F:0CBC 02 00000000:00000000 00:00000000 00000000     0        0 333 1 ff
            """;

    @Test
    void shouldReadListenersAndConnectionsOfBothFamilies() {
        List<SocketTable.Socket> sockets = SocketTable.parse(TABLE);

        assertThat(sockets)
                .containsExactly(
                        new SocketTable.Socket(3260, 0, 10, 111),
                        new SocketTable.Socket(40000, 3260, 1, 222),
                        new SocketTable.Socket(40001, 3260, 2, 333));
        assertThat(sockets.get(0).listening()).isTrue();
        assertThat(sockets.get(1).connectedTo(3260)).isTrue();
        assertThat(sockets.get(2).connecting()).isTrue();
        assertThat(sockets.get(2).connectedTo(3260)).isFalse();
    }

    @Test
    void shouldFindItsOwnConnectionInTheKernelsTable() throws IOException {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket client = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
            Set<Long> mine = SocketTable.inodesOf(ProcessHandle.current().pid());

            assertThat(SocketTable.now())
                    .anyMatch(socket -> socket.listening()
                            && socket.localPort() == listener.getLocalPort()
                            && mine.contains(socket.inode()))
                    .anyMatch(socket -> socket.connectedTo(listener.getLocalPort())
                            && socket.localPort() == client.getLocalPort()
                            && mine.contains(socket.inode()));
        }
    }

    @Test
    void shouldFindNoSocketsOfAProcessThatIsNotThere() {
        assertThat(SocketTable.inodesOf(Integer.MAX_VALUE)).isEmpty();
    }
}
