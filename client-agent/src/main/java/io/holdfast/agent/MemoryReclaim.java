package io.holdfast.agent;

import io.holdfast.linux.LinuxException;
import io.holdfast.linux.Pidfd;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Gives the memory of a process that stands still back to the host. Its large shared mappings of files (QEMU's
 * {@code memory-backend-file} with {@code share=on}) are written to their file and forgotten; they come back page by page
 * when they are touched. Where the process is alone in a cgroup of version 2, the cgroup is reclaimed as well, which takes
 * anonymous memory if there is swap. Blocks for as long as the writing takes.
 */
final class MemoryReclaim {
    private static final Pattern MAPPING =
            Pattern.compile("([0-9a-f]+)-([0-9a-f]+) (\\S+) \\S+ ([0-9a-f]+:[0-9a-f]+) (\\d+) *(.*)");
    /** Guest memory is larger; libraries and pixels are smaller. */
    private static final long MIN_BYTES = 16L << 20;

    private static final String CGROUP_FILE = "memory.reclaim";

    private final Path proc;
    private final Path cgroups;

    /** Of this machine. */
    MemoryReclaim() {
        this(Path.of("/proc"), Path.of("/sys/fs/cgroup"));
    }

    /**
     * @param proc where proc(5) is
     * @param cgroups where the hierarchy of cgroups (version 2) is
     */
    MemoryReclaim(Path proc, Path cgroups) {
        this.proc = proc;
        this.cgroups = cgroups;
    }

    /**
     * A range of a process's memory.
     *
     * @param device of its file, as in {@code maps}
     * @param inode of its file
     */
    record Range(long address, long lengthBytes, String device, long inode, String file) {}

    /**
     * What came of it.
     *
     * @param problem why nothing or not all was given back; empty if all was
     */
    record Outcome(long residentBeforeBytes, long residentAfterBytes, String problem) {}

    Outcome of(int pid) {
        long before = residentBytes(pid);
        String problem = reclaim(pid);
        Optional<Path> cgroup = ownCgroup(pid);
        if (cgroup.isPresent() && reclaimCgroup(cgroup.get(), residentBytes(pid))) {
            problem = "";
        }
        return new Outcome(before, residentBytes(pid), problem);
    }

    // ------------------------------------------------------------------ mappings

    private String reclaim(int pid) {
        List<Range> ranges = sharedRanges(lines(process(pid).resolve("maps")));
        if (ranges.isEmpty()) {
            return "its memory is no file that is shared: give QEMU -object memory-backend-file,share=on,mem-path=FILE";
        }
        String problem = "";
        try (Pidfd process = Pidfd.open(pid)) {
            for (Range range : ranges) {
                Optional<String> refused = refusal(pid, range);
                if (refused.isPresent()) {
                    problem = refused.get();
                } else {
                    // A page that is dirty is not forgotten: the kernel would have to wait for its file.
                    writeOut(pid, range);
                    process.pageOut(range.address(), range.lengthBytes());
                }
            }
        } catch (LinuxException e) {
            problem = e.getMessage() == null ? e.toString() : e.getMessage();
        } catch (IOException e) {
            problem = "its memory cannot be written to its file: " + e.getMessage();
        }
        return problem;
    }

    /** Why this memory cannot be given back; empty if it can. */
    private Optional<String> refusal(int pid, Range range) {
        String type = fileSystem(pid, range);
        boolean inMemory =
                type.equals("tmpfs") || type.equals("hugetlbfs") || range.file().startsWith("/memfd:");
        if (inMemory && !(hasSwap() && !type.equals("hugetlbfs"))) {
            return Optional.of("its memory is in " + range.file() + ", a " + (type.isEmpty() ? "memfd" : type)
                    + " and no disk, and "
                    + (type.equals("hugetlbfs") ? "huge pages are not paged out" : "the host has no swap")
                    + ": put mem-path on a disk");
        }
        return Optional.empty();
    }

    /** The type of the file system of its file, as the process's mounts name it; empty if they do not. */
    private String fileSystem(int pid, Range range) {
        String[] device = range.device().split(":", -1);
        String wanted = Integer.parseInt(device[0], 16) + ":" + Integer.parseInt(device[1], 16);
        for (String line : lines(process(pid).resolve("mountinfo"))) {
            String[] words = line.split(" ", -1);
            int dash = List.of(words).indexOf("-");
            if (words.length > 2 && words[2].equals(wanted) && dash > 0 && dash + 1 < words.length) {
                return words[dash + 1];
            }
        }
        return "";
    }

    private boolean hasSwap() {
        return lines(proc.resolve("swaps")).size() > 1;
    }

    /** By the process's own descriptor: the path may have another meaning where we are, or none. */
    private void writeOut(int pid, Range range) throws IOException {
        try (DirectoryStream<Path> descriptors =
                Files.newDirectoryStream(process(pid).resolve("fd"))) {
            for (Path descriptor : descriptors) {
                if (isFile(descriptor, range)) {
                    try (FileChannel file = FileChannel.open(descriptor, StandardOpenOption.READ)) {
                        file.force(true);
                    }
                    return;
                }
            }
        }
        throw new IOException("it has " + range.file() + " not open any more");
    }

    private static boolean isFile(Path descriptor, Range range) {
        try {
            return Files.isRegularFile(descriptor)
                    && Files.getAttribute(descriptor, "unix:ino").equals(range.inode())
                    && Files.readSymbolicLink(descriptor).toString().equals(range.file());
        } catch (IOException e) {
            // Closed between the listing and the look.
            return false;
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
                long inode = Long.parseLong(mapping.group(5));
                if (shared && inode != 0 && length >= MIN_BYTES) {
                    ranges.add(new Range(from, length, mapping.group(4), inode, mapping.group(6)));
                }
            }
        }
        return ranges;
    }

    // ------------------------------------------------------------------ the cgroup

    /** Its cgroup, if it is there by itself and can be reclaimed: others in it would be slowed down for nothing. */
    Optional<Path> ownCgroup(int pid) {
        for (String line : lines(process(pid).resolve("cgroup"))) {
            if (line.startsWith("0::/") && line.length() > "0::/".length()) {
                Path own = cgroups.resolve(line.substring("0::/".length()));
                boolean alone = lines(own.resolve("cgroup.procs")).equals(List.of("" + pid)) && !hasChildren(own);
                if (alone && Files.isWritable(own.resolve(CGROUP_FILE))) {
                    return Optional.of(own);
                }
            }
        }
        return Optional.empty();
    }

    private static boolean hasChildren(Path cgroup) {
        try (Stream<Path> entries = Files.list(cgroup)) {
            return entries.anyMatch(Files::isDirectory);
        } catch (IOException e) {
            return true;
        }
    }

    /** @return whether all of it was reclaimed; the kernel says EAGAIN where it was less, which is no failure */
    private static boolean reclaimCgroup(Path cgroup, long bytes) {
        try {
            Files.writeString(cgroup.resolve(CGROUP_FILE), Long.toString(bytes), StandardOpenOption.WRITE);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    // ------------------------------------------------------------------ proc

    private Path process(int pid) {
        return proc.resolve(Integer.toString(pid));
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return List.of();
        }
    }

    /** proc(5), {@code status}: 0 if it cannot be read: it is gone, or not ours to look into. */
    long residentBytes(int pid) {
        for (String line : lines(process(pid).resolve("status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        return 0;
    }
}
