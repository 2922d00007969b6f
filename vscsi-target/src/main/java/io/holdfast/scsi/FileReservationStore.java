package io.holdfast.scsi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.UUID;

/**
 * Persistent reservations in a file, one for each logical unit, a {@link DurableFile}: the initiator has not heard of a change
 * before it was there for good.
 *
 * <p>The directory belongs to one server at a time: whoever opens the store sees to that.
 */
public final class FileReservationStore implements ReservationStore {
    /** Far more than {@link PersistentReservations#MAX_REGISTRATIONS} take. */
    private static final int MAX_FILE_BYTES = 1 << 20;

    private static final String SUFFIX = ".reservations";

    private final DurableFile file;
    private final UUID unit;
    private volatile PersistentReservations current;

    private FileReservationStore(DurableFile file, UUID unit, PersistentReservations current) {
        this.file = file;
        this.unit = unit;
        this.current = current;
    }

    /** The logical units of which a directory keeps reservations. */
    public static Set<UUID> units(Path directory) throws IOException {
        return DurableFile.units(directory, SUFFIX);
    }

    /**
     * The store of a unit of which the directory keeps nothing, which whoever opens it has seen: the disk is not asked.
     *
     * @param directory made with the first reservation, if it is missing
     */
    public static FileReservationStore fresh(Path directory, UUID unit) {
        return new FileReservationStore(file(directory, unit, DurableFile.REAL), unit, PersistentReservations.NONE);
    }

    private static DurableFile file(Path directory, UUID unit, DurableFile.Disk disk) {
        return new DurableFile(directory, unit + SUFFIX, disk);
    }

    /**
     * Reads what was committed by whoever used the directory before.
     *
     * @param directory made with the first reservation, if it is missing
     * @throws IOException naming the file, if it cannot be read, is torn, or is another logical unit's
     */
    public static FileReservationStore open(Path directory, UUID unit) throws IOException {
        return open(directory, unit, DurableFile.REAL);
    }

    static FileReservationStore open(Path directory, UUID unit, DurableFile.Disk disk) throws IOException {
        DurableFile file = file(directory, unit, disk);
        return new FileReservationStore(file, unit, read(file.path(), unit));
    }

    private static PersistentReservations read(Path file, UUID unit) throws IOException {
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new SealedText.DamagedException("it has " + Files.size(file) + " bytes");
            }
            return ReservationFile.decode(unit, Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            return PersistentReservations.NONE;
        } catch (SealedText.DamagedException e) {
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
        file.replace(ReservationFile.encode(unit, next));
        current = next;
        return next;
    }

    @Override
    public boolean durable() {
        return true;
    }
}
