package io.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class NotifySocketTest {

    @TempDir
    Path dir;

    @Test
    void shouldTellTheServiceManagerHowFarWeAre() throws IOException {
        Path path = dir.resolve("notify");
        try (UnixDatagramChannel manager = UnixDatagramChannel.open()) {
            manager.bind(new UnixSocketAddress(path.toString()));
            NotifySocket notify = new NotifySocket(path.toString());
            notify.ready("serving\n1 LU");
            assertThat(receive(manager)).isEqualTo("READY=1\nSTATUS=serving 1 LU");
            notify.status("2 sessions");
            assertThat(receive(manager)).isEqualTo("STATUS=2 sessions");
            notify.reloading("reading settings");
            assertThat(receive(manager)).matches("RELOADING=1\nMONOTONIC_USEC=[0-9]+\nSTATUS=reading settings");
            notify.extendTimeout(Duration.ofSeconds(3));
            assertThat(receive(manager)).isEqualTo("EXTEND_TIMEOUT_USEC=3000000");
            notify.alive();
            assertThat(receive(manager)).isEqualTo("WATCHDOG=1");
            notify.stopping("waiting for agents");
            assertThat(receive(manager)).isEqualTo("STOPPING=1\nSTATUS=waiting for agents");
        }
    }

    @Test
    void shouldReachAnAbstractName() throws IOException {
        String name = "holdfast-test-" + ProcessHandle.current().pid();
        try (UnixDatagramChannel manager = UnixDatagramChannel.open()) {
            manager.bind(new UnixSocketAddress("\0" + name));
            new NotifySocket("@" + name).ready("serving");
            assertThat(receive(manager)).isEqualTo("READY=1\nSTATUS=serving");
        }
    }

    @Test
    void shouldSayWhichSocketIsNotThere() {
        Path path = dir.resolve("nobody");
        assertThatThrownBy(() -> new NotifySocket(path.toString()).status("x"))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("notify " + path + ": ");
    }

    @Test
    void shouldRefuseAnAddressOfNeitherKind() {
        assertThatThrownBy(() -> new NotifySocket("vsock:2:1"))
                .hasMessage("NOTIFY_SOCKET=vsock:2:1 is neither an absolute path nor an abstract name after @");
    }

    @Test
    void shouldFindNoSocketWhenNoServiceManagerStartedUs() {
        assertThat(NotifySocket.fromEnvironment().isPresent()).isEqualTo(System.getenv("NOTIFY_SOCKET") != null);
    }

    @Test
    void shouldKnowWithinWhichTimeTheManagerWantsToHearOfUs() {
        assertThat(NotifySocket.watchdog(Map.of(), 7)).isEmpty();
        assertThat(NotifySocket.watchdog(Map.of("WATCHDOG_USEC", "3000000"), 7)).contains(Duration.ofSeconds(3));
        assertThat(NotifySocket.watchdog(Map.of("WATCHDOG_USEC", "3000000", "WATCHDOG_PID", "7"), 7))
                .contains(Duration.ofSeconds(3));
        assertThat(NotifySocket.watchdog(Map.of("WATCHDOG_USEC", "3000000", "WATCHDOG_PID", "8"), 7))
                .as("meant for another process")
                .isEmpty();
        assertThatThrownBy(() -> NotifySocket.watchdog(Map.of("WATCHDOG_USEC", "3s"), 7))
                .hasMessage("WATCHDOG_USEC=3s is no number of microseconds");
    }

    private static String receive(UnixDatagramChannel manager) throws IOException {
        ByteBuffer message = ByteBuffer.allocate(1000);
        manager.receive(message);
        return new String(message.array(), 0, message.position(), StandardCharsets.UTF_8);
    }
}
