package io.holdfast.block;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who uses a block device or one of its partitions, for the message to the operator: mounts, swap, and what is built on it
 * (device-mapper, RAID). What decides is the kernel, by O_EXCL; this says it in words.
 */
final class DeviceUsers {
    private static final Path MOUNTS = Path.of("/proc/self/mountinfo");
    private static final Path SWAPS = Path.of("/proc/swaps");
    private static final Path DEVICES = Path.of("/sys/dev/block");

    // "36 35 98:0 /mnt1 /mnt2 rw,noatime …" (proc(5))
    private static final int MOUNT_FIELD_DEVICE = 2;
    private static final int MOUNT_FIELD_POINT = 4;

    private final List<String> mounts;
    private final List<String> swaps;

    private DeviceUsers(List<String> mounts, List<String> swaps) {
        this.mounts = mounts;
        this.swaps = swaps;
    }

    /**
     * A sentence's worth, such as "its partition sdb1 is mounted at /mnt"; null if nothing is known of a user.
     *
     * @param device numbers as /sys/dev/block has them, {@code 8:16}
     */
    static @Nullable String describe(String device) throws IOException {
        return new DeviceUsers(Files.readAllLines(MOUNTS), Files.readAllLines(SWAPS)).ofDisk(DEVICES.resolve(device));
    }

    private @Nullable String ofDisk(Path disk) throws IOException {
        if (!Files.isDirectory(disk)) {
            return null;
        }
        String use = of(disk.toRealPath());
        if (use != null) {
            return "it " + use;
        }
        for (Path partition : partitions(disk)) {
            use = of(partition);
            if (use != null) {
                return "its partition " + partition.getFileName() + " " + use;
            }
        }
        return null;
    }

    private static List<Path> partitions(Path disk) throws IOException {
        List<Path> partitions = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(disk)) {
            for (Path entry : entries) {
                if (Files.exists(entry.resolve("partition"))) {
                    partitions.add(entry);
                }
            }
        }
        return partitions;
    }

    /** What a device, by its folder in /sys, is used for. */
    private @Nullable String of(Path device) throws IOException {
        String number = Files.readString(device.resolve("dev")).strip();
        for (String mount : mounts) {
            String[] fields = mount.split(" ", -1);
            if (fields.length > MOUNT_FIELD_POINT && fields[MOUNT_FIELD_DEVICE].equals(number)) {
                return "is mounted at " + fields[MOUNT_FIELD_POINT] + "; unmount it first";
            }
        }
        for (String swap : swaps) {
            if (swap.startsWith("/dev/" + device.getFileName() + " ")) {
                return "is used for swap; switch that off first";
            }
        }
        return holder(device.resolve("holders"));
    }

    private static @Nullable String holder(Path holders) throws IOException {
        if (!Files.isDirectory(holders)) {
            return null;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(holders)) {
            for (Path entry : entries) {
                return "is part of " + entry.getFileName() + "; export that, or take it apart first";
            }
        }
        return null;
    }
}
