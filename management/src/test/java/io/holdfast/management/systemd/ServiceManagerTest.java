package io.holdfast.management.systemd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.linux.NotifySocket;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ServiceManagerTest {
    private static final Duration WATCHDOG = Duration.ofMillis(400);

    @TempDir
    private Path dir;

    private NotifyListener systemd;
    private ServiceManager manager;
    private volatile String status = "no sessions";
    private volatile CompletableFuture<?> pulse = CompletableFuture.completedFuture(null);

    private final ServiceManager.Service service = new ServiceManager.Service() {
        @Override
        public String status() {
            return status;
        }

        @Override
        public CompletableFuture<?> pulse() {
            return pulse;
        }
    };

    @BeforeEach
    void start() throws IOException {
        systemd = NotifyListener.at(dir.resolve("notify"));
        manager = new ServiceManager(Optional.of(new NotifySocket(systemd.path())), Optional.of(WATCHDOG));
    }

    @AfterEach
    void stop() throws IOException {
        manager.close();
        systemd.close();
    }

    @Test
    void shouldTellOfChangesOfTheStatus() {
        manager.ready(service);
        assertThat(systemd.await("READY=1")).isEqualTo("READY=1\nSTATUS=no sessions");
        status = "2 sessions";
        assertThat(systemd.await("STATUS=2")).isEqualTo("STATUS=2 sessions");
    }

    @Test
    void shouldBeAliveOnlyWhileThePulseIsAnswered() {
        manager.ready(service);
        systemd.await("WATCHDOG=1");
        CompletableFuture<?> hangs = new CompletableFuture<>();
        pulse = hangs;
        // The one before may still be on its way.
        await().atMost(Duration.ofSeconds(20)).until(() -> systemd.quietFor(WATCHDOG.multipliedBy(3)));
        pulse = CompletableFuture.completedFuture(null);
        hangs.complete(null);
        systemd.await("WATCHDOG=1");
    }

    @Test
    void shouldNotBeAliveOnAPulseThatFailed() {
        pulse = CompletableFuture.failedFuture(new IOException("no data path"));
        manager.ready(service);
        systemd.await("READY=1");
        assertThat(systemd.quietFor(WATCHDOG.multipliedBy(3))).isTrue();
    }

    @Test
    void shouldAskForTimeWhenItStopsAndThenBeQuiet() {
        manager.ready(service);
        manager.stopping("agents freeze their VMs", Duration.ofSeconds(30));
        assertThat(systemd.await("STOPPING")).isEqualTo("STOPPING=1\nSTATUS=agents freeze their VMs");
        assertThat(systemd.await("EXTEND")).isEqualTo("EXTEND_TIMEOUT_USEC=30000000");
        status = "nobody must hear of this";
        assertThat(systemd.quietFor(Duration.ofMillis(1500))).isTrue();
    }

    @Test
    void shouldTellOfAReload() {
        manager.ready(service);
        manager.reloading();
        assertThat(systemd.await("RELOADING=1")).contains("MONOTONIC_USEC=");
        manager.reloaded("3 sessions");
        assertThat(systemd.await("READY=1\nSTATUS=3")).isEqualTo("READY=1\nSTATUS=3 sessions");
    }

    @Test
    void shouldDoNothingWithoutAServiceManager() {
        try (ServiceManager nobody = new ServiceManager(Optional.empty(), Optional.of(WATCHDOG))) {
            nobody.ready(new ServiceManager.Service() {
                @Override
                public String status() {
                    throw new AssertionError("nobody asks");
                }

                @Override
                public CompletableFuture<?> pulse() {
                    throw new AssertionError("nobody asks");
                }
            });
            nobody.stopping("stopping", WATCHDOG);
        }
    }
}
