package io.holdfast.scsi;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What one initiator sees, which changes while its sessions run.
 *
 * <p>Thread-safe. Commands read one immutable value, by one volatile read; changes take turns under this object's lock. A
 * nexus joins before its first command looks at the value, and a change replaces the value before it looks at who has
 * joined: so one of the two sees the other, and no command executes at a unit that is told to be gone.
 */
public final class MappedLuns implements LunView {

    /**
     * What stands at a LUN.
     *
     * @param readOnly this initiator may not write
     */
    public record Mapped(LogicalUnit unit, boolean readOnly) {}

    private record Shown(Map<Integer, Mapped> byNumber, List<Lun> luns) {
        static Shown of(Map<Integer, Mapped> byNumber) {
            return new Shown(
                    Map.copyOf(byNumber),
                    new TreeMap<>(byNumber).keySet().stream().map(Lun::ofNumber).toList());
        }

        Set<LogicalUnit> units() {
            Set<LogicalUnit> units = new HashSet<>();
            byNumber.values().forEach(mapped -> units.add(mapped.unit()));
            return units;
        }
    }

    private final DeviceServer absent = new AbsentLogicalUnit();
    private final Set<Nexus> nexuses = ConcurrentHashMap.newKeySet();
    private volatile Shown shown = Shown.of(Map.of());
    private volatile boolean holdsWrites;

    @Override
    public DeviceServer at(Lun lun) {
        Mapped mapped = shown.byNumber().get(lun.number());
        return mapped == null ? absent : mapped.unit();
    }

    @Override
    public List<Lun> luns() {
        return shown.luns();
    }

    @Override
    public boolean readOnly(Lun lun) {
        Mapped mapped = shown.byNumber().get(lun.number());
        return mapped != null && mapped.readOnly();
    }

    @Override
    public boolean holdsWrites() {
        return holdsWrites;
    }

    @Override
    public synchronized void joined(Nexus nexus) {
        nexuses.add(nexus);
    }

    @Override
    public synchronized void left(Nexus nexus) {
        nexuses.remove(nexus);
    }

    /**
     * From now on writes wait, or need not wait any longer. One that a device server is carrying out goes on: who must know
     * that it has ended waits for the end of its session.
     */
    public synchronized void holdWrites(boolean hold) {
        holdsWrites = hold;
        if (!hold) {
            nexuses.forEach(nexus -> nexus.transport().writesReleased());
        }
    }

    /**
     * Shows other logical units, and tells those who are concerned: REPORTED LUNS DATA HAS CHANGED if units have come or
     * gone (SPC-4 §6.33), MODE PARAMETERS CHANGED where only the right to write is another one.
     *
     * <p>Commands that a unit is executing are answered as if nothing had happened. What has not come so far hears LOGICAL
     * UNIT NOT SUPPORTED, once its data are there.
     *
     * @param units by number, 0..{@value Lun#MAX_NUMBER}
     * @param settled runs when units that have gone execute nothing any more for anybody who sees this, on any thread,
     *     perhaps before this method returns
     * @throws IllegalArgumentException if there is no such number
     */
    public synchronized void show(Map<Integer, Mapped> units, Runnable settled) {
        Shown before = shown;
        Shown after = Shown.of(units);
        if (after.equals(before)) {
            settled.run();
            return;
        }
        shown = after;
        after.byNumber().forEach((number, mapped) -> tell(before.byNumber().get(number), mapped));
        if (!identities(before).equals(identities(after))) {
            tellOfLuns(before, after);
        }
        Set<LogicalUnit> gone = before.units();
        gone.removeAll(after.units());
        release(gone, settled);
    }

    private static Map<Integer, LogicalUnit> identities(Shown shown) {
        Map<Integer, LogicalUnit> units = new HashMap<>();
        shown.byNumber().forEach((number, mapped) -> units.put(number, mapped.unit()));
        return units;
    }

    private void tell(@Nullable Mapped before, Mapped after) {
        if (before != null && before.unit() == after.unit() && before.readOnly() != after.readOnly()) {
            nexuses.forEach(nexus -> after.unit().attention(SenseCode.MODE_PARAMETERS_CHANGED, nexus));
        }
    }

    private void tellOfLuns(Shown before, Shown after) {
        after.byNumber().forEach((number, mapped) -> {
            // A unit that is new to a number that was free is told of with its first command, as one that was powered
            // on.
            if (before.byNumber().containsKey(number)) {
                nexuses.forEach(nexus -> mapped.unit().attention(SenseCode.REPORTED_LUNS_DATA_CHANGED, nexus));
            }
        });
    }

    private void release(Set<LogicalUnit> gone, Runnable settled) {
        // One more than there are, so that it cannot reach zero before all have been asked.
        AtomicInteger unfinished = new AtomicInteger(1);
        Runnable oneDone = () -> {
            if (unfinished.decrementAndGet() == 0) {
                settled.run();
            }
        };
        for (LogicalUnit unit : gone) {
            unfinished.incrementAndGet();
            unit.copyUses().awaitIdle(oneDone);
            for (Nexus nexus : nexuses) {
                unfinished.incrementAndGet();
                nexus.transport().awaitTasksAt(unit, () -> {
                    nexus.forgottenBy(unit);
                    oneDone.run();
                });
            }
        }
        oneDone.run();
    }
}
