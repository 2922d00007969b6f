package io.holdfast.block;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class FileBackendOnDiskTest extends FileBackendContract {

    /** The build directory: temporary directories are in memory on some machines. */
    @Override
    protected Path parent() throws IOException {
        return Files.createDirectories(Path.of("target"));
    }
}
