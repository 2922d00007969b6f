package io.holdfast.drills;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Which drills are played: all there are, or some by chance. The same seed chooses the same. */
final class FailoverSelection {
    /** Outages of every length that matters: shorter and longer than time-outs of guests, initiators and TCP. */
    private static final List<Duration> OUTAGES = List.of(
            Duration.ofMillis(500),
            Duration.ofSeconds(1),
            Duration.ofSeconds(3),
            Duration.ofSeconds(12),
            Duration.ofSeconds(61),
            Duration.ofMinutes(5));

    /** Of those, the ones that a quick run has. */
    private static final int SHORT_OUTAGES = 3;

    /** Longer than the guests' hung-task limit of 10 s: without an agent the guest complains. */
    private static final Duration CONTROL_OUTAGE = Duration.ofSeconds(2);

    /** What the test command plays: each of these is a way of its own through the agent. */
    private static final List<FailoverFault> FEW = List.of(
            FailoverFault.HANG,
            FailoverFault.DOUBLE,
            FailoverFault.CUT,
            FailoverFault.EIO,
            FailoverFault.AGENT_DEAD_DURING);

    private FailoverSelection() {}

    /** Full load for so long, and no freeze. */
    static List<FailoverPlan> soak(Duration length, long seed) {
        return List.of(new FailoverPlan(
                FailoverFault.NONE, GuestDisks.VIRTIO_BLK, GuestLoad.HEAVY, length, 1, Route.THROUGH_AGENT, seed));
    }

    /** Every fault × disks × load × length. Hours. */
    static List<FailoverPlan> all(long seed) {
        List<FailoverPlan> plans = new ArrayList<>();
        Random random = new Random(seed);
        for (Duration outage : OUTAGES) {
            for (FailoverFault fault : FailoverFault.values()) {
                for (GuestDisks disks : GuestDisks.values()) {
                    for (GuestLoad load : GuestLoad.values()) {
                        if (suits(fault, disks, load, outage)) {
                            plans.add(plan(fault, disks, load, outage, outage.toSeconds() > 12 ? 1 : 2, random));
                        }
                    }
                }
            }
        }
        plans.addAll(0, controls(random));
        return plans;
    }

    /** Twenty guests are for the light load; what is no outage of the server has no length that matters. */
    private static boolean suits(FailoverFault fault, GuestDisks disks, GuestLoad load, Duration outage) {
        if (fault == FailoverFault.TWENTY) {
            return load == GuestLoad.LIGHT && !disks.two() && outage.toSeconds() <= 3;
        }
        if (fault == FailoverFault.NONE) {
            return load == GuestLoad.HEAVY && !disks.two() && outage.toSeconds() == 3;
        }
        // The second disk is beside the first, which is the one whose storage fails; other guests have one disk.
        boolean alone = fault.shape().scenery().spare() > 0 || fault.storage() != FailoverStage.Storage.ORDINARY;
        return !(disks.two() && alone);
    }

    private static FailoverPlan plan(
            FailoverFault fault, GuestDisks disks, GuestLoad load, Duration outage, int times, Random random) {
        return new FailoverPlan(
                fault,
                disks,
                load,
                outage,
                fault.repeats() ? times : 1,
                Route.THROUGH_AGENT,
                random.nextInt(Integer.MAX_VALUE));
    }

    private static List<FailoverPlan> controls(Random random) {
        return List.of(new FailoverPlan(
                FailoverFault.KILL,
                GuestDisks.VIRTIO_BLK,
                GuestLoad.STEADY,
                CONTROL_OUTAGE,
                1,
                Route.STRAIGHT_TO_SERVER,
                random.nextInt(Integer.MAX_VALUE)));
    }

    /** Each fault once, with disks, load and a short outage by chance. At most ten minutes. */
    static List<FailoverPlan> quick(long seed) {
        Random random = new Random(seed);
        List<FailoverPlan> plans = new ArrayList<>(controls(random));
        for (FailoverFault fault : FailoverFault.values()) {
            if (fault != FailoverFault.TWENTY) {
                plans.add(byChance(fault, random, SHORT_OUTAGES));
            }
        }
        return plans;
    }

    /** A few for the test command, with a load that leaves the machine time for the tests beside: about two minutes. */
    static List<FailoverPlan> few(long seed) {
        Random random = new Random(seed);
        List<FailoverPlan> plans = new ArrayList<>();
        FEW.forEach(fault -> plans.add(byChance(fault, random, 2).with(GuestLoad.STEADY)));
        return plans;
    }

    /** So many by chance, each fault as often as any other. */
    static List<FailoverPlan> sample(int count, List<FailoverFault> faults, long seed) {
        Random random = new Random(seed);
        List<FailoverPlan> plans = new ArrayList<>();
        while (plans.size() < count) {
            List<FailoverFault> round = new ArrayList<>(faults);
            Collections.shuffle(round, random);
            round.forEach(fault -> plans.add(byChance(fault, random, SHORT_OUTAGES)));
        }
        return plans.subList(0, count);
    }

    private static FailoverPlan byChance(FailoverFault fault, Random random, int outages) {
        for (; ; ) {
            GuestDisks disks = any(GuestDisks.values(), random);
            GuestLoad load = any(GuestLoad.values(), random);
            Duration outage = OUTAGES.get(random.nextInt(outages));
            if (suits(fault, disks, load, outage)) {
                return plan(fault, disks, load, outage, 1, random);
            }
        }
    }

    private static <T> T any(T[] values, Random random) {
        return values[random.nextInt(values.length)];
    }

    /** Every combination of what was asked for. */
    static List<FailoverPlan> of(
            List<FailoverFault> faults,
            List<GuestDisks> disks,
            List<GuestLoad> loads,
            List<Duration> outages,
            int times,
            Route route,
            long seed) {
        List<FailoverPlan> plans = new ArrayList<>();
        Random random = new Random(seed);
        for (FailoverFault fault : faults) {
            for (Duration outage : outages) {
                for (GuestDisks each : disks) {
                    for (GuestLoad load : loads) {
                        // One alone is the one that is played again: its seed is what was given.
                        long own = plans.isEmpty() ? seed : random.nextInt(Integer.MAX_VALUE);
                        plans.add(new FailoverPlan(fault, each, load, outage, fault.repeats() ? times : 1, route, own));
                    }
                }
            }
        }
        return plans;
    }

    /** The labels of all faults, for messages. */
    static String faults() {
        return String.join(
                ", ",
                Arrays.stream(FailoverFault.values()).map(FailoverFault::label).toList());
    }
}
