package io.holdfast.drills;

import java.time.Duration;

/**
 * One failover drill: a guest that lives through an outage or several of one kind.
 *
 * @param outage from the fault to the moment in which its cause is taken away
 * @param outages how many, one after the other
 * @param seed what is left to chance, such as the moment of the fault, comes from it
 */
record FailoverPlan(
        FailoverFault fault, GuestDisks disks, GuestLoad load, Duration outage, int outages, Route route, long seed) {

    /** From here on a drill is nearly all waiting, and others can be played meanwhile. */
    static final Duration LONG = Duration.ofSeconds(12);

    boolean isLong() {
        return outage.compareTo(LONG) >= 0;
    }

    FailoverPlan with(GuestLoad other) {
        return new FailoverPlan(fault, disks, other, outage, outages, route, seed);
    }

    /** The outage in seconds, without needless decimals. */
    String outageSeconds() {
        return Numbers.trimmed(outage.toMillis() / 1000.0);
    }

    /** In a few words, for people. */
    String words() {
        return fault + ", " + disks + ", " + load + " load, " + outageSeconds() + " s"
                + (outages == 1 ? "" : ", " + outages + " times")
                + (route == Route.THROUGH_AGENT ? "" : ", without agent");
    }

    /** The arguments of failover.sh that play it again. */
    String again() {
        return "--fault " + fault + " --disks " + disks + " --load " + load + " --outage " + outageSeconds()
                + " --times " + outages + " --seed " + seed
                + (route == Route.THROUGH_AGENT ? "" : " --without-agent");
    }
}
