package io.holdfast.block;

import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** A block device: one over a file. Needs root. */
class BlockDeviceTest extends BlockBackendContract {
    @TempDir
    Path dir;

    private final RootRig root = new RootRig();

    @AfterEach
    void detach() throws Exception {
        root.close();
    }

    private Path device(String name, long sizeBytes) throws Exception {
        Path path = dir.resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        return root.blockDevice(path);
    }

    protected FileOptions with(FileOptions options) {
        return options;
    }

    @Override
    protected final BlockBackend create(long sizeBytes) throws Exception {
        return bind(FileBackend.open(device("disk.img", sizeBytes), with(FileOptions.READ_WRITE)));
    }

    @Override
    protected final BlockBackend createReadOnly(long sizeBytes) throws Exception {
        return bind(FileBackend.open(device("ro.img", sizeBytes), with(FileOptions.READ_ONLY)));
    }

    /** The kernel does not know what a device has discarded: to lseek(2) all of it is data. */
    @Override
    protected String told(String holesAndData, long lengthBytes) {
        return "data " + lengthBytes;
    }

    private static BlockBackend bind(FileBackend opened) throws Exception {
        opened.bindNative();
        return opened;
    }
}
