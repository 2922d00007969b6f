package io.holdfast.drills;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Storage that fails or is slow, as one process sees it: strace answers its system calls on one file, or holds them up. There
 * is no device-mapper on every machine, and this reaches the very calls that the server makes.
 */
final class SyscallTrouble implements AutoCloseable {
    /** What is done to which calls. */
    enum Kind {
        /** EIO for reads and for writes that need not be durable yet. */
        FAILS("read,pread64,preadv2,write,pwrite64,pwritev2:error=EIO"),
        /** Flushes fail: what was acknowledged before may be lost. */
        LOSES_WRITES("fdatasync,fsync:error=EIO"),
        /** Each flush and write takes a fifth of a second longer. */
        SLOW("fdatasync,fsync,pwrite64,pwritev2:delay_enter=200ms");

        private final String inject;

        Kind(String inject) {
            this.inject = inject;
        }
    }

    private static final Duration ATTACH_LIMIT = Duration.ofSeconds(10);

    private final Child strace;

    private SyscallTrouble(Child strace) {
        this.strace = strace;
    }

    /** Begins; returns when the process has been taken hold of. */
    static SyscallTrouble begin(Workplace place, long pid, Path file, Kind kind)
            throws DrillFailure, NotHere, InterruptedException {
        SystemTool.require("strace", "-V");
        List<String> command = new ArrayList<>(List.of("strace", "-f", "-p", String.valueOf(pid)));
        command.addAll(List.of("-P", file.toString(), "-e", "inject=" + kind.inject));
        command.addAll(List.of("-o", place.file("strace.log").toString()));
        SyscallTrouble trouble =
                new SyscallTrouble(place.start("strace", command, place.file("strace.err"), Duration.ofSeconds(2)));
        Child child = trouble.strace;
        Patience.await(
                "strace to take hold of process " + pid,
                ATTACH_LIMIT,
                List.of(child),
                () -> child.lines().stream().anyMatch(line -> line.text().contains("attached")));
        return trouble;
    }

    /** Ends: the process goes on as if nothing had been. */
    @Override
    public void close() {
        try {
            strace.end(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
