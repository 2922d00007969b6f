package io.holdfast.drills;

import io.holdfast.testimages.DiskReport;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * All that was seen of one drill, before anything is concluded from it. Times are {@link System#nanoTime()}.
 *
 * @param faultNs just before the signal was sent
 * @param serverEndedNs the server's process had ended
 * @param hungUpNs the server had closed an idle connection ({@link Canary})
 * @param restartedNs just before the next server process was made; empty if the drill did not come to it
 * @param servingNs the next server said that it serves
 * @param stoppedNs QEMU's vCPUs were paused, by its own record ({@link QemuTrace})
 * @param standstillNs the vCPU threads used no CPU from here on, by the host's scheduler ({@link VcpuActivity})
 * @param events what QEMU said by itself
 * @param probes whether QEMU answered while the server was away
 * @param agentLines what the agent printed
 * @param endNs the drill's last look, before the guest was told to stop
 */
record Evidence(
        DrillPlan plan,
        long faultNs,
        OptionalLong serverEndedNs,
        OptionalLong hungUpNs,
        OptionalLong restartedNs,
        OptionalLong servingNs,
        OptionalLong stoppedNs,
        OptionalLong standstillNs,
        FactLog facts,
        List<Observer.Event> events,
        List<Observer.Probe> probes,
        GuestClock clock,
        List<Child.Line> agentLines,
        long endNs) {

    /** The first event of that name at {@code notBeforeNs} or later. */
    OptionalLong event(String name, long notBeforeNs) {
        return events.stream()
                .filter(event -> event.name().equals(name) && event.atNs() >= notBeforeNs)
                .mapToLong(Observer.Event::atNs)
                .findFirst();
    }

    /** When a TCP connection to the next server succeeded. */
    OptionalLong listensNs() {
        return restartedNs.isEmpty()
                ? restartedNs
                : facts.firstFrom(FactLog.Fact.SERVER_LISTENS, restartedNs.getAsLong());
    }

    /**
     * When the vCPUs stopped, by QEMU's own record. Without one, the latest they can have: QEMU's STOP event is sent after
     * they have, but late when its main loop waits for the dead storage, and then the standstill of the threads tells more:
     * they stopped at most one tick of the guest after they were last seen to run.
     */
    OptionalLong frozenNs() {
        if (stoppedNs.isPresent()) {
            return stoppedNs;
        }
        OptionalLong stop = event("STOP", faultNs);
        if (standstillNs.isEmpty()) {
            return stop;
        }
        long standstillAtMostNs = standstillNs.getAsLong() + VcpuActivity.TICK_MS * 1_000_000L;
        return OptionalLong.of(stop.isEmpty() ? standstillAtMostNs : Math.min(stop.getAsLong(), standstillAtMostNs));
    }

    /** The guest's first progress after the server listened again. */
    OptionalLong progressNs() {
        OptionalLong listens = listensNs();
        return listens.isEmpty() ? listens : clock.firstProgress(frozenNs(), listens.getAsLong());
    }

    /**
     * What the guest and its disk said after the end: errors, kernel complaints, lost writes. The counts are the larger of
     * the guest's own and of the lines that came: a line that was lost on the way must not make a drill look better.
     */
    record Aftermath(
            int guestErrors,
            List<String> errorTexts,
            int kernelComplaintCount,
            List<String> kernelComplaints,
            boolean remountedReadOnly,
            Optional<DiskReport> disk,
            long acked) {}
}
