package io.holdfast.drills;

import io.holdfast.testimages.DiskReport;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What one drill has shown, in numbers.
 *
 * @param freezeMs from the fault to the stop of the vCPUs ({@link Evidence#frozenNs})
 * @param stopEventMs from the fault to QEMU's STOP event, which may come late
 * @param standstillMs from the fault to the last moment a vCPU thread was seen to run
 * @param lastTickMs from the fault to the guest's last sign of life before it stopped
 * @param thawMs from the next server's first accepted connection to the guest's first acknowledged write
 * @param stallMs the longest time without an acknowledged write, by the guest's own clock
 * @param clockJumpMs how far the guest's clocks leapt at once
 * @param behindMs by how much the guest's time of day fell behind the host's
 * @param pauses how often QEMU stopped the guest; more than one is flapping
 * @param frozenFirst a planned stop only: the guest was frozen before the server closed its first connection
 * @param probes how often QEMU was asked for its status while the server was away
 * @param probesAnswered how often it answered in time
 * @param guestErrors failed system calls of the guest's writers
 * @param kernelComplaintCount complaints of the guest's kernel, at least as many as there are texts
 * @param lost acknowledged writes that are not on the disk; empty if the disk was not checked
 */
record Findings(
        OptionalDouble freezeMs,
        OptionalDouble stopEventMs,
        OptionalDouble standstillMs,
        OptionalDouble lastTickMs,
        OptionalDouble thawMs,
        OptionalDouble stallMs,
        OptionalDouble clockJumpMs,
        OptionalDouble behindMs,
        long pauses,
        Optional<Boolean> frozenFirst,
        int probes,
        int probesAnswered,
        Optional<Spread> probeMs,
        long acked,
        int guestErrors,
        List<String> errorTexts,
        int kernelComplaintCount,
        List<String> kernelComplaints,
        boolean remountedReadOnly,
        OptionalLong lost,
        List<String> diskComplaints) {

    /** Concludes from what was seen. */
    static Findings from(Evidence evidence, Evidence.Aftermath aftermath) {
        long faultNs = evidence.faultNs();
        OptionalLong frozen = evidence.frozenNs();
        OptionalLong listens = evidence.listensNs();
        OptionalLong progress = evidence.progressNs();
        List<Double> answersMs = evidence.probes().stream()
                .filter(probe -> probe.answerMs().isPresent())
                .map(probe -> probe.answerMs().getAsDouble())
                .toList();
        // From a second before the fault, so that the last write and tick before it are in.
        long fromNs = faultNs - 1_000_000_000L;
        return new Findings(
                since(faultNs, frozen),
                since(faultNs, evidence.event("STOP", faultNs)),
                since(faultNs, evidence.standstillNs()),
                since(faultNs, evidence.clock().lastTickBefore(frozen.orElse(faultNs))),
                listens.isEmpty() ? OptionalDouble.empty() : since(listens.getAsLong(), progress),
                evidence.clock().longestStallMs(fromNs, evidence.endNs()),
                evidence.clock().clockJumpMs(fromNs, evidence.endNs()),
                evidence.clock().fellBehindMs(fromNs, evidence.endNs()),
                evidence.events().stream()
                        .filter(event -> event.name().equals("STOP") && event.atNs() >= faultNs)
                        .count(),
                frozenFirst(evidence),
                evidence.probes().size(),
                answersMs.size(),
                answersMs.isEmpty() ? Optional.empty() : Optional.of(Spread.of(answersMs)),
                aftermath.acked(),
                aftermath.guestErrors(),
                aftermath.errorTexts(),
                aftermath.kernelComplaintCount(),
                aftermath.kernelComplaints(),
                aftermath.remountedReadOnly(),
                aftermath.disk().isPresent()
                        ? OptionalLong.of(aftermath.disk().get().lost())
                        : OptionalLong.empty(),
                aftermath.disk().map(Findings::complaints).orElse(List.of()));
    }

    /** The findings of a drill that did not come to its fault. */
    static Findings none() {
        OptionalDouble no = OptionalDouble.empty();
        return new Findings(
                no,
                no,
                no,
                no,
                no,
                no,
                no,
                no,
                0,
                Optional.empty(),
                0,
                0,
                Optional.empty(),
                0,
                0,
                List.of(),
                0,
                List.of(),
                false,
                OptionalLong.empty(),
                List.of());
    }

    private static OptionalDouble since(long fromNs, OptionalLong toNs) {
        return toNs.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Numbers.msBetween(fromNs, toNs.getAsLong()));
    }

    private static Optional<Boolean> frozenFirst(Evidence evidence) {
        if (evidence.plan().fault() != Fault.STOP || evidence.plan().route() != Route.THROUGH_AGENT) {
            return Optional.empty();
        }
        OptionalLong stop = evidence.event("STOP", evidence.faultNs());
        OptionalLong hungUp = evidence.hungUpNs();
        return Optional.of(stop.isPresent() && (hungUp.isEmpty() || stop.getAsLong() <= hungUp.getAsLong()));
    }

    private static List<String> complaints(DiskReport disk) {
        List<String> complaints = new java.util.ArrayList<>();
        if (disk.lost() > 0 || disk.torn() > 0) {
            complaints.addAll(disk.examples());
        }
        if (disk.torn() > 0) {
            complaints.add(disk.torn() + " torn records");
        }
        if (!disk.fileSystemComplaint().isEmpty()) {
            complaints.add(disk.fileSystemComplaint());
        }
        return complaints;
    }
}
