package io.holdfast.block;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIf;

/** tmpfs does not know RWF_NOWAIT. */
@EnabledIf(value = "hasMemoryFileSystem", disabledReason = "/dev/shm is not there or not writable")
class FileBackendInMemoryTest extends FileBackendContract {
    private static final Path SHM = Path.of("/dev/shm");

    static boolean hasMemoryFileSystem() {
        return Files.isWritable(SHM);
    }

    @Override
    protected Path parent() {
        return SHM;
    }
}
