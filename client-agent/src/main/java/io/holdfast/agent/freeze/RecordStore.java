package io.holdfast.agent.freeze;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.holdfast.linux.FileFailure;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
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
 */
public final class RecordStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RecordStore.class);
    private static final long MAX_RECORD_BYTES = 1024 * 1024;
    private static final ObjectMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build();

    private final Path directory;
    private final FileChannel lockFile;

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
        return new RecordStore(directory, lockFile);
    }

    private static void make(Path directory) throws IOException {
        try {
            Files.createDirectories(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new IOException("it cannot be made: " + FileFailure.inWords(e), e);
        }
    }

    /** What an earlier run left of a VM. Garbage is moved aside, so that it is neither believed nor lost. */
    public Optional<FreezeRecord> load(String vm) {
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
                    return Optional.of(record);
                }
                objection = record == null ? "it is empty" : "it is of VM " + record.vm();
            }
        } catch (IOException e) {
            objection = firstLine(e.getMessage());
        }
        setAside(file, vm, objection);
        return Optional.empty();
    }

    private void setAside(Path file, String vm, String objection) {
        Path aside = directory.resolve(vm + ".json.refused");
        LOG.warn(
                "vm {}: the record {} is refused ({}) and kept as {}; if the VM is paused, it is taken for somebody else's",
                vm,
                file,
                objection,
                aside.getFileName());
        try {
            Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("vm {}: cannot move {} aside: {}", vm, file, FileFailure.inWords(e));
        }
    }

    /** @throws IOException if it is not on disk; the old record is still there then */
    public void save(FreezeRecord record) throws IOException {
        FreezeRecord dated = new FreezeRecord(
                record.vm(),
                record.portal(),
                record.state(),
                record.reason(),
                System.currentTimeMillis(),
                record.pid(),
                record.serverEpoch(),
                record.targets(),
                record.units(),
                record.sessions(),
                record.relay());
        Path next = directory.resolve(record.vm() + ".json.new");
        Files.write(next, JSON.writeValueAsBytes(dated));
        Files.move(next, file(record.vm()), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
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
