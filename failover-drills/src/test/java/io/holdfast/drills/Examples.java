package io.holdfast.drills;

import io.holdfast.testimages.GuestLine;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** Drills that never took place, for the tests of what is concluded from them. */
final class Examples {
    private Examples() {}

    static DrillPlan plan() {
        return new DrillPlan(
                DeviceKind.VIRTIO_BLK, Boot.KERNEL, Fault.KILL, Duration.ofSeconds(6), Route.THROUGH_AGENT);
    }

    static DrillPlan controlPlan() {
        return new DrillPlan(
                DeviceKind.VIRTIO_BLK, Boot.KERNEL, Fault.KILL, Duration.ofSeconds(6), Route.STRAIGHT_TO_SERVER);
    }

    static long ms(double ms) {
        return Math.round(ms * 1e6);
    }

    /** The findings of a drill in which all went well; each test spoils one of them. */
    static final class FindingsBuilder {
        private OptionalDouble freezeMs = OptionalDouble.of(4.25);
        private OptionalDouble thawMs = OptionalDouble.of(31.5);
        private OptionalDouble clockJumpMs = OptionalDouble.of(2);
        private long acked = 1234;
        private int guestErrors;
        private List<String> errorTexts = List.of();
        private int kernelComplaintCount;
        private List<String> kernelComplaints = List.of();
        private long pauses = 1;
        private Optional<Boolean> frozenFirst = Optional.empty();
        private int probesAnswered = 24;
        private boolean remountedReadOnly;
        private OptionalLong lost = OptionalLong.of(0);
        private List<String> diskComplaints = List.of();

        FindingsBuilder neverFrozen() {
            freezeMs = OptionalDouble.empty();
            return this;
        }

        FindingsBuilder freezeMs(double ms) {
            freezeMs = OptionalDouble.of(ms);
            return this;
        }

        FindingsBuilder thawMs(double ms) {
            thawMs = OptionalDouble.of(ms);
            return this;
        }

        FindingsBuilder clockJumpMs(double ms) {
            clockJumpMs = OptionalDouble.of(ms);
            return this;
        }

        FindingsBuilder noProgress() {
            thawMs = OptionalDouble.empty();
            return this;
        }

        FindingsBuilder acked(long count) {
            acked = count;
            return this;
        }

        FindingsBuilder error(String text) {
            guestErrors++;
            errorTexts = List.of(text);
            return this;
        }

        FindingsBuilder kernelComplaint(String text) {
            kernelComplaintCount = 1;
            kernelComplaints = List.of(text);
            return this;
        }

        FindingsBuilder kernelComplaintCount(int count) {
            kernelComplaintCount = count;
            return this;
        }

        FindingsBuilder pauses(long count) {
            pauses = count;
            return this;
        }

        FindingsBuilder frozenFirst(boolean first) {
            frozenFirst = Optional.of(first);
            return this;
        }

        FindingsBuilder probesAnswered(int count) {
            probesAnswered = count;
            return this;
        }

        FindingsBuilder remountedReadOnly() {
            remountedReadOnly = true;
            return this;
        }

        FindingsBuilder lost(long count, String example) {
            lost = OptionalLong.of(count);
            diskComplaints = List.of(example);
            return this;
        }

        FindingsBuilder diskNotChecked() {
            lost = OptionalLong.empty();
            return this;
        }

        FindingsBuilder diskComplaint(String text) {
            diskComplaints = List.of(text);
            return this;
        }

        Findings build() {
            return new Findings(
                    freezeMs,
                    freezeMs,
                    freezeMs,
                    OptionalDouble.of(-3),
                    thawMs,
                    OptionalDouble.of(40),
                    clockJumpMs,
                    OptionalDouble.of(6031),
                    pauses,
                    frozenFirst,
                    24,
                    probesAnswered,
                    Optional.of(Spread.of(List.of(0.4))),
                    acked,
                    guestErrors,
                    errorTexts,
                    kernelComplaintCount,
                    kernelComplaints,
                    remountedReadOnly,
                    lost,
                    diskComplaints);
        }
    }

    static FindingsBuilder findings() {
        return new FindingsBuilder();
    }

    static void tick(GuestClock clock, double hostMs, double guestMs) {
        long guestUs = Math.round(guestMs * 1000);
        clock.take(new GuestLine.Tick(guestUs, 1_000_000_000L + guestUs), ms(hostMs));
    }

    static void ack(GuestClock clock, double hostMs, double guestMs) {
        clock.take(new GuestLine.Ack(0, 1, Math.round(guestMs * 1000), 500), ms(hostMs));
    }
}
