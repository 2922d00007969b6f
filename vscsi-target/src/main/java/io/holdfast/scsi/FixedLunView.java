package io.holdfast.scsi;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The same logical units for everyone: a map from number to what answers there, which never changes. Thread-safe. */
public final class FixedLunView implements LunView {
    private final DeviceServer absent = new AbsentLogicalUnit();
    private final Map<Integer, DeviceServer> byNumber;
    private final List<Lun> luns;
    private final Collection<LogicalUnit> elsewhere;

    /** @throws IllegalArgumentException if a number is not in 0..{@value Lun#MAX_NUMBER} */
    public FixedLunView(Map<Integer, ? extends DeviceServer> units) {
        this(units, List.of());
    }

    /**
     * @param elsewhere what whoever sees this may read and write through other targets: EXTENDED COPY may name it. Not copied:
     *     a thread-safe collection may still grow
     */
    public FixedLunView(Map<Integer, ? extends DeviceServer> units, Collection<LogicalUnit> elsewhere) {
        byNumber = Map.copyOf(units);
        luns = new TreeMap<>(units).keySet().stream().map(Lun::ofNumber).toList();
        this.elsewhere = elsewhere;
    }

    @Override
    public List<Copyable> copyable() {
        List<Copyable> units = LunView.super.copyable();
        elsewhere.forEach(unit -> units.add(new Copyable(unit, false)));
        return units;
    }

    @Override
    public DeviceServer at(Lun lun) {
        return byNumber.getOrDefault(lun.number(), absent);
    }

    @Override
    public List<Lun> luns() {
        return luns;
    }
}
