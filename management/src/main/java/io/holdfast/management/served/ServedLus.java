package io.holdfast.management.served;

import io.holdfast.block.BackendException;
import io.holdfast.block.BlockBackend;
import io.holdfast.block.BlockError;
import io.holdfast.block.DeferredBackend;
import io.holdfast.block.FileBackend;
import io.holdfast.block.FileOptions;
import io.holdfast.block.ImageClosing;
import io.holdfast.block.IoLane;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.scsi.LogicalUnit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images of LUs, each open and locked for as long as its LU is there. At a start they are announced first, and opened by
 * a few threads when guests have had their second, those that somebody waits for before; commands that come sooner wait. Their
 * logical units are made when the first login that sees them comes, or with their images.
 * An image that cannot be opened is tried again every second, and its LU answers NOT READY meanwhile: one image that is
 * missing stops no other.
 *
 * <p>Any thread. Opening may wait for storage, so only {@link #announce} and the look-ups are for event loops.
 */
public final class ServedLus implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(ServedLus.class);
    /** An image whose storage hangs keeps one of them, and its LU, from coming. */
    private static final int OPENING_THREADS = 4;

    private static final int RETRY_MS = 1_000;

    private final Units units;
    private final Opener opener;
    /** Held while a logical unit is made, never while storage is waited for. */
    private final Object making = new Object();

    private final Map<String, Served> byName = new ConcurrentHashMap<>();
    private final ScheduledExecutorService openers = Executors.newScheduledThreadPool(OPENING_THREADS, task -> {
        Thread thread = new Thread(task, "holdfast-open");
        thread.setDaemon(true);
        return thread;
    });
    /** Announced, and not opened yet. */
    private final Queue<Served> announced = new ConcurrentLinkedQueue<>();

    private volatile boolean closed;
    /** For what goes on with no connection; null before the start is finished. */
    private volatile @Nullable IoLane lane;
    /** The native library is bound: from now on it costs nothing. */
    private volatile boolean binding;

    /** One LU. */
    private static final class Served {
        final LuBacking lu;
        final DeferredBackend backend;
        /** Null until it is wanted; see {@link #unit(Served)}. */
        volatile @Nullable LogicalUnit unit;
        /** Written under this object's lock, and read without: whoever opens it holds the lock while storage is slow. */
        volatile @Nullable FileBackend file;

        volatile String trouble = "";
        // Guarded by this object.
        boolean tried;
        boolean removed;

        Served(LuBacking lu, DeferredBackend backend) {
            this.lu = lu;
            this.backend = backend;
        }
    }

    /** Makes logical units, without waiting for the storage of their images. */
    public interface Units {
        /**
         * Whether something is kept of an LU from before the start, such as reservations. If not, its logical unit is made when
         * it is wanted, on the thread of whoever wants it.
         */
        default boolean remembers(LuBacking lu) {
            return true;
        }

        /** @throws UncheckedIOException if what is kept of it cannot be read */
        LogicalUnit of(LuBacking lu, BlockBackend backend);

        /** One of which nothing is kept. */
        default LogicalUnit fresh(LuBacking lu, BlockBackend backend) {
            return of(lu, backend);
        }
    }

    /** Opens what is there, whatever its size. */
    interface Opener {
        FileBackend open(LuBacking lu) throws BackendException;
    }

    public ServedLus(Units units) {
        this(units, lu -> FileBackend.open(lu.path(), existing(lu)));
    }

    ServedLus(Units units, Opener opener) {
        this.units = units;
        this.opener = opener;
    }

    /** Serves an LU whose image is opened by {@link #openAnnounced}, or as soon as somebody wants it. */
    public void announce(LuBacking lu) {
        try {
            Served served = announcedOf(lu);
            if (units.remembers(lu)) {
                served.unit = units.of(lu, served.backend);
            }
            put(served);
            served.backend.whenWanted(() -> soon(() -> open(served)));
            announced.add(served);
            resumeSanitizing(served);
        } catch (UncheckedIOException e) {
            log.error("LU {} is not served: {}", lu.name(), e.getMessage());
        }
    }

    /** Opens what has been announced, beside those who log in already. */
    public void openAnnounced() {
        for (int i = 0; i < OPENING_THREADS; i++) {
            soon(this::openNext);
        }
    }

    /** One at a time, so that one that is wanted need not wait for all the others. */
    private void openNext() {
        Served next = announced.poll();
        if (next != null) {
            if (!wasTried(next)) {
                open(next);
            }
            soon(this::openNext);
        }
    }

    /** Whether it has had its turn already, because somebody wanted it. */
    private static boolean wasTried(Served served) {
        synchronized (served) {
            return served.tried;
        }
    }

    private void soon(Runnable work) {
        try {
            openers.execute(work);
        } catch (RejectedExecutionException e) {
            // The server stops.
            log.debug("nothing is opened any more", e);
        }
    }

    /**
     * Opens an image, and makes it if it is missing and has a size; serves nothing yet.
     *
     * @throws BackendException with one line that names the path, what is wrong, and what to do; nothing is left then
     */
    FileBackend open(LuBacking lu, FileOptions options) throws BackendException {
        FileBackend file = FileBackend.open(lu.path(), options);
        bind(lu, file);
        return file;
    }

    /** Serves an LU whose image is open. */
    void serve(LuBacking lu, FileBackend file) {
        Served served = announcedOf(lu);
        served.unit = units.of(lu, served.backend);
        put(served);
        synchronized (served) {
            served.file = file;
        }
        served.backend.opened(file);
        resumeSanitizing(served);
    }

    private static Served announcedOf(LuBacking lu) {
        return new Served(lu, new DeferredBackend(lu.path().toString(), lu.sizeBytes(), lu.readOnly(), !lu.readOnly()));
    }

    private void put(Served served) {
        if (byName.putIfAbsent(served.lu.name(), served) != null) {
            throw new IllegalStateException("LU " + served.lu.name() + " is served already");
        }
    }

    /** Its logical unit, which is made when it is wanted first. */
    private LogicalUnit unit(Served served) {
        LogicalUnit made = served.unit;
        if (made == null) {
            synchronized (making) {
                made = served.unit;
                if (made == null) {
                    made = units.fresh(served.lu, served.backend);
                    served.unit = made;
                }
            }
        }
        return made;
    }

    private void open(Served served) {
        synchronized (served) {
            if (served.removed || served.file != null || closed) {
                return;
            }
            served.tried = true;
            try {
                // Before its image: until that is open, a unit has the size that was announced.
                unit(served);
                FileBackend file = opener.open(served.lu);
                served.file = file;
                if (binding) {
                    bind(served.lu, file);
                }
                served.backend.opened(file);
                if (!served.trouble.isEmpty()) {
                    log.info("LU {}: {} is there, and served", served.lu.name(), served.lu.path());
                }
                served.trouble = "";
            } catch (BackendException e) {
                missing(served, String.valueOf(e.getMessage()));
            } catch (RuntimeException | LinkageError e) {
                log.error("LU {}: {} cannot be opened", served.lu.name(), served.lu.path(), e);
                missing(served, String.valueOf(e.getMessage()));
            }
        }
    }

    /** To open what is there, whatever its size. */
    static FileOptions existing(LuBacking lu) {
        return new FileOptions(lu.readOnly(), OptionalLong.empty(), lu.direct(), false);
    }

    private void missing(Served served, String why) {
        if (!served.trouble.equals(why)) {
            log.error("LU {} answers NOT READY until its image can be opened: {}", served.lu.name(), why);
        }
        served.trouble = why;
        served.backend.failed(new BlockError(BlockError.Kind.UNREACHABLE, why));
        if (!closed) {
            openers.schedule(() -> open(served), RETRY_MS, TimeUnit.MILLISECONDS);
        }
    }

    /** What is served under a name, or null. Waits for nothing. */
    public @Nullable LogicalUnit unit(String lu) {
        Served served = byName.get(lu);
        return served == null ? null : unit(served);
    }

    /** What stands behind an LU, or null. */
    public @Nullable LuBacking lu(String lu) {
        Served served = byName.get(lu);
        return served == null ? null : served.lu;
    }

    /** Its size as initiators see it. */
    public long sizeBytes(String lu) {
        Served served = byName.get(lu);
        return served == null ? 0 : served.backend.sizeBytes();
    }

    /** Why an LU cannot be served; empty if nothing is wrong. */
    public String trouble(String lu) {
        Served served = byName.get(lu);
        return served == null ? "it is not served" : served.trouble;
    }

    /** Makes an LU larger; initiators hear of it with their next command. */
    public void grow(String lu, long sizeBytes) throws BackendException {
        Served served = byName.get(lu);
        if (served != null) {
            // After a start it may be among those that nobody has asked for yet.
            open(served);
        }
        FileBackend file = served == null ? null : served.file;
        if (file == null) {
            throw new BackendException("LU " + lu + " is not open: " + trouble(lu));
        }
        file.grow(sizeBytes);
    }

    /** Its image; null while that is not open. */
    public @Nullable FileBackend file(String lu) {
        Served served = byName.get(lu);
        return served == null ? null : served.file;
    }

    /** Names of what is served. */
    public Collection<String> names() {
        return List.copyOf(byName.keySet());
    }

    /** Images that are open, for what is done with all of them. */
    public Collection<FileBackend> files() {
        List<FileBackend> files = new ArrayList<>();
        for (Served served : byName.values()) {
            FileBackend file = served.file;
            if (file != null) {
                files.add(file);
            }
        }
        return files;
    }

    /** Makes file I/O quick for what has been opened without it, and for what will be. */
    public void bindNative() {
        binding = true;
        byName.values().forEach(served -> {
            FileBackend file = served.file;
            if (file != null) {
                bind(served.lu, file);
            }
        });
    }

    /** Goes on with what was being sanitized when the server ended. */
    public void resumeSanitizing(IoLane anyLane) {
        lane = anyLane;
        byName.values().forEach(this::resumeSanitizing);
    }

    /** An LU that comes later goes on at once; of one that nobody has wanted yet, nothing is kept. */
    private void resumeSanitizing(Served served) {
        IoLane known = lane;
        LogicalUnit unit = served.unit;
        if (known != null && unit != null) {
            unit.resumeSanitizing(known);
        }
    }

    private static void bind(LuBacking lu, FileBackend file) {
        try {
            file.bindNative();
        } catch (IOException | LinkageError e) {
            log.warn("{}: native I/O cannot be used, slower ways are: {}", lu.path(), e.getMessage());
        }
    }

    /** An LU that is not served any more, and whose image is still open. */
    public final class Retired {
        private final Served served;

        private Retired(Served served) {
            this.served = served;
        }

        /** Null if nobody has ever wanted it. */
        @Nullable
        LogicalUnit unit() {
            return served.unit;
        }

        void deleteImage() {
            delete(served.lu);
        }

        /** Makes durable what was written and gives the lock back, on a thread that may wait. Nobody may use it any more. */
        void close(Runnable closed) {
            Runnable work = () -> {
                ServedLus.close(served);
                closed.run();
            };
            try {
                openers.execute(work);
            } catch (RejectedExecutionException e) {
                work.run(); // the server stops
            }
        }
    }

    /** Serves an LU no more, under this name. */
    public @Nullable Retired retire(String lu) {
        Served served = byName.remove(lu);
        return served == null ? null : new Retired(served);
    }

    private static void close(Served served) {
        synchronized (served) {
            served.removed = true;
            FileBackend file = served.file;
            served.file = null;
            if (file != null) {
                closeQuietly(served.lu, file);
            }
        }
    }

    /** Deletes the image of an LU that is gone. */
    static void delete(LuBacking lu) {
        try {
            Files.deleteIfExists(lu.path());
        } catch (IOException e) {
            log.error("LU {} is gone, but its image {} cannot be deleted: {}", lu.name(), lu.path(), e.getMessage());
        }
    }

    static void closeQuietly(LuBacking lu, FileBackend file) {
        try {
            file.closeDurably();
        } catch (IOException e) {
            log.error("{}: closing it failed: {}", lu.path(), e.getMessage());
        }
    }

    /** Opens nothing more, and leaves open what is: commands may still run. */
    public void stopOpening() {
        closed = true;
        openers.shutdown();
    }

    /** The server ends: what is being sanitized is left to the next one. */
    public void stopSanitizing() {
        byName.values().forEach(served -> {
            LogicalUnit unit = served.unit;
            if (unit != null) {
                unit.retire(() -> {});
            }
        });
    }

    /** To be called when nothing runs any more. */
    @Override
    public void close() {
        stopOpening();
        byName.values().forEach(ServedLus::close);
        byName.clear();
    }

    /** The same within a limit that somebody else keeps. */
    public void close(ImageClosing closing) {
        stopOpening();
        byName.values().forEach(served -> closing.begin(served.lu.path().toString(), () -> close(served)));
        byName.clear();
    }
}
