package io.holdfast.scsi;

import java.util.ArrayList;
import java.util.List;

/**
 * Which logical units a nexus sees. Wiring adapts the mapping of LUs to clients to it. Thread-safe; may change between
 * two calls.
 */
public interface LunView {

    /** What answers at this LUN; never null: a LUN without a logical unit has an answerer of its own. */
    DeviceServer at(Lun lun);

    /** The LUNs that REPORT LUNS lists, ascending. */
    List<Lun> luns();

    /**
     * A logical unit that a copy may read and write.
     *
     * @param readOnly whoever has it copied may only read it
     */
    record Copyable(LogicalUnit unit, boolean readOnly) {}

    /**
     * What EXTENDED COPY may name on behalf of whoever sees this: by default what stands at its LUNs. A view may name more
     * that its nexuses could reach by another login.
     */
    default List<Copyable> copyable() {
        List<Copyable> units = new ArrayList<>();
        for (Lun lun : luns()) {
            if (at(lun) instanceof LogicalUnit unit) {
                units.add(new Copyable(unit, readOnly(lun)));
            }
        }
        return units;
    }

    /** True if whoever sees it may only read what is at this LUN, though others may write. */
    default boolean readOnly(Lun lun) {
        return false;
    }

    /** True while writes must wait; {@link Nexus.Transport#writesReleased} tells when they need not any longer. */
    default boolean holdsWrites() {
        return false;
    }

    /** A nexus that sees it is there, and has not executed anything yet. */
    default void joined(Nexus nexus) {}

    /** A nexus is gone, and its last task has ended. */
    default void left(Nexus nexus) {}
}
