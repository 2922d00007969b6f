package io.holdfast.scsi;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The same logical units for everyone: a map from number to what answers there, which never changes. Thread-safe. */
public final class FixedLunView implements LunView {
    private final DeviceServer absent = new AbsentLogicalUnit();
    private final Map<Integer, DeviceServer> byNumber;
    private final List<Lun> luns;

    /** @throws IllegalArgumentException if a number is not in 0..{@value Lun#MAX_NUMBER} */
    public FixedLunView(Map<Integer, ? extends DeviceServer> units) {
        byNumber = Map.copyOf(units);
        luns = new TreeMap<>(units).keySet().stream().map(Lun::ofNumber).toList();
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
