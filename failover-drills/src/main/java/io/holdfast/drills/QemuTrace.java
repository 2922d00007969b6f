package io.holdfast.drills;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * QEMU's own record of when its vCPUs stood still and when they ran again: its trace event {@code vm_state_notify} comes right
 * after all vCPUs have been paused, before anything waits for storage, while the STOP event of its monitor may have to wait.
 * Lines are {@code PID@SECONDS.MICROSECONDS:vm_state_notify running 0 reason 4 (paused)}, by the wall clock.
 */
final class QemuTrace {
    /** QEMU's arguments that make it write the record; the time stamps need the second. */
    static List<String> arguments(Path file) {
        return List.of("-trace", "enable=vm_state_notify,file=" + file, "-msg", "timestamp=on");
    }

    private static final Pattern CHANGE =
            Pattern.compile("\\d+@(\\d+)\\.(\\d{6}):vm_state_notify running ([01]) reason \\d+ \\((.*)\\)");

    /**
     * The vCPUs stopped or started.
     *
     * @param atNs {@link System#nanoTime()}, to a few microseconds
     * @param reason QEMU's run state, such as {@code io-error}
     */
    record Change(long atNs, boolean running, String reason) {}

    private final Path file;
    /** What to add to a wall-clock time to get {@link System#nanoTime()}. Measured once: clocks that are set meanwhile lie. */
    private final long wallToNano;

    QemuTrace(Path file) {
        this.file = file;
        this.wallToNano = wallToNano();
    }

    /** The closest of some readings of both clocks: a thread may lose its processor between the two. */
    private static long wallToNano() {
        long best = 0;
        long narrowest = Long.MAX_VALUE;
        for (int i = 0; i < 100; i++) {
            long before = System.nanoTime();
            Instant wall = Instant.now();
            long took = System.nanoTime() - before;
            if (took < narrowest) {
                narrowest = took;
                best = before + took / 2 - (wall.getEpochSecond() * 1_000_000_000L + wall.getNano());
            }
        }
        return best;
    }

    /** All changes so far; none if there is no record, as of a QEMU that was built without it. */
    List<Change> changes() {
        List<String> lines;
        try {
            lines = Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return List.of();
        }
        List<Change> changes = new ArrayList<>();
        for (String line : lines) {
            Matcher change = CHANGE.matcher(line);
            if (change.matches()) {
                long wallNs =
                        Long.parseLong(change.group(1)) * 1_000_000_000L + Long.parseLong(change.group(2)) * 1_000L;
                changes.add(new Change(wallNs + wallToNano, change.group(3).equals("1"), change.group(4)));
            }
        }
        return changes;
    }

    /** When the vCPUs stopped for the first time at or after a moment. */
    OptionalLong stoppedFrom(long notBeforeNs) {
        return changes().stream()
                .filter(change -> !change.running() && change.atNs() >= notBeforeNs)
                .mapToLong(Change::atNs)
                .findFirst();
    }
}
