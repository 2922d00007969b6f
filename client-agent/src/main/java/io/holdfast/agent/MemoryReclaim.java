package io.holdfast.agent;

import io.holdfast.linux.LinuxException;
import io.holdfast.linux.Pidfd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Gives the memory of a process that stands still back to the host: its large file-backed shared mappings (QEMU's
 * {@code memory-backend-file} with {@code share=on}) are paged out to their file. They come back page by page when they are
 * touched. Blocks for as long as that writing takes.
 */
final class MemoryReclaim {
    private static final Pattern MAPPING = Pattern.compile("([0-9a-f]+)-([0-9a-f]+) (\\S+) \\S+ \\S+ (\\d+) *(.*)");
    /** Guest memory is larger; libraries and pixels are smaller. */
    private static final long MIN_BYTES = 16L << 20;

    private MemoryReclaim() {}

    /** A range of a process's memory. */
    record Range(long address, long lengthBytes) {}

    /**
     * What came of it.
     *
     * @param problem why nothing or not all was given back; empty if all was
     */
    record Outcome(long residentBeforeBytes, long residentAfterBytes, String problem) {}

    static Outcome of(int pid) {
        long before = residentBytes(pid);
        String problem = "";
        List<Range> ranges = sharedRanges(mappings(pid));
        if (ranges.isEmpty()) {
            problem = "its memory is no file that is shared (-object memory-backend-file,share=on)";
        }
        try (Pidfd process = Pidfd.open(pid)) {
            for (Range range : ranges) {
                process.pageOut(range.address(), range.lengthBytes());
            }
        } catch (LinuxException e) {
            problem = e.getMessage() == null ? e.toString() : e.getMessage();
        }
        return new Outcome(before, residentBytes(pid), problem);
    }

    private static List<String> mappings(int pid) {
        try {
            return Files.readAllLines(Path.of("/proc", "" + pid, "maps"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return List.of();
        }
    }

    /** proc(5), {@code maps}: shared, of a file. */
    static List<Range> sharedRanges(List<String> maps) {
        List<Range> ranges = new ArrayList<>();
        for (String line : maps) {
            Matcher mapping = MAPPING.matcher(line);
            if (mapping.matches()) {
                long from = Long.parseUnsignedLong(mapping.group(1), 16);
                long length = Long.parseUnsignedLong(mapping.group(2), 16) - from;
                boolean shared =
                        mapping.group(3).endsWith("s") && mapping.group(3).startsWith("rw");
                boolean file = !mapping.group(4).equals("0");
                if (shared && file && length >= MIN_BYTES) {
                    ranges.add(new Range(from, length));
                }
            }
        }
        return ranges;
    }

    /** proc(5), {@code status}: 0 if it cannot be read. */
    static long residentBytes(int pid) {
        try {
            for (String line : Files.readAllLines(Path.of("/proc", "" + pid, "status"))) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException e) {
            // It is gone, or not ours to look into.
        }
        return 0;
    }
}
