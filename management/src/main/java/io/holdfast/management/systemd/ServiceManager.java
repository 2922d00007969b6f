package io.holdfast.management.systemd;

import io.holdfast.linux.NotifySocket;
import io.holdfast.net.Spans;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the service manager informed (sd_notify(3)): when we serve, in one line how things are, that we are alive.
 *
 * <p>Thread-safe. Sends from the caller's thread, and from one thread of its own that looks every second, or oftener if the
 * watchdog is impatient. Nothing here is between exec and serving: the first message binds the native library.
 */
public final class ServiceManager implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceManager.class);
    private static final long LOOK_MS = 1_000;
    /** Looks within the watchdog's time: the first finds the answer of the one before, and there is one in reserve. */
    private static final int LOOKS_PER_WATCHDOG = 4;

    /** What is told of us. Called on the thread of its own. */
    public interface Service {
        /** How things are, in one line. */
        String status();

        /**
         * Sets out to do what we are there for. The manager hears that we are alive only when it has been done: a timer
         * would go on ticking in a process that does nothing else any more.
         */
        CompletableFuture<?> pulse();
    }

    private final Optional<NotifySocket> socket;
    private final Optional<Duration> watchdog;
    private final ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "holdfast-notify");
        thread.setDaemon(true);
        return thread;
    });

    // Guarded by this.
    private boolean stopping;
    private boolean troubleTold;
    private String lastStatus = "";

    // Owned by the thread of its own.
    private @Nullable CompletableFuture<?> pulse;
    private long pulseBeganNanos;
    private boolean lateTold;

    ServiceManager(Optional<NotifySocket> socket, Optional<Duration> watchdog) {
        this.socket = socket;
        this.watchdog = socket.isPresent() ? watchdog : Optional.empty();
    }

    /** The one that started us, if there is one that wants to hear of us. */
    public static ServiceManager fromEnvironment() {
        return new ServiceManager(NotifySocket.fromEnvironment(), NotifySocket.watchdogFromEnvironment());
    }

    /** We serve. From now on the manager hears of every change of the status, and of the pulse if it asked for it. */
    public void ready(Service service) {
        if (socket.isEmpty()) {
            return;
        }
        String status = service.status();
        tell(manager -> manager.ready(status), status);
        long everyMs = watchdog.map(limit -> Math.max(1, Math.min(LOOK_MS, limit.toMillis() / LOOKS_PER_WATCHDOG)))
                .orElse(LOOK_MS);
        looks.scheduleWithFixedDelay(() -> look(service), 0, everyMs, TimeUnit.MILLISECONDS);
    }

    private void look(Service service) {
        try {
            String status = service.status();
            if (!status.equals(statusTold())) {
                tell(manager -> manager.status(status), status);
            }
            watchdog.ifPresent(limit -> feel(service, limit));
        } catch (RuntimeException e) {
            // The watchdog is not fed then: what cannot be looked at is not well.
            LOG.warn("the service's health cannot be told", e);
        }
    }

    private void feel(Service service, Duration limit) {
        CompletableFuture<?> beat = pulse;
        if (beat != null && !beat.isDone()) {
            if (!lateTold && System.nanoTime() - pulseBeganNanos > limit.toNanos() / 2) {
                lateTold = true;
                LOG.warn(
                        "the data path has not answered for {}; the service manager restarts us after {}",
                        Spans.print(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - pulseBeganNanos)),
                        Spans.print(limit.toMillis()));
            }
            return;
        }
        if (beat != null && !beat.isCompletedExceptionally()) {
            tell(NotifySocket::alive, null);
        }
        lateTold = false;
        pulseBeganNanos = System.nanoTime();
        pulse = service.pulse();
    }

    /** Settings are being read anew. {@link #reloaded} ends it. */
    public void reloading() {
        tell(manager -> manager.reloading("reading the settings"), null);
    }

    /** @param status how things are now */
    public void reloaded(String status) {
        tell(manager -> manager.ready(status), status);
    }

    /**
     * A planned stop has begun. Nothing else is told from now on.
     *
     * @param within how long it may take at most
     */
    public synchronized void stopping(String status, Duration within) {
        tell(
                manager -> {
                    manager.stopping(status);
                    manager.extendTimeout(within);
                },
                status);
        stopping = true;
    }

    private synchronized String statusTold() {
        return lastStatus;
    }

    private synchronized void tell(Message message, @Nullable String status) {
        if (socket.isEmpty() || stopping) {
            return;
        }
        try {
            message.to(socket.get());
            if (status != null) {
                lastStatus = status;
            }
        } catch (IOException e) {
            if (!troubleTold) {
                troubleTold = true;
                LOG.warn("the service manager cannot be told how we are: {}", e.getMessage());
            }
        }
    }

    private interface Message {
        void to(NotifySocket manager) throws IOException;
    }

    @Override
    public void close() {
        looks.shutdownNow();
    }
}
