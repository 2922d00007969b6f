package io.holdfast.drills;

import java.time.Duration;

/**
 * One drill.
 *
 * @param outage from the fault to the start of the next server process
 */
record DrillPlan(DeviceKind device, Boot boot, Fault fault, Duration outage, Route route) {

    /** The outage in seconds, without needless decimals. */
    String outageSeconds() {
        return Numbers.trimmed(outage.toMillis() / 1000.0);
    }
}
