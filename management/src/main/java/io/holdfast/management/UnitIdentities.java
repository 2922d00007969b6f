package io.holdfast.management;

import io.holdfast.linux.FileFailure;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The UUID of each logical unit: what initiators recognise a disk by, so it must not change while the disk's contents do
 * not. With a state directory a UUID is made up once and kept there, by target name; without one it follows from this
 * machine's id, the file's real path and its inode. A file that this start has created is another disk than the one that
 * had its name before: of an image whose file system is not mounted an empty one is made, and a frozen VM must not be
 * resumed on that. Nor on another image that was given the name: with a state directory the image's path is kept beside
 * the UUID; so is the length of its blocks.
 *
 * <p>A state directory belongs to one server at a time, until {@link #close}: each would write over the other's UUIDs.
 * <p>Used by one thread, at start.
 */
final class UnitIdentities implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(UnitIdentities.class);
    private static final String FILE = "units.json";
    private static final String LOCK = "lock";
    /** A server that was just killed holds the lock for as long as the kernel takes to clear the process away. */
    private static final long DYING_HOLDER_LIMIT_MS = 2_000;

    private static final long LOCK_RETRY_MS = 10;

    private static final Path MACHINE_ID = Path.of("/etc/machine-id");

    private final Optional<Path> state;
    private final Map<String, KnownUnit> known = new TreeMap<>();
    /** As this start found them. */
    private final Map<String, KnownUnit> found = new TreeMap<>();

    private @Nullable FileChannel lock;
    private boolean changed;

    private UnitIdentities(Optional<Path> state) {
        this.state = state;
    }

    /** @throws IOException if the state directory cannot be made, another server uses it, or its file is damaged */
    static UnitIdentities load(Optional<Path> state) throws IOException {
        UnitIdentities identities = new UnitIdentities(state);
        if (state.isPresent()) {
            try {
                identities.lock(state.get());
                identities.read(state.get());
            } catch (IOException e) {
                identities.close();
                throw e;
            }
        }
        return identities;
    }

    private void lock(Path directory) throws IOException {
        make(directory);
        FileChannel channel;
        try {
            channel = FileChannel.open(directory.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (AccessDeniedException e) {
            throw notWritable(directory, e);
        }
        lock = channel;
        long deadlineNs = System.nanoTime() + DYING_HOLDER_LIMIT_MS * 1_000_000L;
        while (!tryLock(channel)) {
            if (System.nanoTime() - deadlineNs >= 0) {
                throw new IOException("state directory " + directory
                        + " is in use by another server; stop that first, or give each a directory of its own");
            }
            LockSupport.parkNanos(LOCK_RETRY_MS * 1_000_000L);
        }
    }

    private static boolean tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            // Held by this very process.
            return false;
        }
    }

    private static IOException notWritable(Path directory, IOException cause) {
        return new IOException(
                "state directory " + directory + " may not be written by user " + System.getProperty("user.name")
                        + "; change its permissions",
                cause);
    }

    private static void make(Path directory) throws IOException {
        try {
            Files.createDirectories(directory);
        } catch (FileAlreadyExistsException e) {
            throw new IOException("state directory " + directory + " is a file; name a directory", e);
        } catch (IOException e) {
            throw new IOException("state directory " + directory + " cannot be made: " + FileFailure.inWords(e), e);
        }
    }

    private void read(Path directory) throws IOException {
        Path file = directory.resolve(FILE);
        try {
            known.putAll(UnitsJson.read(Files.readAllBytes(file)));
            found.putAll(known);
        } catch (NoSuchFileException e) {
            // The first start.
        } catch (IOException | IllegalArgumentException e) {
            throw new IOException(
                    file + " is damaged: " + firstLine(e)
                            + "; restore it, or remove it and every disk gets a new identity",
                    e);
        }
    }

    private static String firstLine(Exception e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }

    /** What an image was before this start. */
    enum Image {
        FOUND,
        CREATED
    }

    /** @throws IOException if the name belongs to an image at another path, or to one with blocks of another length */
    UUID of(String targetName, Path path, Image image, int blockBytes) throws IOException {
        if (state.isEmpty()) {
            String seed = machineId() + '\n' + path.toRealPath() + '\n' + Files.getAttribute(path, "unix:ino");
            if (blockBytes != KnownUnit.DEFAULT_BLOCK_BYTES) {
                // In other blocks it is another disk: every number of a block on it would mean another place.
                seed += "\n" + blockBytes;
            }
            return UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8));
        }
        String place = place(path);
        KnownUnit before = known.get(targetName);
        if (before != null && !before.path().equals(place)) {
            throw new IOException(targetName + " was " + before.path() + " and is now " + place
                    + ": VMs would go on with another disk; give the export another name, or, if the image was moved, "
                    + "correct its path in " + state.get().resolve(FILE));
        }
        if (image == Image.CREATED && known.remove(targetName) != null) {
            LOG.warn(
                    "{}: {} was missing and has been created empty: it gets a new identity, and VMs that are frozen on the"
                            + " old disk stay so. Is its file system mounted?",
                    targetName,
                    path);
        }
        KnownUnit unit = known.computeIfAbsent(targetName, name -> {
            changed = true;
            return new KnownUnit(UUID.randomUUID(), place, blockBytes);
        });
        if (unit.blockBytes() != blockBytes) {
            throw new IOException(targetName + " has blocks of " + unit.blockBytes() + " bytes and cannot have "
                    + blockBytes + ": whatever is on it would be looked for in other places; give it block-size="
                    + unit.blockBytes() + ", or export it under another name");
        }
        return unit.uuid();
    }

    /**
     * What an image is remembered by. Of a device the name it was given: what links such as /dev/disk/by-id/… and logical
     * volumes lead to changes from boot to boot.
     */
    private static String place(Path path) throws IOException {
        Path place = Files.isRegularFile(path)
                ? path.toRealPath()
                : path.toAbsolutePath().normalize();
        return place.toString();
    }

    private static String machineId() {
        try {
            return Files.readString(MACHINE_ID).strip();
        } catch (IOException e) {
            // Minimal containers have none; the path alone is still stable.
            return "";
        }
    }

    /** A unit's image was created by this start and is removed again: its name stands for what it stood for before. */
    void revert(String targetName) {
        KnownUnit before = found.get(targetName);
        if (before == null) {
            known.remove(targetName);
        } else {
            known.put(targetName, before);
        }
        changed = true;
    }

    /** Makes new identities durable. To be called before an initiator can see them. */
    void save() throws IOException {
        if (!changed || state.isEmpty()) {
            return;
        }
        try {
            write(state.get(), UnitsJson.written(known));
        } catch (AccessDeniedException e) {
            throw notWritable(state.get(), e);
        }
        changed = false;
    }

    private static void write(Path directory, byte[] json) throws IOException {
        Path temporary = directory.resolve(FILE + ".new");
        Files.write(
                temporary,
                json,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE);
        sync(temporary, StandardOpenOption.WRITE);
        try {
            Files.move(temporary, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw new IOException("state directory " + directory + " is on a file system without atomic rename", e);
        }
        sync(directory, StandardOpenOption.READ);
    }

    private static void sync(Path path, StandardOpenOption how) throws IOException {
        try (FileChannel channel = FileChannel.open(path, how)) {
            channel.force(true);
        }
    }

    /** Lets another server use the state directory. */
    @Override
    public void close() {
        FileChannel held = lock;
        if (held == null) {
            return;
        }
        try {
            held.close();
        } catch (IOException e) {
            LOG.warn("{}: its lock cannot be given back: {}", state.orElseThrow(), e.getMessage());
        }
    }
}
