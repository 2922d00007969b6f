package io.holdfast.block;

import io.holdfast.linux.Errno;
import io.holdfast.linux.Linux;
import io.holdfast.linux.LinuxException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens an image file or a block device, and finds out in words for people why that cannot be. For files it uses nothing
 * that needs the native library: this stands between exec and serving.
 */
final class FileOpener {
    /** How long a lock that somebody holds is asked for again. */
    private static final int DYING_HOLDER_LIMIT_MS = 500;

    private static final int LOCK_RETRY_MS = 5;

    static final int SECTOR_BYTES = 512;

    /**
     * What this process has open. Looked at before a file is opened a second time, because closing that second channel
     * would drop the first one's lock: record locks belong to the process (fcntl_locking(2)).
     */
    private static final Map<String, Path> OPEN = new ConcurrentHashMap<>();

    /**
     * What was opened. {@link #close} gives up the channel, its lock and the entry among the open ones.
     *
     * @param descriptor the one that claims a block device or is for direct I/O, or {@link OpenFile#NO_DESCRIPTOR}; whoever
     *     takes it closes it
     * @param direct how direct I/O is done, or null if it is not asked for
     */
    record Opened(
            Path path,
            FileIdentity identity,
            FileChannel channel,
            long sizeBytes,
            boolean created,
            int descriptor,
            @Nullable DirectIo direct)
            implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try {
                channel.close();
            } finally {
                OPEN.remove(identity.key());
            }
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(FileOpener.class);

    private final Path path;
    private final FileOptions options;
    private boolean created;

    FileOpener(Path path, FileOptions options) {
        this.path = path;
        this.options = options;
    }

    Opened open() throws BackendException {
        if (options.sizeBytes().isPresent()) {
            requireUsableSize(options.sizeBytes().getAsLong());
        }
        FileIdentity identity = findOrCreate();
        requireFileOrDevice(identity);
        Path already = OPEN.putIfAbsent(identity.key(), path);
        if (already != null) {
            throw new BackendException(path + " is exported already" + (already.equals(path) ? "" : " as " + already)
                    + "; export it once");
        }
        int descriptor = OpenFile.NO_DESCRIPTOR;
        @Nullable FileChannel channel = null;
        boolean opened = false;
        try {
            descriptor = openNow(identity);
            @Nullable DirectIo direct = options.direct() ? probe(descriptor) : null;
            channel = openChannel();
            lock(channel, identity);
            long sizeBytes = channel.size();
            Optional<ImageFormat> format = formatOf(identity, channel);
            requireSize(identity, sizeBytes, format);
            if (direct != null) {
                requireMultiple(sizeBytes, direct.alignmentBytes());
            }
            format.ifPresent(found -> LOG.warn("{}", foreign(found)));
            opened = true;
            return new Opened(path, identity, channel, sizeBytes, created, descriptor, direct);
        } catch (IOException e) {
            throw translate(e);
        } finally {
            if (!opened) {
                // In this order: closing a channel drops the lock of whoever has opened the file since.
                closeQuietly(descriptor);
                closeQuietly(channel);
                OPEN.remove(identity.key());
            }
        }
    }

    private FileIdentity findOrCreate() throws BackendException {
        try {
            return FileIdentity.of(path);
        } catch (NoSuchFileException e) {
            if (options.sizeBytes().isEmpty()) {
                throw new BackendException(
                        path
                                + " does not exist; correct the path, put it back, or give a size to have a new one created",
                        e);
            }
            if (options.readOnly()) {
                throw new BackendException(path + " does not exist, and is not created to be read only", e);
            }
            return create(options.sizeBytes().getAsLong());
        } catch (IOException e) {
            throw translate(e);
        }
    }

    private FileIdentity create(long sizeBytes) throws BackendException {
        try {
            // An image holds what the guest keeps secret: nobody else may read it.
            Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (FileAlreadyExistsException e) {
            throw new BackendException(path + " has just been created by somebody else; try again", e);
        } catch (IOException e) {
            throw translate(e);
        }
        boolean complete = false;
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(sizeBytes);
            if (options.preallocate()) {
                allocate(file, sizeBytes);
            }
            file.getChannel().force(true);
            syncDirectory();
            complete = true;
            created = true;
            return FileIdentity.of(path);
        } catch (IOException e) {
            throw new BackendException(path + " cannot be created with " + sizeBytes + " bytes: " + e.getMessage(), e);
        } finally {
            if (!complete) {
                deleteQuietly();
            }
        }
    }

    private void allocate(RandomAccessFile file, long sizeBytes) throws IOException {
        int fd = Linux.open(path, Linux.O_RDWR);
        try {
            Linux.fallocate(fd, 0, 0, sizeBytes);
            return;
        } catch (LinuxException e) {
            if (BlockErrors.kindOf(e) != BlockError.Kind.UNSUPPORTED) {
                throw e;
            }
        } finally {
            Linux.close(fd);
        }
        // The file system allocates what is written, and in no other way.
        byte[] zeroes = new byte[1 << 20];
        for (long at = 0; at < sizeBytes; at += zeroes.length) {
            file.write(zeroes, 0, (int) Math.min(zeroes.length, sizeBytes - at));
        }
    }

    /** The new name must survive power loss as well as what is written under it. */
    private void syncDirectory() throws IOException {
        Path directory = path.toAbsolutePath().getParent();
        if (directory != null) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private void requireFileOrDevice(FileIdentity identity) throws BackendException {
        if (identity.isDirectory()) {
            throw new BackendException(path + " is a directory; name an image file or a block device");
        }
        if (!identity.isRegularFile() && !identity.isBlockDevice()) {
            throw new BackendException(path + " is neither a regular file nor a block device");
        }
        if (identity.isBlockDevice() && !options.readOnly()) {
            requireUnused(identity);
        }
    }

    /** For the words; who may have the device is decided by {@link #openNow}. */
    private void requireUnused(FileIdentity identity) throws BackendException {
        try {
            String use = DeviceUsers.describe(identity.deviceAsInMountinfo());
            if (use != null) {
                throw new BackendException(path + " cannot be exported for writing: " + use);
            }
        } catch (IOException e) {
            throw translate(e);
        }
    }

    /**
     * What cannot wait until the server listens. A block device is claimed as a mount does it: the kernel refuses that if the
     * device or a partition of it is claimed, and refuses every other claim from now on. Without it a disk could be mounted
     * and served at the same time, and be destroyed. For direct I/O there must never be anything in the page cache.
     */
    private int openNow(FileIdentity identity) throws BackendException, IOException {
        int access = options.readOnly() ? Linux.O_RDONLY : Linux.O_RDWR;
        int flags = access | (options.direct() ? Linux.O_DIRECT : 0);
        if (identity.isBlockDevice() && !options.readOnly()) {
            return claim(identity, flags | Linux.O_EXCL);
        }
        if (!options.direct()) {
            return OpenFile.NO_DESCRIPTOR;
        }
        try {
            return Linux.open(path, flags);
        } catch (LinuxException e) {
            throw e.is(Errno.EINVAL) ? cannotBeDirect(e) : translate(e);
        }
    }

    private int claim(FileIdentity identity, int flags) throws BackendException, IOException {
        long deadlineNs = System.nanoTime() + DYING_HOLDER_LIMIT_MS * 1_000_000L;
        while (true) {
            try {
                return Linux.open(path, flags);
            } catch (LinuxException e) {
                if (!e.is(Errno.EBUSY)) {
                    throw translate(e);
                }
                if (System.nanoTime() - deadlineNs >= 0) {
                    throw new BackendException(
                            path + " is in use by " + LockHolders.describe(path, identity)
                                    + ", or by the kernel; stop that first",
                            e);
                }
                LockSupport.parkNanos(LOCK_RETRY_MS * 1_000_000L);
            }
        }
    }

    private DirectIo probe(int fd) throws BackendException {
        try {
            return DirectIo.probe(fd);
        } catch (LinuxException e) {
            throw cannotBeDirect(e);
        }
    }

    private BackendException cannotBeDirect(LinuxException e) {
        return new BackendException(
                path + " cannot be read past the page cache (" + e.getMessage() + "); export it without direct", e);
    }

    private void requireMultiple(long sizeBytes, int alignmentBytes) throws BackendException {
        if (sizeBytes % alignmentBytes != 0) {
            throw new BackendException(path + " has " + sizeBytes + " bytes, and direct I/O needs a multiple of "
                    + alignmentBytes + " there; fill it up with: truncate -s %" + alignmentBytes + " " + path
                    + ", or export it without direct");
        }
    }

    private FileChannel openChannel() throws IOException {
        return options.readOnly()
                ? FileChannel.open(path, Set.of(StandardOpenOption.READ))
                : FileChannel.open(path, Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    /**
     * The lock is held until the channel is closed, or the process ends. A server that was just killed may hold it for as
     * long as the kernel takes to clear the process away: whoever starts the next one at once need not know of that.
     */
    private void lock(FileChannel channel, FileIdentity identity) throws IOException, BackendException {
        long deadlineNs = System.nanoTime() + DYING_HOLDER_LIMIT_MS * 1_000_000L;
        FileLock lock = channel.tryLock(0, Long.MAX_VALUE, options.readOnly());
        while (lock == null && System.nanoTime() - deadlineNs < 0) {
            LockSupport.parkNanos(LOCK_RETRY_MS * 1_000_000L);
            lock = channel.tryLock(0, Long.MAX_VALUE, options.readOnly());
        }
        if (lock == null || (options.readOnly() && LockHolders.hasWriter(identity))) {
            throw new BackendException(path + " is in use by " + LockHolders.describe(path, identity)
                    + "; stop that first, or export a copy");
        }
    }

    /**
     * Of a device nothing is said: some hosts keep qcow2 on volumes, for hypervisors that know it. Direct I/O wants nothing in
     * the page cache. A first block that cannot be read is its readers' affair: the others can be served.
     */
    private Optional<ImageFormat> formatOf(FileIdentity identity, FileChannel channel) {
        if (created || identity.isBlockDevice() || options.direct()) {
            return Optional.empty();
        }
        try {
            return ImageFormat.of(channel);
        } catch (IOException e) {
            LOG.warn("{}: its first bytes cannot be read: {}", path, e.getMessage());
            return Optional.empty();
        }
    }

    private String foreign(ImageFormat format) {
        return path + " is a " + format.label()
                + " image: initiators see the file as it is, not the disk in it; convert it"
                + " first, with: qemu-img convert -O raw " + path + " NEW";
    }

    private void requireSize(FileIdentity identity, long sizeBytes, Optional<ImageFormat> format)
            throws BackendException {
        if (sizeBytes == 0) {
            throw new BackendException(
                    identity.isBlockDevice()
                            ? path + " has no medium (0 bytes)"
                            : path + " is empty (0 bytes); give it a size first, such as: truncate -s 10G " + path);
        }
        if (sizeBytes % SECTOR_BYTES != 0 && format.isPresent()) {
            throw new BackendException(foreign(format.get()));
        }
        if (sizeBytes % SECTOR_BYTES != 0) {
            throw new BackendException(path + " has " + sizeBytes + " bytes, which is not a multiple of " + SECTOR_BYTES
                    + "; fill it up with: truncate -s %" + SECTOR_BYTES + " " + path);
        }
        if (options.sizeBytes().isPresent() && options.sizeBytes().getAsLong() != sizeBytes) {
            throw new BackendException(path + " has " + sizeBytes + " bytes and not the "
                    + options.sizeBytes().getAsLong() + " asked for; leave the size out to take it as it is");
        }
    }

    private void requireUsableSize(long sizeBytes) throws BackendException {
        if (sizeBytes <= 0 || sizeBytes % SECTOR_BYTES != 0) {
            throw new BackendException(
                    "size " + sizeBytes + " for " + path + " is not a positive multiple of " + SECTOR_BYTES + " bytes");
        }
    }

    private BackendException translate(IOException e) {
        if (e instanceof NoSuchFileException) {
            return new BackendException(
                    path + " is in a directory that does not exist; make that first, or correct the path", e);
        }
        if (e instanceof AccessDeniedException) {
            return new BackendException(
                    path + " may not be " + (options.readOnly() ? "read" : "read and written") + " by user "
                            + System.getProperty("user.name") + "; change its permissions"
                            + (options.readOnly() ? "" : ", or export it read-only"),
                    e);
        }
        String reason = e instanceof FileSystemException system && system.getReason() != null
                ? system.getReason()
                : e.getMessage();
        return new BackendException(path + " cannot be opened: " + reason, e);
    }

    private static void closeQuietly(int descriptor) {
        if (descriptor == OpenFile.NO_DESCRIPTOR) {
            return;
        }
        try {
            Linux.close(descriptor);
        } catch (LinuxException e) {
            // The reason why it was not opened is on its way already.
            return;
        }
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        if (channel == null) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            // The reason why it was not opened is on its way already.
            return;
        }
    }

    private void deleteQuietly() {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // The reason why it was not created is on its way already.
            return;
        }
    }
}
