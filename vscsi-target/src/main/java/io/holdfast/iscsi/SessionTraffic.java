package io.holdfast.iscsi;

import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.LogicalUnit;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a session has done at each logical unit. Counted by the session's event loop; read by any thread.
 *
 * <p>Counters come with the first command to a unit, and go when the session sees it no more.
 */
public final class SessionTraffic {
    private final String client;
    private final Map<UUID, IoCounters> byUnit = new ConcurrentHashMap<>();
    // Owned by the event loop: where the last command went, and mostly the next one goes.
    private @Nullable DeviceServer latest;
    private @Nullable IoCounters latestCounters;

    SessionTraffic(String client) {
        this.client = client;
    }

    /** Whose session it is, as he was called when he logged in; empty for nobody's in particular. */
    public String client() {
        return client;
    }

    /** On the event loop. Null at a LUN at which there is nothing. */
    @Nullable
    IoCounters at(DeviceServer device) {
        if (device == latest) {
            return latestCounters;
        }
        if (!(device instanceof LogicalUnit unit)) {
            return null;
        }
        IoCounters counters = byUnit.computeIfAbsent(unit.identity().uuid(), fresh -> new IoCounters());
        latest = device;
        latestCounters = counters;
        return counters;
    }

    /** On the event loop: nothing is done there any more, and the unit may be gone for good. */
    void leave(LogicalUnit unit) {
        if (unit == latest) {
            latest = null;
            latestCounters = null;
        }
    }

    /** By the UUIDs of the units, to be read when there is time: the numbers stay there, whatever becomes of the session. */
    public void forEach(BiConsumer<UUID, Supplier<IoTotals>> each) {
        byUnit.forEach((unit, counters) -> each.accept(unit, counters::totals));
    }

    /** Forgets what was done at a unit, and tells it. */
    public IoTotals take(UUID unit) {
        IoCounters counters = byUnit.remove(unit);
        return counters == null ? IoTotals.NONE : counters.totals();
    }
}
