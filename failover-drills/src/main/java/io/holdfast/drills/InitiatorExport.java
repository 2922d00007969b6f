package io.holdfast.drills;

import java.nio.file.Path;

/** The disks that the initiator guest finds on the server. */
enum InitiatorExport {
    DISK("disk", 256, ""),
    SCRATCH("scratch", 64, ""),
    PATHS("paths", 128, ""),
    GROW("grow", 32, ""),
    READ_ONLY("ro", 16, "ro"),
    WRITE_THROUGH("through", 32, "cache=writethrough"),
    BIG_BLOCKS("big", 64, "block-size=4096"),
    REMOVABLE("removable", 16, "removable"),
    /** On a server of its own, which asks for CHAP. */
    GUARDED("chap", 16, "");

    private static final int SECTOR = 512;

    private final String target;
    private final long sizeMib;
    private final String options;

    InitiatorExport(String target, long sizeMib, String options) {
        this.target = target;
        this.sizeMib = sizeMib;
        this.options = options;
    }

    /** What its target is named after the prefix. */
    String target() {
        return target;
    }

    long sizeBytes() {
        return sizeMib << 20;
    }

    long sectors() {
        return sizeBytes() / SECTOR;
    }

    /** The part of {@code --export}'s help that says whether the server can serve it; empty if every server can. */
    String needs() {
        int equals = options.indexOf('=');
        return equals < 0 ? "" : options.substring(0, equals + 1);
    }

    Path file(Path folder) {
        return folder.resolve(target + ".img");
    }

    /** The value of {@code --export}. The file exists. */
    String argument(Path folder) {
        return options.isEmpty() ? file(folder).toString() : file(folder) + "," + options;
    }
}
