package io.holdfast.agent.freeze;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.linux.FileFailure;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The records of all VMs, one JSON file each, in a directory that one agent at a time may use. Owned by the agent's loop;
 * writing blocks it for some 0.1 ms, which is less than handing the work to another thread and waiting for it.
 *
 * <p>A record is written to another name and renamed, so that a reader sees the old one or the new one. It is <em>not</em>
 * fsynced: it has to outlive the agent, not the machine, since the VMs do not outlive the machine either, and an fsync
 * would stand between the loss of the server and the {@code stop}.
 *
 * <p>Records of many VMs at one instant are written together, to one file. Of two records of a VM the later one holds.
 */
public final class RecordStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RecordStore.class);
    private static final long MAX_RECORD_BYTES = 1024 * 1024;
    private static final long MAX_TOGETHER_BYTES = 256 * MAX_RECORD_BYTES;
    private static final ObjectMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    /** Records that were written at once; no VM's name begins like that. */
    private static final String TOGETHER = "_together.json";

    private final Path directory;
    private final FileChannel lockFile;
    /** By VM: the records of {@link #TOGETHER} that are newer than the VM's own file. */
    private final Map<String, FreezeRecord> together = new LinkedHashMap<>();
    /** The latest date given to a record: of two of a VM the later one holds. */
    private long lastMs;

    private RecordStore(Path directory, FileChannel lockFile) {
        this.directory = directory;
        this.lockFile = lockFile;
    }

    /**
     * @param directory made if it is missing, readable by its owner only
     * @throws IOException if it cannot be used, or another agent uses it
     */
    public static RecordStore open(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            make(directory);
        }
        FileChannel lockFile =
                FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock;
        try {
            lock = lockFile.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            lockFile.close();
            throw new IOException("another agent uses it; stop that first, or give each a --state of its own");
        }
        RecordStore store = new RecordStore(directory, lockFile);
        store.readTogether();
        return store;
    }

    private void readTogether() {
        Path file = directory.resolve(TOGETHER);
        if (!Files.exists(file)) {
            return;
        }
        try {
            if (Files.size(file) > MAX_TOGETHER_BYTES) {
                throw new IOException("it has " + Files.size(file) + " bytes");
            }
            for (FreezeRecord record : JSON.readValue(file.toFile(), FreezeRecord[].class)) {
                if (record != null) {
                    together.put(record.vm(), record);
                    lastMs = Math.max(lastMs, record.sinceEpochMs());
                }
            }
        } catch (IOException e) {
            together.clear();
            setAside(file, "VMs that were frozen together", firstLine(e.getMessage()));
        }
    }

    private static void make(Path directory) throws IOException {
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new IOException("it cannot be made: " + FileFailure.inWords(e), e);
        }
    }

    /**
     * What the agent that uses a directory has noted last of each VM: for whoever looks on. Takes nothing and changes
     * nothing; what cannot be read is passed over.
     */
    public static List<FreezeRecord> peek(Path directory) {
        Map<String, FreezeRecord> latest = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.json")) {
            for (Path file : files) {
                for (FreezeRecord record : peekInto(file)) {
                    latest.merge(
                            record.vm(),
                            record,
                            (one, other) -> one.sinceEpochMs() > other.sinceEpochMs() ? one : other);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // It is not ours to read, or there is none.
        }
        return List.copyOf(latest.values());
    }

    private static List<FreezeRecord> peekInto(Path file) {
        boolean many = file.getFileName().toString().equals(TOGETHER);
        try {
            if (Files.size(file) > (many ? MAX_TOGETHER_BYTES : MAX_RECORD_BYTES)) {
                return List.of();
            }
            FreezeRecord[] records = many
                    ? JSON.readValue(file.toFile(), FreezeRecord[].class)
                    : new FreezeRecord[] {JSON.readValue(file.toFile(), FreezeRecord.class)};
            return List.of(records);
        } catch (IOException | RuntimeException e) {
            // It is damaged, empty, being replaced, or not ours to read: those beside it are none the worse.
            return List.of();
        }
    }

    /** What an earlier run left of a VM. Garbage is moved aside, so that it is neither believed nor lost. */
    public Optional<FreezeRecord> load(String vm) {
        Optional<FreezeRecord> own = loadOwn(vm);
        FreezeRecord common = together.get(vm);
        if (common == null || own.isPresent() && own.get().sinceEpochMs() > common.sinceEpochMs()) {
            together.remove(vm);
            return own;
        }
        return Optional.of(common);
    }

    private Optional<FreezeRecord> loadOwn(String vm) {
        Path file = file(vm);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        String objection;
        try {
            if (Files.size(file) > MAX_RECORD_BYTES) {
                objection = "it has " + Files.size(file) + " bytes";
            } else {
                FreezeRecord record = JSON.readValue(file.toFile(), FreezeRecord.class);
                if (record != null && record.vm().equals(vm)) {
                    lastMs = Math.max(lastMs, record.sinceEpochMs());
                    return Optional.of(record);
                }
                objection = record == null ? "it is empty" : "it is of VM " + record.vm();
            }
        } catch (IOException e) {
            objection = firstLine(e.getMessage());
        }
        setAside(file, "vm " + vm, objection);
        return Optional.empty();
    }

    private void setAside(Path file, String whose, String objection) {
        Path aside = directory.resolve(file.getFileName() + ".refused");
        LOG.warn(
                "{}: the record {} is refused ({}) and kept as {}; if the VM is paused, it is taken for somebody else's",
                whose,
                file,
                objection,
                aside.getFileName());
        try {
            Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("{}: cannot move {} aside: {}", whose, file, FileFailure.inWords(e));
        }
    }

    /** @throws IOException if it is not on disk; the old record is still there then */
    public void save(FreezeRecord record) throws IOException {
        lastMs = Math.max(lastMs + 1, System.currentTimeMillis());
        write(file(record.vm()), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(dated(record)));
        together.remove(record.vm());
    }

    /**
     * Saves the records of several VMs by one write: while they are written one after the other, the last VM still runs.
     *
     * @throws IOException if they are not on disk; the old records are still there then
     */
    public void saveTogether(List<FreezeRecord> records) throws IOException {
        lastMs = Math.max(lastMs + 1, System.currentTimeMillis());
        // Those of an earlier write whose VMs have not been saved since stay in the file.
        Map<String, FreezeRecord> all = new LinkedHashMap<>(together);
        records.forEach(record -> all.put(record.vm(), dated(record)));
        write(directory.resolve(TOGETHER), JSON.writeValueAsBytes(all.values()));
        together.putAll(all);
    }

    private FreezeRecord dated(FreezeRecord record) {
        return new FreezeRecord(
                record.vm(),
                record.portal(),
                record.state(),
                record.reason(),
                lastMs,
                record.pid(),
                record.serverEpoch(),
                record.targets(),
                record.units(),
                record.sessions(),
                record.relay(),
                record.servers(),
                record.hold(),
                record.registrations(),
                record.operators());
    }

    private void write(Path file, byte[] json) throws IOException {
        Path next = directory.resolve(file.getFileName() + ".new");
        Files.write(next, json);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private Path file(String vm) {
        return directory.resolve(vm + ".json");
    }

    private static String firstLine(@Nullable String text) {
        return text == null ? "unreadable" : text.lines().findFirst().orElse("unreadable");
    }

    @Override
    public void close() throws IOException {
        lockFile.close();
    }
}
