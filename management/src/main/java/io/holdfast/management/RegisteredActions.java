package io.holdfast.management;

import io.holdfast.control.ControlServer;
import io.holdfast.control.VmActions;
import io.holdfast.management.plane.EventActions;
import io.holdfast.management.plane.PlaneState;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells agents what operators have registered for their VMs. Thread-safe: states come from the control plane's thread, the
 * agents' port once from the thread that starts the server, questions from the port.
 */
final class RegisteredActions {
    private static final Logger LOG = LoggerFactory.getLogger(RegisteredActions.class);

    private volatile Map<String, EventActions> latest = Map.of();
    // Guarded by this.
    private Optional<ControlServer> agents = Optional.empty();

    /** The agents' port is open, and welcomes nobody yet. */
    synchronized void tellTo(ControlServer port) {
        agents = Optional.of(port);
        port.registeredActions(this::of);
    }

    /** What is registered from now on. */
    synchronized void show(PlaneState state) {
        Map<String, EventActions> before = latest;
        Map<String, EventActions> now = state.actions();
        latest = now;
        Set<String> changed = new TreeSet<>();
        now.forEach((vm, row) -> {
            if (!row.equals(before.get(vm))) {
                changed.add(vm);
            }
        });
        before.keySet().stream().filter(vm -> !now.containsKey(vm)).forEach(changed::add);
        if (!changed.isEmpty()) {
            agents.ifPresent(port -> port.actionsChanged(changed));
        }
    }

    private VmActions of(String vm) {
        EventActions row = latest.get(vm);
        if (row == null) {
            return VmActions.none(vm);
        }
        String objection = row.objection();
        if (!objection.isEmpty()) {
            // Of a version that took anything.
            LOG.warn("{}; its agent is not told of them: register them anew", objection);
            return VmActions.none(vm);
        }
        return new VmActions(vm, row.revision(), row.byEvent());
    }
}
