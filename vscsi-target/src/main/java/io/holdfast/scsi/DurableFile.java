package io.holdfast.scsi;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A small file that is the old one or the new one, whenever the process or the host dies: what is new is written to another
 * name, made durable, renamed over the file, and the rename made durable.
 */
final class DurableFile {
    private static final Logger LOG = LoggerFactory.getLogger(DurableFile.class);

    private final Path directory;
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

    /** @param directory made with the first file, if it is missing */
    DurableFile(Path directory, String name, Disk disk) {
        this.directory = directory;
        this.file = directory.resolve(name);
        this.disk = disk;
    }

    /**
     * The logical units of which a directory holds files, each named by the unit and a suffix: none if there is no such
     * directory.
     */
    static Set<UUID> units(Path directory, String suffix) throws IOException {
        Set<UUID> units = new HashSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (name.endsWith(suffix)) {
                    add(name.substring(0, name.length() - suffix.length()), units);
                }
            }
        } catch (NoSuchFileException e) {
            return units;
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return units;
    }

    private static void add(String unit, Set<UUID> units) {
        try {
            units.add(UUID.fromString(unit));
        } catch (IllegalArgumentException e) {
            // Somebody else's: whoever asks for a unit asks by its own name.
            LOG.debug("{} is no logical unit's name", unit);
        }
    }

    Path path() {
        return file;
    }

    /** Durable when this returns. */
    void replace(byte[] content) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory);
            // The new name is in the directory above.
            disk.sync(directory.resolve(".."));
        }
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
