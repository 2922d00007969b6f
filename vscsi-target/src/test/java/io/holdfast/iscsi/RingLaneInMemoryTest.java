package io.holdfast.iscsi;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIf;

/** The same contract for files that live in memory, which the ring's lane reads in place. */
@EnabledIf(value = "hasMemoryFileSystem", disabledReason = "/dev/shm is not there or not writable")
class RingLaneInMemoryTest extends RingLaneTest {
    private static final Path SHM = Path.of("/dev/shm");

    static boolean hasMemoryFileSystem() {
        return Files.isWritable(SHM);
    }

    @Override
    protected Path parent() {
        return SHM;
    }
}
