package io.holdfast.block;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** As the server is while it starts: before the native library is there. */
class FileBackendUnboundTest extends FileBackendContract {

    @Override
    protected Path parent() throws IOException {
        return Files.createDirectories(Path.of("target"));
    }

    @Override
    protected boolean bound() {
        return false;
    }
}
