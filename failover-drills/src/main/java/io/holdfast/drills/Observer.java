package io.holdfast.drills;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Watches QEMU on a monitor of its own: what QEMU says by itself, and whether it still answers while the server is away.
 * It never sends anything that changes the guest.
 */
final class Observer implements AutoCloseable {
    private static final long PROBE_EVERY_MS = 250;

    /** A monitor that takes longer is as good as blocked to whoever wants to look at the VM. */
    private static final long PROBE_LIMIT_MS = 200;

    /** An event of QEMU and when it was read. */
    record Event(long atNs, String name, JsonNode data) {}

    /**
     * One {@code query-status}.
     *
     * @param answerMs empty if there was no answer within the limit
     * @param status what QEMU said it was
     */
    record Probe(long atNs, OptionalDouble answerMs, String status) {}

    private final List<Event> events = new ArrayList<>();
    private final List<Probe> probes = new ArrayList<>();
    private final QmpMonitor monitor;
    private @Nullable Thread prober;

    private volatile boolean probing;

    Observer(Path socket) throws IOException, InterruptedException {
        this.monitor = QmpMonitor.connect(socket, (atNs, name, data) -> {
            synchronized (events) {
                events.add(new Event(atNs, name, data));
            }
        });
    }

    /** The host's thread of each vCPU. */
    List<Long> vcpuThreadIds() throws IOException, InterruptedException {
        JsonNode vcpus = monitor.ask("query-cpus-fast");
        return StreamSupport.stream(vcpus.spliterator(), false)
                .map(vcpu -> vcpu.path("thread-id").asLong())
                .toList();
    }

    /** Such as {@code 7.2.22}. */
    String qemuVersion() throws IOException, InterruptedException {
        JsonNode version = monitor.ask("query-version").path("qemu");
        return version.path("major").asInt() + "." + version.path("minor").asInt() + "."
                + version.path("micro").asInt();
    }

    List<Event> events() {
        synchronized (events) {
            return List.copyOf(events);
        }
    }

    /** The first event of that name at {@code notBeforeNs} or later. */
    OptionalLong firstFrom(String name, long notBeforeNs) {
        return events().stream()
                .filter(event -> event.name().equals(name) && event.atNs() >= notBeforeNs)
                .mapToLong(Event::atNs)
                .findFirst();
    }

    /** How often the event came at {@code notBeforeNs} or later. */
    long count(String name, long notBeforeNs) {
        return events().stream()
                .filter(event -> event.name().equals(name) && event.atNs() >= notBeforeNs)
                .count();
    }

    List<Probe> probes() {
        synchronized (probes) {
            return List.copyOf(probes);
        }
    }

    /** Asks QEMU how it is, four times a second, until {@link #stopProbing}. */
    void startProbing() {
        probing = true;
        Thread thread = new Thread(this::probe, "observer-probes");
        thread.setDaemon(true);
        prober = thread;
        thread.start();
    }

    /** No more probes; one that is under way is given up. */
    void stopProbing() {
        probing = false;
        Thread thread = prober;
        if (thread != null) {
            thread.interrupt();
        }
    }

    private void probe() {
        @Nullable CompletableFuture<JsonNode> late = null;
        try {
            while (probing) {
                TimeUnit.MILLISECONDS.sleep(PROBE_EVERY_MS);
                long sentNs = System.nanoTime();
                // One question at a time: a blocked monitor gets no queue of them to answer when it comes back.
                CompletableFuture<JsonNode> reply = late == null || late.isDone() ? monitor.send("query-status") : late;
                late = awaitReply(sentNs, reply) ? null : reply;
            }
        } catch (IOException | ExecutionException e) {
            keep(new Probe(System.nanoTime(), OptionalDouble.empty(), "monitor closed"));
        } catch (InterruptedException e) {
            // Asked to stop: the end of this thread.
            probing = false;
        }
    }

    private boolean awaitReply(long sentNs, CompletableFuture<JsonNode> reply)
            throws ExecutionException, InterruptedException {
        try {
            JsonNode status = reply.get(PROBE_LIMIT_MS, TimeUnit.MILLISECONDS);
            double answerMs = Numbers.msBetween(sentNs, System.nanoTime());
            keep(new Probe(
                    sentNs, OptionalDouble.of(answerMs), status.path("status").asText()));
            return true;
        } catch (TimeoutException e) {
            keep(new Probe(sentNs, OptionalDouble.empty(), "no answer"));
            return false;
        }
    }

    private void keep(Probe probe) {
        synchronized (probes) {
            probes.add(probe);
        }
    }

    @Override
    public void close() throws IOException {
        stopProbing();
        monitor.close();
    }
}
