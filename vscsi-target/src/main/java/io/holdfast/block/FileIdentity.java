package io.holdfast.block;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * What a path means, by stat(2): two paths with the same identity are the same file. For a device node it is the node that
 * counts for locks, and the device that counts for everything else.
 *
 * @param device the number of the file system's device (st_dev)
 * @param inode the file's number there
 * @param type the file type bits of st_mode
 * @param ofDevice the number of the device that a device node stands for (st_rdev), 0 for other files
 */
record FileIdentity(long device, long inode, int type, long ofDevice) {
    private static final int S_IFMT = 0xf000;
    private static final int S_IFBLK = 0x6000;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFREG = 0x8000;

    static FileIdentity of(Path path) throws IOException {
        Map<String, Object> stat = Files.readAttributes(path, "unix:dev,ino,mode,rdev");
        int type = number(stat, "mode").intValue() & S_IFMT;
        return new FileIdentity(
                number(stat, "dev").longValue(),
                number(stat, "ino").longValue(),
                type,
                type == S_IFBLK ? number(stat, "rdev").longValue() : 0);
    }

    private static Number number(Map<String, Object> stat, String name) throws IOException {
        if (stat.get(name) instanceof Number number) {
            return number;
        }
        throw new IOException("stat does not say " + name);
    }

    boolean isBlockDevice() {
        return type == S_IFBLK;
    }

    boolean isDirectory() {
        return type == S_IFDIR;
    }

    boolean isRegularFile() {
        return type == S_IFREG;
    }

    /**
     * The key under which a server keeps what it has open: two nodes of one device are one. A text, because a record's
     * hash code is put together by method handles at its first use, which costs a start 15 ms.
     */
    String key() {
        return isBlockDevice() ? "device " + ofDevice : "file " + device + " " + inode;
    }

    /** The form of /proc/locks: {@code fe:00:1234}, major and minor number in hex, inode in decimal. */
    String asInProcLocks() {
        return String.format(Locale.ROOT, "%02x:%02x:%d", major(device), minor(device), inode);
    }

    /** The form of /proc/self/mountinfo: {@code 8:1}. */
    String deviceAsInMountinfo() {
        return major(ofDevice) + ":" + minor(ofDevice);
    }

    // The 64-bit encoding of the C library, gnu_dev_major(3).
    private static long major(long device) {
        return (device >>> 8 & 0xfff) | (device >>> 32 & ~0xfffL);
    }

    private static long minor(long device) {
        return (device & 0xff) | (device >>> 12 & ~0xffL);
    }
}
