package io.holdfast.control.http;

import io.holdfast.control.ControlJson;
import io.holdfast.control.operator.ControlService;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.PlaneEvent;
import io.holdfast.control.operator.RowJson;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Events as they come (server-sent events): each with its sequence number as {@code id}, so that a client that comes back
 * says {@code Last-Event-ID} and goes on there. What is not kept any more is told as an event {@code gap}. What he missed is
 * sent as fast as he reads. Who does not read while new events come is dropped, not waited for: he may come back and go on.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What cannot be written any more ends the stream by its close handler.
final class EventStreams {
    private static final Logger LOG = LoggerFactory.getLogger(EventStreams.class);
    private static final long BEAT_MS = TimeUnit.SECONDS.toMillis(15);
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");
    /** Beyond it the socket is not read. */
    private static final int MAX_UNSENT_BYTES = 256 * 1024;

    private final ControlService service;
    private final Vertx vertx;
    private final ApiLimits limits;
    private final AtomicInteger open = new AtomicInteger();

    EventStreams(ControlService service, Vertx vertx, ApiLimits limits) {
        this.service = service;
        this.vertx = vertx;
        this.limits = limits;
    }

    void open(RoutingContext routing) {
        String after = routing.request().getHeader("Last-Event-ID");
        if (after == null) {
            after = routing.request().getParam("after");
        }
        if (after != null && !NUMBER.matcher(after).matches()) {
            ApiServer.fail(routing, ErrorCode.BAD_VALUE, "'after' must be an event's sequence number");
            return;
        }
        if (open.incrementAndGet() > limits.maxSubscribers()) {
            open.decrementAndGet();
            ApiServer.fail(routing, ErrorCode.TOO_MANY, limits.maxSubscribers() + " subscribers listen already");
            return;
        }
        new Stream(routing).begin(after == null ? service.latestEvent() : Long.parseLong(after));
    }

    /** One subscriber. On the context of his connection, except {@link #heard}. */
    private final class Stream implements ControlService.Listener {
        /** Still to be written. First those he missed, then those that have come since. */
        private final ArrayDeque<PlaneEvent> backlog = new ArrayDeque<>();
        /** How many of them he missed. */
        private int missed;

        private final HttpServerResponse response;
        private final Context context = vertx.getOrCreateContext();
        /** New events that have not been written. */
        private final AtomicInteger pending = new AtomicInteger();

        private final String who;
        private ControlService.@Nullable Subscription subscription;
        private long beat;
        private boolean ended;

        Stream(RoutingContext routing) {
            response = routing.response();
            who = ApiServer.callerOf(routing).name();
        }

        void begin(long after) {
            response.setChunked(true)
                    .setWriteQueueMaxSize(MAX_UNSENT_BYTES)
                    .putHeader("Content-Type", "text/event-stream")
                    .putHeader("Cache-Control", "no-store");
            response.closeHandler(closed -> end());
            response.exceptionHandler(failed -> end());
            response.drainHandler(drained -> write());
            response.write(": events\n\n");
            ControlService.Subscribed subscribed = service.subscribe(after, this);
            subscription = subscribed.subscription();
            if (!subscribed.complete()) {
                response.write("event: gap\ndata: {\"after\":" + after + "}\n\n");
            }
            missed = subscribed.missed().size();
            backlog.addAll(subscribed.missed());
            write();
            beat = vertx.setPeriodic(BEAT_MS, timer -> {
                if (!ended && !response.writeQueueFull()) {
                    response.write(": still here\n\n");
                }
            });
        }

        @Override
        public void heard(PlaneEvent event) {
            if (pending.incrementAndGet() <= limits.maxPendingEvents()) {
                context.runOnContext(now -> {
                    backlog.add(event);
                    write();
                });
            } else {
                context.runOnContext(now -> drop());
            }
        }

        /** As much as he takes. */
        private void write() {
            while (!ended && !backlog.isEmpty() && !response.writeQueueFull()) {
                PlaneEvent event = backlog.remove();
                if (missed > 0) {
                    missed--;
                } else {
                    pending.decrementAndGet();
                }
                String json = new String(ControlJson.bytes(out -> RowJson.write(event, out)), StandardCharsets.UTF_8);
                response.write("id: " + event.seq() + "\nevent: " + event.type() + "\ndata: " + json + "\n\n");
            }
        }

        private void drop() {
            if (!ended) {
                LOG.warn("{} does not read the events it asked for: the stream is closed", who);
                end();
                response.reset();
            }
        }

        private void end() {
            if (ended) {
                return;
            }
            ended = true;
            backlog.clear();
            open.decrementAndGet();
            vertx.cancelTimer(beat);
            ControlService.Subscription held = subscription;
            if (held != null) {
                held.close();
            }
        }
    }
}
