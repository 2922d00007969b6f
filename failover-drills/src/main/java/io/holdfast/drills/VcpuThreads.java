package io.holdfast.drills;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The CPU time of QEMU's vCPU threads, from the host kernel's scheduler (proc(5), Documentation/scheduler/sched-stats). */
final class VcpuThreads {
    private final List<Path> counters;

    /** @param threadIds as {@code query-cpus-fast} tells them */
    VcpuThreads(long qemuPid, List<Long> threadIds) {
        this.counters = threadIds.stream()
                .map(threadId -> Path.of("/proc/" + qemuPid + "/task/" + threadId + "/schedstat"))
                .toList();
    }

    /**
     * Nanoseconds on a CPU and nanoseconds spent waiting for one, since the start, of all of them together. A vCPU that
     * waits for a CPU because the host is busy has not been stopped.
     */
    long busyNs() throws IOException {
        long sum = 0;
        for (Path counter : counters) {
            String[] fields =
                    Files.readString(counter, StandardCharsets.US_ASCII).split(" ", 3);
            sum += Long.parseLong(fields[0]) + Long.parseLong(fields[1]);
        }
        return sum;
    }
}
