package io.holdfast.drills;

import java.util.List;

/**
 * A drill that is over.
 *
 * @param faultNs {@link System#nanoTime()} of the fault, the origin of the timeline
 * @param moments empty if the drill did not come to its fault
 * @param loadAverage the machine's load average (one minute) just before the fault; negative if unknown
 * @param logs on failure the ends of the programs' logs, for people
 */
record DrillResult(
        Verdict verdict, long faultNs, double loadAverage, List<Timeline.Moment> moments, List<String> logs) {}
