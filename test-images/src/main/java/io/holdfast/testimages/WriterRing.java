package io.holdfast.testimages;

/**
 * Where a writer's records lie on the guest's root disk. The same numbers as in {@code src/main/c/writer.h}.
 *
 * @param writer the writer's number, from 0
 */
record WriterRing(int writer) {
    private static final int WRITE_MODES = 4;
    private static final int MODE_RENAME = 3;
    private static final int RING_SLOTS = 2048;
    private static final int RENAME_SLOTS = 256;

    /** How this writer makes its records durable: 0 fsync, 1 O_DIRECT, 2 O_DIRECT with O_DSYNC, 3 a renamed file each. */
    int mode() {
        return writer % WRITE_MODES;
    }

    /** True if each slot is a file of its own. */
    boolean slotsAreFiles() {
        return mode() == MODE_RENAME;
    }

    int slots() {
        return slotsAreFiles() ? RENAME_SLOTS : RING_SLOTS;
    }

    int slotOf(long sequence) {
        return (int) (sequence % slots());
    }

    /** Name below {@code /data}: the ring file, or the directory of slot files. */
    String name() {
        return slotsAreFiles() ? "w" + writer + ".d" : "w" + writer + ".log";
    }
}
