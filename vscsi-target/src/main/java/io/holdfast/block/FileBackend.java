package io.holdfast.block;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import io.holdfast.linux.LinuxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileStore;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A regular file or a block device, exclusively ours while it is open (shared with other readers if read-only).
 *
 * <p>Works from the moment it is opened; {@link #bindNative()} makes it quick, and belongs on a background thread once the
 * server listens. A flush that failed goes on failing until the backend is opened anew: Linux reports a lost write once
 * and then takes the pages for clean, so a later success would be a lie.
 */
public final class FileBackend implements BlockBackend {
    private static final Logger LOG = LoggerFactory.getLogger(FileBackend.class);

    /** As much as every direct transfer is aligned to, and more than most. */
    private static final int PROBE_BYTES = 4096;

    private final FileOpener.Opened opened;
    private final FilePresence presence;
    private final boolean readOnly;
    private final AtomicBoolean looking = new AtomicBoolean();
    private final OpenFile file;
    private final GroupCommit commits;
    private final FileSpace space;
    private final Object binding = new Object();
    // Guarded by binding.
    private boolean closed;

    private FileBackend(FileOpener.Opened opened, FileOptions options) {
        this.opened = opened;
        this.readOnly = options.readOnly();
        this.file = new OpenFile(opened.channel(), opened.path().toString());
        DirectIo direct = opened.direct();
        if (direct != null) {
            file.direct(direct);
        }
        this.presence = new FilePresence(opened, direct == null ? FileOpener.SECTOR_BYTES : direct.alignmentBytes());
        this.commits = new GroupCommit(file, this::sync);
        this.space = new FileSpace(
                file,
                opened.identity().isBlockDevice() ? FileSpace.Kind.DEVICE : FileSpace.Kind.FILE,
                options.preallocate() ? FileSpace.Discarded.STAYS : FileSpace.Discarded.IS_GIVEN_BACK);
    }

    /**
     * Opens and locks an image. Touches the native library only for block devices, which are claimed, for direct I/O and to
     * allocate.
     *
     * @throws BackendException with one line that names the path, what is wrong, and what to do
     */
    public static FileBackend open(Path path, FileOptions options) throws BackendException {
        FileBackend backend = new FileBackend(new FileOpener(path, options).open(), options);
        if (options.direct()) {
            backend.bindAtOnce();
        }
        return backend;
    }

    /** Direct I/O knows no slower way that it could start with. */
    private void bindAtOnce() throws BackendException {
        try {
            bindNative();
        } catch (IOException e) {
            closeAfter(e);
            throw new BackendException(String.valueOf(e.getMessage()), e);
        }
    }

    private void closeAfter(IOException failure) {
        try {
            close();
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }

    /**
     * Opens the descriptor for native calls and publishes it to the lanes. Takes up to 150 ms the first time in a process:
     * not for an event loop. May be repeated.
     *
     * @throws IOException if that cannot be; the backend goes on without, slower
     */
    public void bindNative() throws IOException {
        synchronized (binding) {
            if (closed || file.descriptor() != OpenFile.NO_DESCRIPTOR) {
                return;
            }
            int fd = openNative();
            FileIdentity identity = FileIdentity.of(Path.of("/proc/self/fd/" + fd));
            if (!identity.key().equals(opened.identity().key())) {
                if (fd != opened.descriptor()) {
                    Linux.close(fd);
                }
                throw new IOException(opened.path() + " is another file than the one that was opened");
            }
            // From here on the descriptor may only be closed with the channel: closing it drops the process's lock.
            file.inMemory(opened.direct() == null && livesInMemory(fd));
            if (!readsWithoutWaiting(fd)) {
                file.refusedNowaitReads();
            }
            if (!readOnly) {
                space.tryPunching(fd, opened.sizeBytes());
            }
            file.descriptor(fd);
        }
    }

    /** Not noting when a file was read last: that goes through the journal, and could make a read in place wait for it. */
    private int openNative() throws LinuxException {
        if (opened.descriptor() != OpenFile.NO_DESCRIPTOR) {
            return opened.descriptor();
        }
        int access = readOnly ? Linux.O_RDONLY : Linux.O_RDWR;
        try {
            return Linux.open(opened.path(), access | Linux.O_NOATIME);
        } catch (LinuxException e) {
            if (!e.is(Errno.EPERM)) {
                throw e;
            }
            // Somebody else's file, which this user may only write.
            return Linux.open(opened.path(), access);
        }
    }

    /** False if the file system cannot be asked not to wait: then a ring, too, would read in few threads of its own. */
    private static boolean readsWithoutWaiting(int fd) {
        return Linux.preadv2(fd, 0, 0, 0, Linux.RWF_NOWAIT) != -Errno.EOPNOTSUPP.number();
    }

    private boolean livesInMemory(int fd) {
        if (opened.identity().isBlockDevice()) {
            // fstatfs tells of the file system that the device's node lies on, which is one in memory (devtmpfs).
            return false;
        }
        try {
            long type = Linux.fileSystemType(fd);
            return type == Linux.TMPFS_MAGIC || type == Linux.RAMFS_MAGIC;
        } catch (LinuxException e) {
            LOG.debug("the kind of file system is unknown, and taken for one on a disk", e);
            return false;
        }
    }

    /** Whether there was no such file, and opening it has made it: certainly by this process, and nobody else's. */
    public boolean created() {
        return opened.created();
    }

    /** What lanes that do I/O in their own way need. */
    public OpenFile file() {
        return file;
    }

    @Override
    public long sizeBytes() {
        return presence.sizeBytes();
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public String describe() {
        return opened.path().toString();
    }

    @Override
    public boolean discards() {
        return !readOnly && space.isGivenBack();
    }

    @Override
    public void read(long offset, IoMemory into, IoLane lane, IoCallback done) {
        BlockError absent = presence.absent();
        if (absent != null) {
            done.done(absent);
            return;
        }
        if (beyondEnd(offset, into.length())) {
            done.done(BlockErrors.outOfRange("read", offset, into.length(), sizeBytes()));
            return;
        }
        lane.read(file, offset, into, done);
    }

    @Override
    public void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done) {
        BlockError absent = presence.absent();
        if (absent != null) {
            done.done(absent);
        } else if (readOnly) {
            done.done(BlockErrors.readOnly(describe()));
        } else if (beyondEnd(offset, from.length())) {
            done.done(BlockErrors.outOfRange("write", offset, from.length(), sizeBytes()));
        } else if (durability == Durability.DURABLE) {
            BlockError lost = commits.broken();
            if (lost != null) {
                // What this write is meant to seal is not there.
                done.done(lost);
            } else {
                lane.offload(
                        file, () -> writeDurably(offset, from), naming("durable write", offset, from.length(), done));
            }
        } else {
            lane.write(file, offset, from, done);
        }
    }

    @Override
    public int writeNow(long offset, IoMemory from, int lengthBytes, IoLane lane) {
        boolean may = presence.absent() == null && !readOnly && !beyondEnd(offset, lengthBytes);
        return may ? lane.writeNow(file, offset, from, lengthBytes) : 0;
    }

    /**
     * Writes and syncs this range only (RWF_DSYNC). Measured beside 16 MiB of other dirty data: 0.5 ms, against 2.9 ms of
     * a write and an fdatasync of everything; alone they cost the same.
     */
    private void writeDurably(long offset, IoMemory from) throws IOException {
        int fd = file.descriptor();
        DirectIo direct = file.direct();
        if (direct != null) {
            writeDurablyPastCache(direct, fd, offset, from);
            return;
        }
        if (fd == OpenFile.NO_DESCRIPTOR) {
            space.write(from.buffer().duplicate(), offset);
            syncOrBreak();
            return;
        }
        int doneBytes = 0;
        while (doneBytes < from.length()) {
            long address = from.address() + doneBytes;
            int rest = from.length() - doneBytes;
            long n = Linux.pwritev2(fd, address, rest, offset + doneBytes, Linux.RWF_DSYNC);
            if (n < 0) {
                LinuxException failure = Linux.failure("pwritev2", n);
                // Earlier, acknowledged data may have failed to be written back, and that is reported only this once.
                // Only a lack of space may be harmless: if the write without the sync lacks it too, nothing else went
                // wrong.
                if (BlockErrors.kindOf(failure) != BlockError.Kind.NO_SPACE
                        || Linux.pwritev2(fd, address, rest, offset + doneBytes, 0) > 0) {
                    commits.breakFor(BlockErrors.of("durable write", failure));
                }
                throw failure;
            }
            doneBytes += Transferred.written("pwritev2", n, offset + doneBytes);
        }
    }

    private void writeDurablyPastCache(DirectIo direct, int fd, long offset, IoMemory from) throws IOException {
        try {
            direct.write(fd, offset, from, Linux.RWF_DSYNC);
        } catch (IOException e) {
            if (BlockErrors.kindOf(e) != BlockError.Kind.NO_SPACE) {
                commits.breakFor(BlockErrors.of("durable write", e));
            }
            throw e;
        }
    }

    private void syncOrBreak() throws IOException {
        try {
            sync();
        } catch (IOException e) {
            commits.breakFor(BlockErrors.of("durable write", e));
            throw e;
        }
    }

    /** Says in a failure what was being done, and to which file. */
    private IoCallback naming(String doing, long offset, long lengthBytes, IoCallback done) {
        return failure -> done.done(
                failure == null
                        ? null
                        : new BlockError(
                                failure.kind(),
                                doing + " of " + lengthBytes + " bytes at " + offset + " of " + describe() + ": "
                                        + failure.detail()));
    }

    @Override
    public void flush(IoLane lane, IoCallback done) {
        BlockError absent = presence.absent();
        if (absent != null) {
            done.done(absent);
        } else {
            commits.flush(lane, done);
        }
    }

    /** Looks, on the pool, whether the file is still there and how large it is; not while an earlier look goes on. */
    void look(IoLane lane) {
        if (looking.compareAndSet(false, true)) {
            lane.offload(file, presence::look, failure -> looking.set(false));
        }
    }

    /**
     * Makes the file larger, durably; initiators hear of it with their next command. May wait for the storage: not for an
     * event loop.
     *
     * @throws BackendException with one line that names the path and what is wrong; the file is as large as before then, or
     *     as large as it was to become
     */
    public void grow(long newSizeBytes) throws BackendException {
        BlockError absent = presence.absent();
        if (absent != null) {
            throw new BackendException(absent.detail());
        }
        if (readOnly || opened.identity().isBlockDevice()) {
            throw new BackendException(
                    opened.path() + (readOnly ? " is read-only" : " is a device") + " and cannot be made larger here");
        }
        if (newSizeBytes < sizeBytes() || newSizeBytes % FileOpener.SECTOR_BYTES != 0) {
            throw new BackendException(opened.path() + " has " + sizeBytes() + " bytes: " + newSizeBytes
                    + " is less, or no multiple of " + FileOpener.SECTOR_BYTES);
        }
        try {
            extend(newSizeBytes);
            syncOrBreak();
        } catch (IOException e) {
            throw new BackendException(
                    opened.path() + " cannot be given " + newSizeBytes + " bytes: " + e.getMessage(), e);
        } finally {
            presence.look();
        }
    }

    /** Through the descriptors that are open: closing another one would drop the lock. */
    private void extend(long newSizeBytes) throws IOException {
        if (space.isKept() && boundDescriptor() != OpenFile.NO_DESCRIPTOR) {
            Linux.fallocate(file.descriptor(), 0, 0, newSizeBytes);
        } else if (file.channel().size() < newSizeBytes) {
            file.channel().write(ByteBuffer.allocate(1), newSizeBytes - 1);
        }
    }

    /** Why the image cannot be served, as far as it has been looked at, or null. */
    public @Nullable BlockError absent() {
        return presence.absent();
    }

    /** True if data that was acknowledged may be lost: an fdatasync has failed. */
    public boolean lostWrites() {
        return commits.broken() != null;
    }

    /** See {@link StorageProbe}. */
    void probe(IoLane lane, long spaceBytes, IoCallback done) {
        BlockError lost = commits.broken();
        if (lost != null) {
            done.done(lost);
        } else {
            lane.offload(
                    file,
                    () -> probeNow(spaceBytes),
                    failure -> done.done(failure == null ? presence.absent() : failure));
        }
    }

    private void probeNow(long spaceBytes) throws IOException {
        presence.look();
        ByteBuffer beginning = ByteBuffer.allocateDirect(2 * PROBE_BYTES).alignedSlice(PROBE_BYTES);
        beginning.limit(PROBE_BYTES);
        if (file.channel().read(beginning, 0) <= 0) {
            throw new IOException("nothing can be read at its beginning");
        }
        if (!readOnly && Files.isRegularFile(opened.path())) {
            FileStore store = Files.getFileStore(opened.path());
            if (store.isReadOnly()) {
                throw new FileSystemException(opened.path().toString(), null, "Read-only file system");
            }
            if (store.getUsableSpace() < spaceBytes) {
                throw new FileSystemException(opened.path().toString(), null, "No space left on device");
            }
        }
    }

    private void sync() throws IOException {
        int fd = file.descriptor();
        if (fd == OpenFile.NO_DESCRIPTOR) {
            file.channel().force(false);
        } else {
            Linux.fdatasync(fd);
        }
    }

    @Override
    public void discard(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        if (mayChange("discard", offset, lengthBytes, done)) {
            lane.offload(
                    file,
                    () -> boundSpace().discard(offset, lengthBytes),
                    naming("discard", offset, lengthBytes, done));
        }
    }

    @Override
    public void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done) {
        if (mayChange("fill", offset, lengthBytes, done)) {
            lane.offload(
                    file, () -> space.fill(offset, lengthBytes, pattern), naming("fill", offset, lengthBytes, done));
        }
    }

    @Override
    public void zero(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        if (mayChange("zero", offset, lengthBytes, done)) {
            lane.offload(file, () -> boundSpace().zero(offset, lengthBytes), naming("zero", offset, lengthBytes, done));
        }
    }

    @Override
    public void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done) {
        BlockError absent = presence.absent();
        if (absent != null) {
            done.done(absent);
        } else if (beyondEnd(offset, lengthBytes)) {
            done.done(BlockErrors.outOfRange("look at", offset, lengthBytes, sizeBytes()));
        } else {
            lane.offload(
                    file,
                    () -> FileExtents.look(boundDescriptor(), offset, lengthBytes, into),
                    naming("look", offset, lengthBytes, done));
        }
    }

    /** For the pool: the descriptor, bound now if need be, or {@link OpenFile#NO_DESCRIPTOR}. */
    private int boundDescriptor() {
        bindEarly();
        return file.descriptor();
    }

    private FileSpace boundSpace() {
        bindEarly();
        return space;
    }

    /** What comes before the background thread has come to {@link #bindNative()} does its work for it. */
    private void bindEarly() {
        try {
            bindNative();
        } catch (IOException e) {
            LOG.debug("what needs native calls is done without", e);
        }
    }

    /** @return false if there is nothing to be done any more: the callback has been told */
    private boolean mayChange(String doing, long offset, long lengthBytes, IoCallback done) {
        BlockError absent = presence.absent();
        if (absent != null) {
            done.done(absent);
        } else if (readOnly) {
            done.done(BlockErrors.readOnly(describe()));
        } else if (beyondEnd(offset, lengthBytes)) {
            done.done(BlockErrors.outOfRange(doing, offset, lengthBytes, sizeBytes()));
        } else if (lengthBytes == 0) {
            done.done(null);
        } else {
            return true;
        }
        return false;
    }

    private boolean beyondEnd(long offset, long lengthBytes) {
        return offset < 0 || lengthBytes < 0 || offset > sizeBytes() - lengthBytes;
    }

    /**
     * Makes durable what was written, then {@link #close closes}, also if that failed. May wait for the storage for ever: see
     * {@link ImageClosing}.
     */
    public void closeDurably() throws IOException {
        try {
            if (!readOnly) {
                file.channel().force(false);
            }
        } finally {
            close();
        }
    }

    /** Lets the file go, and its lock. Operations in flight must have ended: their descriptor would mean another file. */
    @Override
    public void close() throws IOException {
        synchronized (binding) {
            if (closed) {
                return;
            }
            closed = true;
            int fd = file.descriptor() != OpenFile.NO_DESCRIPTOR ? file.descriptor() : opened.descriptor();
            file.descriptor(OpenFile.NO_DESCRIPTOR);
            // The descriptor first: closing it drops every lock that this process has on the file, and behind
            // opened.close() that might be the lock of whoever opened it again.
            try {
                if (fd != OpenFile.NO_DESCRIPTOR) {
                    Linux.close(fd);
                }
            } finally {
                opened.close();
            }
        }
    }
}
