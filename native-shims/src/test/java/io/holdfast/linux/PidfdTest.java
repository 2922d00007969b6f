package io.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PidfdTest {
    private static final long SELF = ProcessHandle.current().pid();
    private static final long NO_SUCH_PID = 0x3fff_fff0L;

    @Test
    void shouldShutAConnectionDownThroughADuplicateOfAProcessSocket() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket accepted = server.accept()) {
            accepted.setSoTimeout(10_000);
            for (int theirs : sockets()) {
                shutDown(theirs, client.getLocalPort());
            }
            assertThat(accepted.getInputStream().read()).isEqualTo(-1);
        }
    }

    /** Shuts our sockets down one by one through the pidfd; listening ones and others of the test JVM's refuse. */
    private static void shutDown(int theirs, int port) throws IOException {
        try (Pidfd self = Pidfd.open(SELF)) {
            int copy = self.duplicate(theirs);
            try {
                assertThat(copy).isNotEqualTo(theirs);
                if (localPortOf(theirs) == port) {
                    Linux.shutdown(copy, Linux.SHUT_RDWR);
                }
            } finally {
                Linux.close(copy);
            }
        }
    }

    private static List<Integer> sockets() throws IOException {
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            return links.filter(link -> target(link).startsWith("socket:"))
                    .map(link -> Integer.valueOf(link.getFileName().toString()))
                    .toList();
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException e) {
            return "";
        }
    }

    /** The port of a TCP socket of ours by its inode in /proc/net/tcp (and tcp6), or -1. */
    private static int localPortOf(int fd) throws IOException {
        String link = target(Path.of("/proc/self/fd/" + fd));
        String inode = link.substring("socket:[".length(), link.length() - 1);
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            for (String line : Files.readAllLines(Path.of(table))) {
                String[] fields = line.strip().split("\\s+", -1);
                if (fields.length > 9 && fields[9].equals(inode)) {
                    return Integer.parseInt(fields[1].substring(fields[1].indexOf(':') + 1), 16);
                }
            }
        }
        return -1;
    }

    @Test
    void shouldNameTheProcessThatDoesNotExist() {
        assertThatThrownBy(() -> Pidfd.open(NO_SUCH_PID))
                .isInstanceOf(LinuxException.class)
                .hasMessage("pidfd_open " + NO_SUCH_PID + ": No such process (errno 3)");
    }

    @Test
    void shouldNameTheDescriptorThatTheProcessDoesNotHave() throws IOException {
        try (Pidfd self = Pidfd.open(SELF)) {
            assertThat(self.pid()).isEqualTo(SELF);
            assertThatThrownBy(() -> self.duplicate(1_000_000))
                    .hasMessage("pidfd_getfd " + SELF + " 1000000: Bad file descriptor (EBADF)");
        }
    }

    @Test
    void shouldRefuseToShutDownWhatIsNoSocket() throws IOException {
        int fd = Linux.open(Path.of("/dev/null"), Linux.O_RDONLY);
        assertThatThrownBy(() -> Linux.shutdown(fd, Linux.SHUT_RD)).hasMessageStartingWith("shutdown: ");
        assertThatThrownBy(() -> Linux.peerCredentials(fd)).hasMessageStartingWith("getsockopt SO_PEERCRED: ");
        Linux.close(fd);
    }
}
