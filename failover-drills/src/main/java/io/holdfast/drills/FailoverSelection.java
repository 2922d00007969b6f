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

    /** How often an outage that is over soon is repeated with the same guest. */
    private static final int SHORT_TIMES = 2;

    /** What the guests' kernel is set to (test-images). */
    private static final Duration HUNG_TASK_LIMIT = Duration.ofSeconds(10);

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

    /**
     * Every fault with every length; disks and loads take turns, so that each fault meets all of them, and each length every
     * two of them. Hours.
     */
    static List<FailoverPlan> all(long seed) {
        Random random = new Random(seed);
        List<FailoverPlan> plans = new ArrayList<>(controls(random));
        int firstTurn = random.nextInt(Integer.MAX_VALUE / 2);
        for (Duration outage : OUTAGES) {
            int turn = firstTurn++;
            for (FailoverFault fault : FailoverFault.values()) {
                List<Surroundings> suited = suited(fault, outage);
                if (!suited.isEmpty()) {
                    Surroundings next = suited.get(turn % suited.size());
                    plans.add(plan(fault, next.disks(), next.load(), outage, times(outage), random));
                }
                turn++;
            }
        }
        return plans;
    }

    /** Every fault × disks × load × length: {@link #all} without turns. Days. */
    static List<FailoverPlan> product(long seed) {
        Random random = new Random(seed);
        List<FailoverPlan> plans = new ArrayList<>(controls(random));
        for (Duration outage : OUTAGES) {
            for (FailoverFault fault : FailoverFault.values()) {
                suited(fault, outage)
                        .forEach(each ->
                                plans.add(plan(fault, each.disks(), each.load(), outage, times(outage), random)));
            }
        }
        return plans;
    }

    private static int times(Duration outage) {
        return outage.compareTo(FailoverPlan.LONG) < 0 ? SHORT_TIMES : 1;
    }

    private record Surroundings(GuestDisks disks, GuestLoad load) {}

    /**
     * All that suit, in an order in which neighbours differ in both: whoever takes so many one after the other as there are disks
     * has had all disks and all loads.
     */
    private static List<Surroundings> suited(FailoverFault fault, Duration outage) {
        List<GuestDisks> disks = new ArrayList<>();
        List<GuestLoad> loads = new ArrayList<>();
        for (GuestDisks each : GuestDisks.values()) {
            for (GuestLoad load : GuestLoad.values()) {
                if (suits(fault, each, load, outage)) {
                    addOnce(disks, each);
                    addOnce(loads, load);
                }
            }
        }
        List<Surroundings> suited = new ArrayList<>();
        for (int shift = 0; shift < loads.size(); shift++) {
            for (int i = 0; i < disks.size(); i++) {
                suited.add(new Surroundings(disks.get(i), loads.get((i + shift) % loads.size())));
            }
        }
        return suited;
    }

    private static <T> void addOnce(List<T> to, T one) {
        if (!to.contains(one)) {
            to.add(one);
        }
    }

    /** Twenty guests are for the light load; what is no outage of the server has no length that matters. */
    private static boolean suits(FailoverFault fault, GuestDisks disks, GuestLoad load, Duration outage) {
        if (fault == FailoverFault.TWENTY) {
            return load == GuestLoad.LIGHT && !disks.two() && outage.toSeconds() <= 3;
        }
        if (fault == FailoverFault.NONE) {
            return load == GuestLoad.HEAVY && !disks.two() && outage.toSeconds() == 3;
        }
        if (fault == FailoverFault.BOTH_DEAD) {
            // Nobody is left who could freeze the guest: longer than its hung-task limit it must complain.
            return outage.compareTo(HUNG_TASK_LIMIT) < 0;
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
