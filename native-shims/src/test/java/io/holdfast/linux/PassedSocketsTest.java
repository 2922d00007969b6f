package io.holdfast.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.linux.PassedSockets.Passed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class PassedSocketsTest {
    @TempDir
    Path dir;

    @Test
    void shouldKnowTheSocketsByNumberAndName() throws IOException {
        Map<String, String> environment =
                Map.of("LISTEN_FDS", "3", "LISTEN_PID", "7", "LISTEN_FDNAMES", "iscsi:holdfast.socket:");
        assertThat(PassedSockets.parse(environment, 7))
                .containsExactly(new Passed(3, "iscsi"), new Passed(4, "holdfast.socket"), new Passed(5, "unknown"));
    }

    @Test
    void shouldLeaveAloneWhatWasPassedToAnotherProcess() throws IOException {
        assertThat(PassedSockets.parse(Map.of("LISTEN_FDS", "1", "LISTEN_PID", "8"), 7))
                .isEmpty();
        assertThat(PassedSockets.parse(Map.of("LISTEN_FDS", "1"), 7)).isEmpty();
        assertThat(PassedSockets.parse(Map.of(), 7)).isEmpty();
    }

    @Test
    void shouldRefuseANumberThatCannotBe() {
        for (String count : new String[] {"-1", "many", "1025", "99999"}) {
            assertThatThrownBy(() -> PassedSockets.parse(Map.of("LISTEN_FDS", count, "LISTEN_PID", "7"), 7))
                    .hasMessage("LISTEN_FDS=" + count + " is not a number of sockets, 0 to 1024");
        }
    }

    @Test
    void shouldMakeADescriptorNotBlock() throws IOException {
        Path file = Files.createFile(dir.resolve("file"));
        int fd = Linux.open(file, Linux.O_RDWR);
        try {
            assertThat(flagsOf(fd) & Linux.O_NONBLOCK).isZero();
            Linux.dontBlock(fd);
            assertThat(flagsOf(fd) & Linux.O_NONBLOCK).isNotZero();
            assertThat(flagsOf(fd) & Linux.O_RDWR).as("other flags stay").isNotZero();
        } finally {
            Linux.close(fd);
        }
    }

    private static int flagsOf(int fd) throws IOException {
        String flags = Files.readAllLines(Path.of("/proc/self/fdinfo/" + fd)).stream()
                .filter(line -> line.startsWith("flags:"))
                .findFirst()
                .orElseThrow();
        return Integer.parseInt(flags.substring("flags:".length()).strip(), 8);
    }
}
