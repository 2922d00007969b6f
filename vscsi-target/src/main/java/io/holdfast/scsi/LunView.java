package io.holdfast.scsi;

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
}
