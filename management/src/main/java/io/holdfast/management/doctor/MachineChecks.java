package io.holdfast.management.doctor;

import io.netty.channel.uring.IoUring;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Java, the kernel, limits: what server and agent need of any machine. */
final class MachineChecks {
    private static final int JAVA_LEAST = 17;
    /** Sessions, images, and room. */
    private static final long NOFILE_LEAST = 4096;

    private static final long MEMLOCK_LEAST = 8L << 20;
    private static final int SYN_LINEAR_LEAST = 20;
    private static final int REPLACEMENT_LEAST_SECONDS = 120;

    private static final String UNIT = "usr/lib/systemd/system/holdfast.service";

    private final Host host;
    private final List<Finding> findings = new ArrayList<>();

    private MachineChecks(Host host) {
        this.host = host;
    }

    /** @param ring the server is told to use io_uring */
    static List<Finding> of(Host host, boolean ring) {
        MachineChecks checks = new MachineChecks(host);
        checks.java(Runtime.version().feature());
        checks.ioUring(ring);
        checks.openFiles();
        checks.lockedMemory(ring);
        checks.synBackOff();
        checks.openIscsi();
        return checks.findings;
    }

    private void java(int version) {
        findings.add(
                version >= JAVA_LEAST
                        ? Finding.ok("java", "Java " + version)
                        : Finding.fail("java", "Java " + version, "install Java " + JAVA_LEAST + " or newer"));
    }

    private void ioUring(boolean wanted) {
        long disabled = host.number("proc/sys/kernel/io_uring_disabled").orElse(0);
        if (disabled == 0 && IoUring.isAvailable()) {
            findings.add(Finding.ok("io-uring", "io_uring can be used"));
            return;
        }
        String why = disabled == 0
                ? String.valueOf(IoUring.unavailabilityCause().getMessage())
                : "kernel.io_uring_disabled = " + disabled;
        if (wanted) {
            findings.add(Finding.fail(
                    "io-uring",
                    "io = \"ring\" is set, and io_uring cannot be used: " + why,
                    "set io = \"portable\", or sysctl kernel.io_uring_disabled=0"));
        } else {
            findings.add(Finding.ok("io-uring", "io_uring cannot be used (" + why + "), and need not be"));
        }
    }

    /** Of the server that runs, if one does; otherwise of what would be started by hand from here. */
    private void openFiles() {
        Optional<Host.Running> server = host.holdfast("serve");
        String name = "Max open files";
        OptionalLong limit =
                host.limit(server.map(Host.Running::pid).map(String::valueOf).orElse("self"), name);
        String whose = server.isPresent() ? "the server that runs" : "this shell, and what it starts,";
        if (limit.isEmpty() || limit.getAsLong() >= NOFILE_LEAST) {
            findings.add(Finding.ok("limit-nofile", "open files: " + inWords(limit)));
        } else if (server.isEmpty() && Files.exists(host.at(UNIT))) {
            findings.add(Finding.ok("limit-nofile", "open files: the unit of the service says how many"));
        } else {
            findings.add(Finding.warn(
                    "limit-nofile",
                    whose + " may open " + limit.getAsLong() + " files",
                    "the packaged units set LimitNOFILE=65536; by hand: ulimit -n " + NOFILE_LEAST + " or more"));
        }
    }

    private void lockedMemory(boolean ring) {
        OptionalLong limit = host.limit("self", "Max locked memory");
        if (ring && limit.isPresent() && limit.getAsLong() < MEMLOCK_LEAST) {
            findings.add(Finding.warn(
                    "limit-memlock",
                    "this shell may lock " + limit.getAsLong() + " bytes of memory; rings of older kernels need more",
                    "the packaged unit sets LimitMEMLOCK=64M; by hand: ulimit -l " + (MEMLOCK_LEAST >> 10)));
        } else {
            findings.add(Finding.ok("limit-memlock", "locked memory: " + inWords(limit)));
        }
    }

    private static String inWords(OptionalLong limit) {
        return limit.isPresent() ? "" + limit.getAsLong() : "no limit";
    }

    /** After a minute without a network TCP asks again only every half minute, if it is not told otherwise. */
    private void synBackOff() {
        String file = "proc/sys/net/ipv4/tcp_syn_linear_timeouts";
        OptionalLong linear = host.number(file);
        if (linear.isEmpty()) {
            findings.add(Finding.ok("syn-back-off", "this kernel has no net.ipv4.tcp_syn_linear_timeouts"));
        } else if (linear.getAsLong() < SYN_LINEAR_LEAST) {
            findings.add(Finding.warn(
                    "syn-back-off",
                    "net.ipv4.tcp_syn_linear_timeouts = " + linear.getAsLong()
                            + ": initiators without an agent come back up to 30 s after a network does",
                    "sysctl net.ipv4.tcp_syn_linear_timeouts=100 net.ipv4.tcp_syn_retries=100"));
        } else {
            findings.add(Finding.ok("syn-back-off", "net.ipv4.tcp_syn_linear_timeouts = " + linear.getAsLong()));
        }
    }

    /** The kernel's initiator fails requests to the file system after this time without a session. */
    private void openIscsi() {
        String key = "node.session.timeo.replacement_timeout";
        host.text("etc/iscsi/iscsid.conf").stream()
                .flatMap(String::lines)
                .map(String::strip)
                .filter(line -> line.startsWith(key))
                .map(line -> line.replaceAll(".*=\\s*", ""))
                .filter(value -> value.matches("[0-9]{1,9}"))
                .map(Long::parseLong)
                .forEach(seconds -> findings.add(
                        seconds != 0 && seconds < REPLACEMENT_LEAST_SECONDS
                                ? Finding.warn(
                                        "open-iscsi",
                                        key + " = " + seconds + ": the kernel's initiator fails I/O after an outage of "
                                                + seconds + " s",
                                        "without multipath set it to what an outage may last, "
                                                + REPLACEMENT_LEAST_SECONDS
                                                + " or more, in /etc/iscsi/iscsid.conf, and log in anew")
                                : Finding.ok("open-iscsi", key + " = " + seconds)));
    }
}
