package io.holdfast.scsi;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A small file that is the old one or the new one, whenever the process or the host dies: what is new is written to another
 * name, made durable, renamed over the file, and the rename made durable.
 */
final class DurableFile {
    private final Path file;
    private final Disk disk;

    /** The steps to durability, so that a test can stop at each of them. */
    interface Disk {
        void write(Path path, byte[] content) throws IOException;

        void sync(Path path) throws IOException;

        void rename(Path from, Path to) throws IOException;

        /** If it is there. */
        void delete(Path path) throws IOException;
    }

    static final Disk REAL = new Disk() {
        @Override
        public void write(Path path, byte[] content) throws IOException {
            Files.write(path, content);
        }

        @Override
        public void sync(Path path) throws IOException {
            StandardOpenOption how = Files.isDirectory(path) ? StandardOpenOption.READ : StandardOpenOption.WRITE;
            try (FileChannel channel = FileChannel.open(path, how)) {
                channel.force(true);
            }
        }

        @Override
        public void rename(Path from, Path to) throws IOException {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        }

        @Override
        public void delete(Path path) throws IOException {
            Files.deleteIfExists(path);
        }
    };

    /** @param directory made if it is missing */
    DurableFile(Path directory, String name, Disk disk) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory);
            // The new name is in the directory above.
            disk.sync(directory.resolve(".."));
        }
        this.file = directory.resolve(name);
        this.disk = disk;
    }

    Path path() {
        return file;
    }

    /** Durable when this returns. */
    void replace(byte[] content) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        disk.write(fresh, content);
        disk.sync(fresh);
        disk.rename(fresh, file);
        disk.sync(file.resolveSibling("."));
    }

    /** Durable when this returns. */
    void delete() throws IOException {
        disk.delete(file);
        disk.sync(file.resolveSibling("."));
    }
}
