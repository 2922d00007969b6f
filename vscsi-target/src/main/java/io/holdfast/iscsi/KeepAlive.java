package io.holdfast.iscsi;

import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks an initiator that has been silent whether it is still there (NOP-In, RFC 7143 §11.19), and ends the connection if it
 * stays silent: a dead host must not keep sessions, reservations and memory. Whatever comes counts as an answer. Owned by
 * the connection's event loop; what comes costs one write to a field.
 *
 * <pre>
 *   heard ──(a period of silence)──► asked ──(another one)──► ended
 *     ▲────────(anything comes)────────┘
 * </pre>
 */
final class KeepAlive {
    private final EventExecutor loop;
    private final int periodSeconds;
    private final Runnable ask;
    private final Consumer<String> end;
    private boolean heard;
    private boolean asked;
    private @Nullable ScheduledFuture<?> next;

    /** @param periodSeconds 0 never asks */
    KeepAlive(EventExecutor loop, int periodSeconds, Runnable ask, Consumer<String> end) {
        this.loop = loop;
        this.periodSeconds = periodSeconds;
        this.ask = ask;
        this.end = end;
    }

    void start() {
        if (periodSeconds > 0) {
            next = loop.schedule(this::periodPassed, periodSeconds, TimeUnit.SECONDS);
        }
    }

    void stop() {
        if (next != null) {
            next.cancel(false); // or it would keep the connection for the rest of its time
            next = null;
        }
    }

    /** Something came, or is on its way out and taken. */
    void heard() {
        heard = true;
    }

    private void periodPassed() {
        if (!heard && asked) {
            end.accept("silent for " + 2 * periodSeconds + " s");
            return;
        }
        asked = !heard;
        heard = false;
        if (asked) {
            ask.run();
        }
        start();
    }
}
