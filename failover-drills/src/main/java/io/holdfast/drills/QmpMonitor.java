package io.holdfast.drills;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The few words of QMP an observer needs: commands without arguments, and events with the time they came. */
final class QmpMonitor implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration REPLY_LIMIT = Duration.ofSeconds(5);

    /** Hears events, on the monitor's reading thread. */
    interface Listener {
        /** @param atNs {@link System#nanoTime()} when the event was read */
        void event(long atNs, String name, JsonNode data);
    }

    private final UnixLines lines;
    private final Listener listener;
    private final Map<Long, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final AtomicLong nextId = new AtomicLong(1);

    private QmpMonitor(UnixLines lines, Listener listener) {
        this.lines = lines;
        this.listener = listener;
    }

    static QmpMonitor connect(Path path, Listener listener) throws IOException, InterruptedException {
        UnixLines lines = UnixLines.connect(path);
        QmpMonitor monitor = new QmpMonitor(lines, listener);
        Thread reader = new Thread(monitor::read, "observer-qmp");
        reader.setDaemon(true);
        reader.start();
        monitor.ask("qmp_capabilities");
        return monitor;
    }

    /** Sends a command; the future completes with its {@code return} value. */
    CompletableFuture<JsonNode> send(String command) throws IOException {
        long id = nextId.getAndIncrement();
        CompletableFuture<JsonNode> reply = new CompletableFuture<>();
        waiting.put(id, reply);
        lines.write("{\"execute\":\"" + command + "\",\"id\":" + id + "}");
        return reply;
    }

    /** Sends a command and waits for its reply for a few seconds. */
    JsonNode ask(String command) throws IOException, InterruptedException {
        try {
            return send(command).get(REPLY_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException("QEMU refused " + command + ": " + e.getMessage(), e);
        } catch (TimeoutException e) {
            throw new IOException("QEMU did not answer " + command + " in " + REPLY_LIMIT.toSeconds() + " s", e);
        }
    }

    private void read() {
        try {
            for (@Nullable String line = lines.read(); line != null; line = lines.read()) {
                long atNs = System.nanoTime();
                take(atNs, JSON.readTree(line));
            }
        } catch (IOException e) {
            // QEMU is gone, or the observer closed: the drill sees either by itself.
        }
        waiting.values().forEach(reply -> reply.completeExceptionally(new IOException("the monitor is closed")));
    }

    private void take(long atNs, JsonNode message) {
        if (message.has("event")) {
            listener.event(atNs, message.path("event").asText(), message.path("data"));
            return;
        }
        CompletableFuture<JsonNode> reply = waiting.remove(message.path("id").asLong());
        if (reply == null) {
            return;
        }
        if (message.has("return")) {
            reply.complete(message.path("return"));
        } else {
            reply.completeExceptionally(
                    new IOException(message.path("error").path("desc").asText()));
        }
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
