package io.holdfast.management.plane;

import io.holdfast.control.ControlJson;
import io.holdfast.control.ControlJson.Fields;
import io.holdfast.control.operator.Row;
import io.holdfast.linux.FileFailure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state in a directory: whole at some versions, and a journal of every change since.
 *
 * <pre>
 *   state-000000001000      the whole state at version 1000: written to another name, fsynced, renamed, directory fsynced
 *   journal-000000001000    a line for every change after it, fsynced before the change is answered
 *   state-000000002000      …
 * </pre>
 *
 * <p>The last {@value #KEPT_VERSIONS} whole states stay, and the journals from each to the next, so that any version since
 * can be had again, and a state file that has been damaged is made up for by the one before it and its journal. A journal's
 * last line may be cut off: that change was never answered. Anything else that does not fit is refused with the name of the
 * file: guessing would give disks to the wrong clients.
 *
 * <p>Used by one thread at a time, except {@link #audit}. Whoever opens it sees to it that nobody else does.
 */
public final class JournalStore implements PlaneStore {
    private static final Logger LOG = LoggerFactory.getLogger(JournalStore.class);
    static final int KEPT_VERSIONS = 10;
    /** A format that this version writes, and the only one it reads. */
    static final int FORMAT = 1;

    private static final int MAX_JOURNAL_RECORDS = 1000;
    private static final long MAX_JOURNAL_BYTES = 8L << 20;
    /** At a planned stop a journal of more than this is made into a whole state. */
    private static final int WORTH_A_STATE = 100;

    private static final int KEPT_AUDIT_ROWS = 10_000;
    private static final long SNAPSHOT_LIMIT_SECONDS = 10;
    private static final String STATE = "state-";
    private static final String JOURNAL = "journal-";
    private static final int VERSION_DIGITS = 12;
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final Path directory;
    private final String release;
    private final ArrayDeque<Row.AuditRow> audit = new ArrayDeque<>();
    private final ExecutorService snapshots = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(work, "control-state");
        thread.setDaemon(true);
        return thread;
    });
    private PlaneState state;
    private FileChannel journal;
    private int records;
    private volatile boolean broken;

    private JournalStore(Path directory, String release) throws IOException {
        this.directory = directory;
        this.release = release;
        makeDirectory();
        SortedSet<Long> states = versions(STATE);
        if (states.isEmpty()) {
            if (!versions(JOURNAL).isEmpty()) {
                throw new IOException(directory + " has journals and no state that they follow; restore a " + STATE
                        + "… file, or remove the directory to begin anew");
            }
            state = PlaneState.empty(UUID.randomUUID());
            writeState(state);
            states.add(state.version());
        }
        Loaded loaded = load(states);
        state = loaded.state;
        records = loaded.records;
        journal = openJournal(loaded.journal, loaded.journalBytes);
    }

    /**
     * @param release of this Holdfast, for people who find the files
     * @throws IOException saying for people what is wrong with which file, and what to do
     */
    public static JournalStore open(Path directory, String release) throws IOException {
        try {
            return new JournalStore(directory, release);
        } catch (java.nio.file.FileSystemException e) {
            throw new IOException("state of the control plane, " + directory + ": " + FileFailure.inWords(e), e);
        }
    }

    private void makeDirectory() throws IOException {
        Path parent = directory.toAbsolutePath().getParent();
        if (!Files.isDirectory(directory) && parent != null) {
            Files.createDirectories(parent);
            Files.createDirectory(directory, PRIVATE_DIRECTORY);
            sync(parent);
        }
    }

    // ------------------------------------------------------------------ loading

    private static final class Loaded {
        PlaneState state;
        Path journal;
        long journalBytes;
        int records;

        Loaded(PlaneState state, Path journal) {
            this.state = state;
            this.journal = journal;
        }
    }

    private Loaded load(SortedSet<Long> states) throws IOException {
        List<Long> newestFirst = new ArrayList<>(states);
        Collections.reverse(newestFirst);
        IOException first = null;
        for (long version : newestFirst) {
            try {
                return replay(version);
            } catch (DamagedException e) {
                LOG.warn("{}; going back to the state before it, and the changes since", e.getMessage());
                first = first == null ? e : first;
            }
        }
        throw new IOException(
                (first == null ? "" : first.getMessage()) + "; no state in " + directory
                        + " can be read: restore one from a backup",
                first);
    }

    /** A whole state that is none: an older one and its journal can stand in for it. */
    private static final class DamagedException extends IOException {
        private static final long serialVersionUID = 1;

        DamagedException(String message) {
            super(message);
        }
    }

    private Loaded replay(long from) throws IOException {
        StateRows rows = new StateRows();
        UUID id = readState(from, rows);
        long version = from;
        Path file = path(JOURNAL, from);
        long bytes = 0;
        int count = 0;
        while (Files.exists(file)) {
            CheckedLines lines = new CheckedLines(Files.readAllBytes(file));
            count = 0;
            for (Fields line = lines.next(); line != null; line = lines.next()) {
                version = apply(line, rows, version, file);
                count++;
            }
            bytes = lines.offset();
            Path next = path(JOURNAL, version);
            boolean last = next.equals(file) || !Files.exists(next);
            if (!lines.atEnd()) {
                requireTorn(lines, file, last);
            }
            if (last) {
                break;
            }
            file = next;
            bytes = 0;
            count = 0;
        }
        long newest = Math.max(
                versions(STATE).last(),
                versions(JOURNAL).isEmpty() ? 0 : versions(JOURNAL).last());
        if (version < newest) {
            throw new IOException(directory + " leads to version " + version + " only, but there are files of version "
                    + newest + ": a file between them is missing. Restore it; or, to go on with version " + version
                    + " and lose what came after, remove the files with higher numbers");
        }
        Loaded loaded = new Loaded(stateOf(rows, id, version), file);
        loaded.journalBytes = bytes;
        loaded.records = count;
        return loaded;
    }

    private PlaneState stateOf(StateRows rows, UUID id, long version) throws IOException {
        try {
            return rows.state(id, version);
        } catch (IOException e) {
            throw new IOException(
                    "the state in " + directory + ", version " + version + ", cannot be used: " + e.getMessage()
                            + "; restore a backup",
                    e);
        }
    }

    private long apply(Fields line, StateRows rows, long before, Path file) throws IOException {
        long version = line.number("version");
        if (version <= before) {
            throw new IOException(file + " has version " + version + " after version " + before
                    + ": it was put together from several; restore the directory from a backup");
        }
        try {
            rows.apply(line.object("change"));
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    file + ", version " + version + ": " + e.getMessage()
                            + "; if a newer Holdfast wrote it, start that one",
                    e);
        }
        remember(auditOf(line));
        return version;
    }

    private static void requireTorn(CheckedLines lines, Path file, boolean last) throws IOException {
        if (!last || lines.wholeLineFollows()) {
            throw new IOException(file + " is damaged at byte " + lines.offset()
                    + ", and changes that were acknowledged follow; restore the file from a backup");
        }
        LOG.warn("{}: its last line is cut off, a change that was never answered; it is left out", file);
    }

    private UUID readState(long version, StateRows rows) throws IOException {
        Path file = path(STATE, version);
        CheckedLines lines = new CheckedLines(Files.readAllBytes(file));
        Fields header = lines.next();
        if (header == null || header.number("format") == 0) {
            throw new DamagedException(file + " does not begin as a state of the control plane does");
        }
        if (header.number("format") > FORMAT) {
            throw new IOException(file + " has format " + header.number("format") + ", written by Holdfast "
                    + header.text("holdfast") + "; this version reads format " + FORMAT + ": start the newer one");
        }
        int count = 0;
        for (Fields line = lines.next(); line != null; line = lines.next()) {
            if (line.values().containsKey("end")) {
                if (line.number("end") == count && lines.atEnd() && header.number("version") == version) {
                    return UUID.fromString(header.text("id"));
                }
                break;
            }
            try {
                rows.put(line);
            } catch (IllegalArgumentException e) {
                throw new DamagedException(file + ": " + e.getMessage());
            }
            count++;
        }
        throw new DamagedException(file + " is damaged or cut off at byte " + lines.offset());
    }

    // ------------------------------------------------------------------ changes

    @Override
    public PlaneState state() {
        return state;
    }

    @Override
    public void append(PlaneState before, PlaneState after, Row.AuditRow row) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream(1024);
        CheckedLines.append(line, ControlJson.bytes(out -> {
            out.writeStartObject();
            out.writeNumberField("version", after.version());
            out.writeStringField("time", row.time().toString());
            out.writeStringField("by", row.by());
            out.writeStringField("role", row.role());
            out.writeStringField("from", row.from());
            out.writeStringField("what", row.what());
            out.writeStringField("object", row.object());
            out.writeObjectFieldStart("change");
            StateRows.writeChange(before, after, out);
            out.writeEndObject();
            out.writeEndObject();
        }));
        long at = journal.position();
        try {
            writeFully(journal, ByteBuffer.wrap(line.toByteArray()));
        } catch (IOException e) {
            takeBack(at, e);
            throw new IOException(FileFailure.inWords(e), e);
        }
        try {
            journal.force(false);
        } catch (IOException e) {
            // The kernel forgets what it could not write: the next success would say nothing.
            broken = true;
            throw new IOException("fsync failed, " + FileFailure.inWords(e), e);
        }
        state = after;
        records++;
        remember(row);
        if (records >= MAX_JOURNAL_RECORDS || journal.position() >= MAX_JOURNAL_BYTES) {
            beginJournal(after);
        }
    }

    /** No room, mostly: without its beginning on the disk the next change can be written again. */
    private void takeBack(long at, IOException cause) {
        try {
            journal.truncate(at);
            journal.position(at);
            journal.force(true);
        } catch (IOException e) {
            cause.addSuppressed(e);
            broken = true;
        }
    }

    private void beginJournal(PlaneState from) {
        try {
            FileChannel next = openJournal(path(JOURNAL, from.version()), 0);
            journal.close();
            journal = next;
            records = 0;
            snapshots.execute(() -> snapshot(from));
        } catch (IOException e) {
            // The journal that there is goes on; the next change tries again.
            LOG.warn("{}: no new journal can be begun: {}", directory, FileFailure.inWords(e));
        }
    }

    private void snapshot(PlaneState whole) {
        try {
            writeState(whole);
            removeOld();
        } catch (IOException e) {
            LOG.warn("{}: version {} cannot be written whole: {}", directory, whole.version(), FileFailure.inWords(e));
        }
    }

    private void writeState(PlaneState whole) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 16);
        CheckedLines.append(bytes, ControlJson.bytes(out -> {
            out.writeStartObject();
            out.writeNumberField("format", FORMAT);
            out.writeStringField("holdfast", release);
            out.writeStringField("id", whole.id().toString());
            out.writeNumberField("version", whole.version());
            out.writeEndObject();
        }));
        int count = StateRows.writeAll(whole, json -> CheckedLines.append(bytes, json));
        CheckedLines.append(bytes, ControlJson.bytes(out -> {
            out.writeStartObject();
            out.writeNumberField("end", count);
            out.writeEndObject();
        }));
        Path file = path(STATE, whole.version());
        Path temporary = directory.resolve(file.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        Files.createFile(temporary, PRIVATE_FILE);
        try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
            writeFully(channel, ByteBuffer.wrap(bytes.toByteArray()));
            channel.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        sync(directory);
    }

    private void removeOld() throws IOException {
        List<Long> states = new ArrayList<>(versions(STATE));
        if (states.size() <= KEPT_VERSIONS) {
            return;
        }
        long oldest = states.get(states.size() - KEPT_VERSIONS);
        for (long version : versions(JOURNAL).headSet(oldest)) {
            Files.deleteIfExists(path(JOURNAL, version));
        }
        for (long version : versions(STATE).headSet(oldest)) {
            Files.deleteIfExists(path(STATE, version));
        }
    }

    private FileChannel openJournal(Path file, long bytes) throws IOException {
        if (!Files.exists(file)) {
            Files.createFile(file, PRIVATE_FILE);
        }
        FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        try {
            if (channel.size() > bytes) {
                channel.truncate(bytes);
            }
            channel.position(bytes);
            channel.force(true);
            sync(directory);
            return channel;
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public boolean broken() {
        return broken;
    }

    // ------------------------------------------------------------------ who changed what

    private void remember(Row.AuditRow row) {
        synchronized (audit) {
            audit.addLast(row);
            if (audit.size() > KEPT_AUDIT_ROWS) {
                audit.removeFirst();
            }
        }
    }

    private static Row.AuditRow auditOf(Fields line) {
        return new Row.AuditRow(
                Instant.parse(line.text("time")),
                line.number("version"),
                line.text("by"),
                line.text("role"),
                line.text("from"),
                line.text("what"),
                line.text("object"));
    }

    @Override
    public List<Row.AuditRow> audit(int last) {
        List<Row.AuditRow> all;
        synchronized (audit) {
            all = new ArrayList<>(audit);
        }
        return List.copyOf(all.subList(Math.max(0, all.size() - last), all.size()));
    }

    // ------------------------------------------------------------------ files

    private Path path(String prefix, long version) {
        // Not by String.format(): the first number it prints costs a start 10 ms.
        String digits = Long.toString(version);
        return directory.resolve(prefix + "0".repeat(Math.max(0, VERSION_DIGITS - digits.length())) + digits);
    }

    private SortedSet<Long> versions(String prefix) throws IOException {
        SortedSet<Long> versions = new TreeSet<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = String.valueOf(file.getFileName());
                if (name.startsWith(prefix)
                        && name.length() == prefix.length() + VERSION_DIGITS
                        && !name.endsWith(".new")) {
                    versions.add(Long.parseLong(name.substring(prefix.length())));
                }
            }
        } catch (NumberFormatException e) {
            throw new IOException(directory + " has a file that is none of ours: " + e.getMessage(), e);
        }
        return versions;
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static void sync(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public void close() {
        if (!broken && records > WORTH_A_STATE) {
            beginJournal(state);
        }
        snapshots.shutdown();
        try {
            if (!snapshots.awaitTermination(SNAPSHOT_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("{}: the last whole state is not written within {} s", directory, SNAPSHOT_LIMIT_SECONDS);
            }
            journal.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.warn("{}: closing the journal failed: {}", directory, FileFailure.inWords(e));
        }
    }
}
