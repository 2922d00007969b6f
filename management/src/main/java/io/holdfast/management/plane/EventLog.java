package io.holdfast.management.plane;

import io.holdfast.control.operator.ControlService;
import io.holdfast.control.operator.PlaneEvent;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The latest events, and who hears of new ones. Numbers go up by one in one life of the server, and a later life begins
 * above all of the earlier one's (its first number is made of the time), so that who resumes after a restart is told that
 * events are missing instead of being given others under the numbers he has seen.
 *
 * <p>Thread-safe: guarded by itself. Listeners are called under its lock and only queue.
 */
final class EventLog {
    /** How many are kept for those who come back. */
    static final int KEPT = 10_000;

    private static final long NUMBERS_PER_MS = 1000;

    private final Clock clock;
    private final ArrayDeque<PlaneEvent> kept = new ArrayDeque<>();
    private final Set<ControlService.Listener> listeners = new LinkedHashSet<>();
    private long latest;

    EventLog(Clock clock) {
        this.clock = clock;
        this.latest = clock.millis() * NUMBERS_PER_MS;
    }

    synchronized void add(String type, String object, @Nullable String by, String text, long version) {
        PlaneEvent event = new PlaneEvent(++latest, clock.instant(), type, object, by, text, version);
        kept.addLast(event);
        if (kept.size() > KEPT) {
            kept.removeFirst();
        }
        listeners.forEach(listener -> listener.heard(event));
    }

    synchronized long latest() {
        return latest;
    }

    synchronized int size() {
        return kept.size();
    }

    synchronized ControlService.Subscribed subscribe(long afterSeq, ControlService.Listener listener) {
        List<PlaneEvent> missed = new ArrayList<>();
        Iterator<PlaneEvent> newestFirst = kept.descendingIterator();
        while (newestFirst.hasNext()) {
            PlaneEvent event = newestFirst.next();
            if (event.seq() <= afterSeq) {
                break;
            }
            missed.add(event);
        }
        Collections.reverse(missed);
        boolean complete = afterSeq >= latest - kept.size() && afterSeq <= latest;
        listeners.add(listener);
        return new ControlService.Subscribed(missed, complete, () -> remove(listener));
    }

    private synchronized void remove(ControlService.Listener listener) {
        listeners.remove(listener);
    }
}
