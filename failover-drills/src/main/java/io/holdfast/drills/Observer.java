package io.holdfast.drills;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.agent.qmp.QmpClient;
import io.holdfast.agent.qmp.QmpEvent;
import io.holdfast.agent.qmp.QmpReply;
import io.holdfast.agent.qmp.QmpSession;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Watches QEMU on a monitor of its own: what QEMU says by itself, and whether it still answers while the server is away.
 * It never sends anything that changes the guest.
 *
 * <p>One thread of its own hears and asks; the drill's thread reads what was kept.
 */
final class Observer implements QmpClient.Listener, AutoCloseable {
    private static final long PROBE_EVERY_MS = 250;

    /** A monitor that takes longer is as good as blocked to whoever wants to look at the VM. */
    private static final long PROBE_LIMIT_MS = 200;

    private static final Duration REPLY_LIMIT = Duration.ofSeconds(20);

    /** Whoever hears of an event so much later has a clock that was set. */
    private static final long MAX_EVENT_AGE_NS = 2_000_000_000L;

    /** An event of QEMU and the {@link System#nanoTime()} at which it was. */
    record Event(long atNs, String name, JsonNode data) {}

    /**
     * One {@code query-status}.
     *
     * @param answerMs empty if there was no answer within the limit
     * @param status what QEMU said it was
     */
    record Probe(long atNs, OptionalDouble answerMs, String status) {}

    /** Discards what comes after the end: the client's thread may still have something to say. */
    private final ScheduledExecutorService loop =
            new ScheduledThreadPoolExecutor(1, Observer::thread, new ThreadPoolExecutor.DiscardPolicy());

    private final CompletableFuture<QmpSession> session = new CompletableFuture<>();
    private final List<Event> events = new ArrayList<>();
    private final List<Probe> probes = new ArrayList<>();
    private final QmpClient client;

    /** The question that has no answer yet. Owned by the loop. */
    private @Nullable Question open;

    private volatile boolean probing;

    /** A probe on its way. Owned by the loop. */
    private static final class Question {
        private final long sentNs = System.nanoTime();
        private boolean late;
    }

    private Observer(Path socket) {
        client = QmpClient.start("observer", socket, loop, this);
    }

    private static Thread thread(Runnable task) {
        Thread thread = new Thread(task, "observer");
        thread.setDaemon(true);
        return thread;
    }

    /** Begins to connect to QEMU's monitor. */
    static Observer at(Path socket) {
        return new Observer(socket);
    }

    @Override
    public void connected(QmpSession fresh) {
        session.complete(fresh);
    }

    @Override
    public void event(QmpEvent event) {
        // In this order: whoever loses the processor in between finds the event later than it was, not earlier.
        Instant now = Instant.now();
        long atNs = System.nanoTime() - ageNs(event, now);
        synchronized (events) {
            events.add(new Event(atNs, event.name(), event.data()));
        }
    }

    /**
     * How long ago an event was. QEMU says when it was, and is believed: this process gets the processor when it is its
     * turn, perhaps ten milliseconds later. Not if the clock was set in between.
     */
    static long ageNs(QmpEvent event, Instant now) {
        long seconds = event.timestamp().path("seconds").asLong(-1);
        if (seconds < 0) {
            return 0;
        }
        Instant then = Instant.ofEpochSecond(
                seconds, event.timestamp().path("microseconds").asLong() * 1000);
        long ageNs = Duration.between(then, now).toNanos();
        return ageNs >= 0 && ageNs < MAX_EVENT_AGE_NS ? ageNs : 0;
    }

    @Override
    public void disconnected(String why) {
        // QEMU has ended: the drill sees that itself.
        probing = false;
    }

    @Override
    public void unreachable(String why) {
        // QEMU has only just begun to listen: the client tries again, and the drill's wait has the limit.
    }

    /** Waits for QEMU's greeting. */
    QmpSession awaitSession(Child qemu) throws DrillFailure, InterruptedException {
        Patience.await("QEMU to greet the observer", REPLY_LIMIT, List.of(qemu), session::isDone);
        return session.join();
    }

    /** The host's thread of each vCPU. */
    List<Long> vcpuThreadIds(Child qemu) throws DrillFailure, InterruptedException {
        QmpSession greeted = awaitSession(qemu);
        CompletableFuture<QmpReply> reply = new CompletableFuture<>();
        loop.execute(() -> greeted.execute("query-cpus-fast", reply::complete));
        Patience.await("QEMU to name its vCPU threads", REPLY_LIMIT, List.of(qemu), reply::isDone);
        QmpReply vcpus = reply.join();
        if (vcpus.failed()) {
            throw new DrillFailure("QEMU does not name its vCPU threads: " + vcpus.error());
        }
        return StreamSupport.stream(vcpus.value().spliterator(), false)
                .map(vcpu -> vcpu.path("thread-id").asLong())
                .toList();
    }

    List<Event> events() {
        synchronized (events) {
            return List.copyOf(events);
        }
    }

    List<Probe> probes() {
        synchronized (probes) {
            return List.copyOf(probes);
        }
    }

    /** Asks QEMU how it is, four times a second, until {@link #stopProbing}. */
    void startProbing() {
        probing = true;
        var unused = loop.scheduleWithFixedDelay(this::probe, PROBE_EVERY_MS, PROBE_EVERY_MS, TimeUnit.MILLISECONDS);
    }

    /** No more probes; one that is under way is given up. */
    void stopProbing() {
        probing = false;
    }

    private void probe() {
        if (!probing) {
            return;
        }
        Question unanswered = open;
        if (unanswered != null) {
            // One question at a time: a blocked monitor gets no queue of them to answer when it comes back.
            keep(new Probe(System.nanoTime(), OptionalDouble.empty(), "no answer"));
            return;
        }
        Question question = new Question();
        open = question;
        session.join().execute("query-status", reply -> answered(question, reply));
        var unused = loop.schedule(() -> expired(question), PROBE_LIMIT_MS, TimeUnit.MILLISECONDS);
    }

    private void answered(Question question, QmpReply reply) {
        open = null;
        if (!question.late && probing) {
            double answerMs = Numbers.msBetween(question.sentNs, System.nanoTime());
            String status = reply.failed()
                    ? reply.error()
                    : reply.value().path("status").asText();
            keep(new Probe(question.sentNs, OptionalDouble.of(answerMs), status));
        }
    }

    private void expired(Question question) {
        if (open == question && !question.late) {
            question.late = true;
            keep(new Probe(question.sentNs, OptionalDouble.empty(), "no answer"));
        }
    }

    private void keep(Probe probe) {
        synchronized (probes) {
            probes.add(probe);
        }
    }

    @Override
    public void close() {
        client.close();
        loop.shutdownNow();
    }
}
