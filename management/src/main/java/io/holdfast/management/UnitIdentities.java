package io.holdfast.management;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.channels.FileChannel;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The UUID of each logical unit: what initiators recognise a disk by, so it must not change while the disk's contents do
 * not. With a state directory a UUID is made up once and kept there, by target name; without one it follows from this
 * machine's id, the file's real path and its inode. A file that this start has created is another disk than the one that
 * had its name before: of an image whose file system is not mounted an empty one is made, and a frozen VM must not be
 * resumed on that.
 *
 * <p>Used by one thread, at start.
 */
final class UnitIdentities {
    private static final Logger LOG = LoggerFactory.getLogger(UnitIdentities.class);
    private static final String FILE = "units.json";
    private static final Path MACHINE_ID = Path.of("/etc/machine-id");

    private final Optional<Path> state;
    private final Map<String, UUID> known = new TreeMap<>();
    private boolean changed;

    private UnitIdentities(Optional<Path> state) {
        this.state = state;
    }

    /** @throws IOException if the state directory cannot be made or its file is damaged */
    static UnitIdentities load(Optional<Path> state) throws IOException {
        UnitIdentities identities = new UnitIdentities(state);
        if (state.isPresent()) {
            identities.read(state.get());
        }
        return identities;
    }

    private void read(Path directory) throws IOException {
        try {
            Files.createDirectories(directory);
        } catch (FileAlreadyExistsException e) {
            throw new IOException("state directory " + directory + " is a file; name a directory", e);
        } catch (IOException e) {
            throw new IOException("state directory " + directory + " cannot be made: " + e.getMessage(), e);
        }
        Path file = directory.resolve(FILE);
        try {
            Units units = new ObjectMapper().readValue(Files.readAllBytes(file), Units.class);
            if (units == null || units.units() == null || units.units().containsValue(null)) {
                throw new IOException("it does not name units and their UUIDs");
            }
            units.units().forEach((name, uuid) -> known.put(name, UUID.fromString(uuid)));
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

    UUID of(String targetName, Path path, Image image) throws IOException {
        if (state.isEmpty()) {
            String seed = machineId() + '\n' + path.toRealPath() + '\n' + Files.getAttribute(path, "unix:ino");
            return UUID.nameUUIDFromBytes(seed.getBytes(StandardCharsets.UTF_8));
        }
        if (image == Image.CREATED && known.remove(targetName) != null) {
            LOG.warn(
                    "{}: {} was missing and has been created empty: it gets a new identity, and VMs that are frozen on the"
                            + " old disk stay so. Is its file system mounted?",
                    targetName,
                    path);
        }
        return known.computeIfAbsent(targetName, name -> {
            changed = true;
            return UUID.randomUUID();
        });
    }

    private static String machineId() {
        try {
            return Files.readString(MACHINE_ID).strip();
        } catch (IOException e) {
            // Minimal containers have none; the path alone is still stable.
            return "";
        }
    }

    /** Makes new identities durable. To be called before an initiator can see them. */
    void save() throws IOException {
        if (!changed || state.isEmpty()) {
            return;
        }
        Map<String, String> texts = new TreeMap<>();
        known.forEach((name, uuid) -> texts.put(name, uuid.toString()));
        try {
            write(
                    state.get(),
                    new ObjectMapper()
                            .enable(SerializationFeature.INDENT_OUTPUT)
                            .writeValueAsBytes(new Units(texts)));
        } catch (AccessDeniedException e) {
            throw new IOException(
                    "state directory " + state.get() + " may not be written by user " + System.getProperty("user.name")
                            + "; change its permissions",
                    e);
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

    /** What the file holds: target name to UUID. */
    record Units(Map<String, String> units) {}
}
