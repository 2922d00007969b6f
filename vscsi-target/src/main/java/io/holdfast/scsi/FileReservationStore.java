package io.holdfast.scsi;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Persistent reservations in a file, one for each logical unit. A change is written to another name, made durable, renamed
 * over the file, and the rename made durable: whenever the server dies, the file is the old one or the new one, and the
 * initiator has not heard of the new one before it was there for good.
 *
 * <p>The directory belongs to one server at a time: whoever opens the store sees to that.
 */
public final class FileReservationStore implements ReservationStore {
    /** Far more than {@link PersistentReservations#MAX_REGISTRATIONS} take. */
    private static final int MAX_FILE_BYTES = 1 << 20;

    private final Path directory;
    private final Path file;
    private final UUID unit;
    private final Disk disk;
    private volatile PersistentReservations current;

    private FileReservationStore(Path directory, UUID unit, Disk disk) throws IOException {
        this.directory = directory;
        file = directory.resolve(unit + ".reservations");
        this.unit = unit;
        this.disk = disk;
        current = read(file, unit);
    }

    /** The steps to durability, so that a test can stop at each of them. */
    interface Disk {
        void write(Path path, byte[] content) throws IOException;

        void sync(Path path) throws IOException;

        void rename(Path from, Path to) throws IOException;
    }

    private static final Disk REAL = new Disk() {
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
    };

    /**
     * Reads what was committed by whoever used the directory before.
     *
     * @param directory made if it is missing
     * @throws IOException naming the file, if it cannot be read, is torn, or is another logical unit's
     */
    public static FileReservationStore open(Path directory, UUID unit) throws IOException {
        return open(directory, unit, REAL);
    }

    static FileReservationStore open(Path directory, UUID unit, Disk disk) throws IOException {
        if (!Files.isDirectory(directory)) {
            Files.createDirectories(directory);
            // The new name is in the directory above.
            disk.sync(directory.resolve(".."));
        }
        return new FileReservationStore(directory, unit, disk);
    }

    private static PersistentReservations read(Path file, UUID unit) throws IOException {
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new ReservationFile.DamagedException("it has " + Files.size(file) + " bytes");
            }
            return ReservationFile.decode(unit, Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            return PersistentReservations.NONE;
        } catch (ReservationFile.DamagedException e) {
            throw new IOException(
                    "reservations " + file + " cannot be used: " + e.getMessage()
                            + "; restore it, or remove it and nobody holds a reservation of that disk any more",
                    e);
        }
    }

    @Override
    public PersistentReservations current() {
        return current;
    }

    @Override
    public synchronized PersistentReservations commit(PersistentReservations expected, PersistentReservations next)
            throws IOException {
        if (!current.equals(expected)) {
            return current;
        }
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        disk.write(fresh, ReservationFile.encode(unit, next));
        disk.sync(fresh);
        disk.rename(fresh, file);
        disk.sync(directory);
        current = next;
        return next;
    }

    @Override
    public boolean durable() {
        return true;
    }
}
