package io.holdfast.management;

import io.holdfast.control.ControlServer;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.ServerMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps agents up to date on what is served: they are told what the difference is to what they were told before; who
 * comes later gets the whole of it.
 *
 * <p>Thread-safe: changes take turns under this object's lock.
 */
final class UnitsTold {
    private final Supplier<@Nullable ControlServer> agents;
    private final Supplier<List<ExportedUnit>> served;
    // Guarded by this.
    private Map<String, ExportedUnit> told = Map.of();

    UnitsTold(Supplier<@Nullable ControlServer> agents, Supplier<List<ExportedUnit>> served) {
        this.agents = agents;
        this.served = served;
    }

    /** What is served may be something else now. */
    synchronized void changed() {
        ControlServer to = agents.get();
        if (to == null) {
            return;
        }
        Map<String, ExportedUnit> now = new LinkedHashMap<>();
        served.get().forEach(unit -> now.put(unit.name(), unit));
        List<ExportedUnit> fresh = new ArrayList<>();
        now.forEach((name, unit) -> {
            if (!unit.equals(told.get(name))) {
                fresh.add(unit);
            }
        });
        List<ExportedUnit> gone = new ArrayList<>();
        told.forEach((name, unit) -> {
            if (!now.containsKey(name)) {
                gone.add(unit);
            }
        });
        told = now;
        if (!fresh.isEmpty() || !gone.isEmpty()) {
            to.unitsChanged(new ServerMessage.UnitsChanged(fresh, gone));
        }
    }
}
