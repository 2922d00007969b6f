package io.holdfast.management.doctor;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import io.holdfast.linux.LinuxException;
import io.holdfast.management.config.ByteSize;
import io.holdfast.management.config.Export;
import io.holdfast.management.config.Portal;
import io.holdfast.management.config.ServeConfig;
import io.holdfast.net.Addresses;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** What the server's settings name: ports, directories, images. */
final class ServerChecks {
    private static final long ROOM_LEAST_BYTES = 1L << 30;

    private final Host host;
    private final List<Finding> findings = new ArrayList<>();

    private ServerChecks(Host host) {
        this.host = host;
    }

    static List<Finding> of(Host host, ServeConfig config) {
        ServerChecks checks = new ServerChecks(host);
        for (Portal portal : config.portals()) {
            checks.port("listen", portal.address());
        }
        checks.port("control", config.control());
        checks.state(config.state());
        config.exports().forEach(checks::image);
        return checks.findings;
    }

    private void port(String setting, InetSocketAddress address) {
        String text = setting + " " + Addresses.print(address);
        Optional<Host.Running> listener = host.listener(address.getPort());
        if (listener.isEmpty()) {
            findings.add(Finding.ok("port", text + " is free"));
        } else if (listener.get().arguments().stream().anyMatch(argument -> argument.contains("holdfast"))
                || listener.get().pid() == 1) {
            findings.add(Finding.ok("port", text + " is Holdfast's"));
        } else {
            Host.Running other = listener.get();
            findings.add(Finding.fail(
                    "port",
                    text + " is used by "
                            + (other.pid() == 0
                                    ? "a process that cannot be looked at"
                                    : other.program() + " (process " + other.pid() + ")"),
                    "stop that, or choose another port"));
        }
    }

    private void state(Optional<Path> state) {
        if (state.isEmpty()) {
            findings.add(Finding.warn(
                    "state",
                    "there is no state directory: reservations end with the server, and identities follow from inodes",
                    "set state = \"/var/lib/holdfast\""));
            return;
        }
        Path directory = state.get();
        if (!Files.exists(directory)) {
            findings.add(Finding.ok("state", directory + " is made at the first start"));
        } else {
            secret("state", directory, "chmod 700 " + directory);
        }
    }

    private void image(Export export) {
        Path path = export.path();
        if (!Files.exists(path)) {
            findings.add(
                    export.sizeBytes().isPresent()
                            ? Finding.ok("image", path + " is made at the start")
                            : Finding.fail("image", path + " does not exist", "correct the path, or give it a size"));
            return;
        }
        if (Files.isRegularFile(path)) {
            secret("image", path, "chmod 600 " + path);
            reads(path);
            room(path);
        }
    }

    /** Others may neither read nor write it. */
    private void secret(String check, Path path, String advice) {
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(path);
            String text = path + " has permissions " + PosixFilePermissions.toString(permissions);
            if (permissions.contains(PosixFilePermission.OTHERS_READ)
                    || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
                findings.add(Finding.fail(check, text + ": everybody on this machine reaches it", advice));
            } else {
                findings.add(Finding.ok(check, text));
            }
        } catch (IOException | UnsupportedOperationException e) {
            findings.add(Finding.fail(check, path + " cannot be looked at: " + e, "correct its path or its owner"));
        }
    }

    private void reads(Path path) {
        OptionalInt opened = OptionalInt.empty();
        try {
            opened = OptionalInt.of(Linux.open(path, Linux.O_RDONLY));
            boolean nowait = Linux.preadv2(opened.getAsInt(), 0, 0, 0, Linux.RWF_NOWAIT) != -Errno.EOPNOTSUPP.number();
            findings.add(
                    nowait
                            ? Finding.ok("nowait", path + ": its file system reads without waiting (RWF_NOWAIT)")
                            : Finding.warn(
                                    "nowait",
                                    path
                                            + ": its file system has no RWF_NOWAIT, so that every read goes through a pool of"
                                            + " threads",
                                    "ext4, xfs and btrfs have it"));
        } catch (LinuxException | LinkageError e) {
            findings.add(Finding.fail(
                    "image", path + " cannot be opened: " + e.getMessage(), "it must belong to the server's user"));
        } finally {
            opened.ifPresent(ServerChecks::close);
        }
    }

    private static void close(int fd) {
        try {
            Linux.close(fd);
        } catch (LinuxException e) {
            throw new IllegalStateException(e);
        }
    }

    private void room(Path path) {
        try {
            long left = Files.getFileStore(path).getUsableSpace();
            if (left < ROOM_LEAST_BYTES) {
                findings.add(Finding.warn(
                        "room",
                        "the file system of " + path + " has " + ByteSize.print(left) + " left",
                        "sparse images grow: make room before guests are paused for want of it"));
            }
        } catch (IOException e) {
            // Said by the others.
        }
    }
}
