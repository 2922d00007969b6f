package io.holdfast.agent;

import io.holdfast.agent.qmp.IscsiDisk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether a VM's logins may be redirected, or its data must be relayed.
 *
 * <p>libiscsi before 1.20.1 has a race when it is redirected while it reconnects: it closes its descriptor and later
 * duplicates the new one onto the old number (its pull request 432). If another thread of QEMU opened something in between,
 * that is what is lost: disks, or the whole process. With one thread for all iSCSI disks nothing else opens descriptors.
 *
 * @param relay true if the data must be relayed
 * @param why for people
 */
record RedirectSafety(boolean relay, String why) {
    private static final Pattern LIBISCSI = Pattern.compile("libiscsi\\.so\\.(\\d+)");
    /**
     * The library's version is in none of its files; its soname is. 1.20.0 is libiscsi.so.10, and 1.20.3, which has the
     * fix, is libiscsi.so.11.
     */
    private static final int FIRST_SAFE_SONAME = 11;

    static RedirectSafety judge(List<IscsiDisk> disks, String mappedFiles) {
        Set<String> threads = new TreeSet<>();
        disks.forEach(disk -> threads.add(disk.thread()));
        if (disks.size() < 2 || threads.size() < 2 && !threads.contains(IscsiDisk.UNKNOWN_THREAD)) {
            return new RedirectSafety(false, "one thread serves its iSCSI disks");
        }
        Matcher loaded = LIBISCSI.matcher(mappedFiles);
        if (!loaded.find()) {
            return new RedirectSafety(
                    true, "threads " + threads + " serve its iSCSI disks, and its libiscsi's version is unknown");
        }
        int soname = Integer.parseInt(loaded.group(1));
        return soname >= FIRST_SAFE_SONAME
                ? new RedirectSafety(false, "libiscsi.so." + soname + " reconnects safely")
                : new RedirectSafety(
                        true,
                        "threads " + threads + " serve its iSCSI disks, and libiscsi.so." + soname
                                + " (before 1.20.1) may then lose a disk when it is redirected");
    }

    /** The files a process has mapped; empty if they cannot be read. Blocks. */
    static String mappedFiles(int pid) {
        try {
            return Files.readString(Path.of("/proc", "" + pid, "maps"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
