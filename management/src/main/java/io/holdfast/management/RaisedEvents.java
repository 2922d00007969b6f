package io.holdfast.management;

import io.holdfast.control.RaisedEvent;
import io.holdfast.management.plane.OperatorEvent;
import io.holdfast.management.plane.PlaneState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Tells agents of the events that operators raise and clear. Thread-safe: states come from the control plane's thread, the
 * agents' port once from the thread that starts the server.
 */
final class RaisedEvents {
    private final List<RaisedEvent> told = new ArrayList<>();
    private Optional<PlaneState> latest = Optional.empty();
    private Optional<UnitWatch.Agents> agents = Optional.empty();

    /** The agents' port is open. */
    synchronized void tellTo(UnitWatch.Agents port) {
        agents = Optional.of(port);
        latest.ifPresent(this::show);
    }

    /** What is raised from now on. */
    synchronized void show(PlaneState state) {
        latest = Optional.of(state);
        agents.ifPresent(to -> {
            List<RaisedEvent> now =
                    state.raised().values().stream().map(RaisedEvents::event).toList();
            // First, and with no clearing of what only says something else now: VMs would run for a moment.
            now.stream().filter(event -> !told.contains(event)).forEach(to::raise);
            told.stream()
                    .filter(event -> now.stream().noneMatch(next -> isTheSame(next, event)))
                    .forEach(to::clear);
            told.clear();
            told.addAll(now);
        });
    }

    private static boolean isTheSame(RaisedEvent one, RaisedEvent other) {
        return one.event().equals(other.event()) && one.target().equals(other.target());
    }

    private static RaisedEvent event(OperatorEvent row) {
        return new RaisedEvent(row.name(), row.target(), row.detail());
    }
}
