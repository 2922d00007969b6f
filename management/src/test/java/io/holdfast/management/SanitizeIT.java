package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A disk that is being sanitized when its server ends: the next one goes on, and nobody reads it before. */
class SanitizeIT {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int SIGTERM = 15;
    private static final int PATTERN = 0x5a;
    /** Enough that the server ends in the midst of it; if not, it is sanitized all the same. */
    private static final int PASSES = 16;

    @TempDir
    private Path dir = Path.of("");

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldGoOnAfterTheServerHasEnded(boolean killed) throws Exception {
        Tool.assumeInstalled("qemu-io", "qemu-utils");
        String[] serve = {"--state", dir.resolve("state").toString(), "--export", dir.resolve("disk.img") + ",size=64M"
        };
        try (ServeProcess server = ServeProcess.start(dir, serve)) {
            Tool.qemuIo(server.url(), "write -P 97 0 64M", "flush").succeeded();
            try (LoadInitiator initiator =
                    LoadInitiator.login(server.port(), targetOf(server), "iqn.2026-11.test:sanitize")) {
                initiator.read(0, 1); // takes the unit attention
                initiator.overwriteEverything(PASSES, PATTERN);
            }
            if (killed) {
                server.kill();
            } else {
                assertThat(server.stop()).isEqualTo(128 + SIGTERM);
                assertThat(server.logLines("ERROR")).isEmpty();
            }
        }
        try (ServeProcess server = ServeProcess.start(dir, serve)) {
            await().atMost(PATIENCE)
                    .untilAsserted(() -> Tool.qemuIo(server.url(), "read -P " + PATTERN + " 0 64M")
                            .succeeded());
            assertThat(records()).isEmpty();
        }
    }

    private static String targetOf(ServeProcess server) {
        return server.url().replaceAll(".*/(iqn[^/]*)/.*", "$1");
    }

    private List<Path> records() throws IOException {
        Path records = dir.resolve("state").resolve("sanitizing");
        if (!Files.exists(records)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(records)) {
            return all.toList();
        }
    }
}
