package io.holdfast.drills;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.commons.io.FileUtils;
import org.jspecify.annotations.Nullable;

/**
 * What a drill leaves behind if nobody cleans up: a folder and processes. Closing ends the processes, the youngest
 * first, and deletes the folder; a shutdown hook does the same when the drill is interrupted.
 *
 * <p>Thread-safe: the hook's thread may close while the drill's thread works.
 */
final class Workplace implements AutoCloseable {
    /** After a place is closed nothing may be started in it, or it would outlive the clean-up. */
    private static final String CLOSED = "interrupted";

    private record Tenant(Child child, Duration grace) {}

    /** Where Linux keeps files in memory for everybody, as it does in /run for its services. */
    private static final Path IN_MEMORY = Path.of("/dev/shm");

    private final Path folder;
    private @Nullable Path memoryFolder;
    private final Deque<Tenant> tenants = new ArrayDeque<>();
    private final Thread hook = new Thread(this::cleanUp, "drill-clean-up");
    private boolean closed;
    private boolean keepFolder;

    private Workplace(Path folder) {
        this.folder = folder;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** Opens a fresh folder below {@code parent}. */
    static Workplace below(Path parent) throws DrillFailure {
        try {
            Files.createDirectories(parent);
            Path folder = Files.createTempDirectory(parent, "holdfast-drill-");
            try {
                return new Workplace(folder);
            } catch (IllegalStateException e) {
                // The hook cannot be set any more: this process is ending.
                FileUtils.deleteQuietly(folder.toFile());
                throw new DrillFailure(CLOSED, e);
            }
        } catch (IOException e) {
            throw new DrillFailure("cannot make a work folder below " + parent + ": " + e.getMessage(), e);
        }
    }

    Path folder() {
        return folder;
    }

    Path file(String name) {
        return folder.resolve(name);
    }

    /**
     * A file that a service would have below /run: in memory, where it can be replaced without waiting for a disk. On a
     * machine without such a place it is an ordinary one.
     */
    synchronized Path fileInMemory(String name) throws DrillFailure {
        if (closed) {
            throw new DrillFailure(CLOSED);
        }
        if (!Files.isWritable(IN_MEMORY)) {
            return file(name);
        }
        try {
            if (memoryFolder == null) {
                memoryFolder = Files.createTempDirectory(IN_MEMORY, "holdfast-drill-");
            }
            return memoryFolder.resolve(name);
        } catch (IOException e) {
            throw new DrillFailure("cannot make a folder below " + IN_MEMORY + ": " + e.getMessage(), e);
        }
    }

    /** Leaves the folder where it is when the place closes. */
    synchronized void keepFolder() {
        keepFolder = true;
    }

    /**
     * Starts a process that ends at the latest with this place.
     *
     * @param grace between SIGTERM and SIGKILL; zero for a process that must be killed at once
     */
    synchronized Child start(String name, List<String> command, Path log, Duration grace) throws DrillFailure {
        if (closed) {
            throw new DrillFailure(CLOSED);
        }
        Child child = Child.start(name, command, log);
        tenants.push(new Tenant(child, grace));
        return child;
    }

    /** Every process started here, the oldest first. */
    synchronized List<Child> children() {
        List<Child> all = new ArrayList<>();
        tenants.descendingIterator().forEachRemaining(tenant -> all.add(tenant.child()));
        return all;
    }

    private synchronized void cleanUp() {
        if (closed) {
            return;
        }
        closed = true;
        boolean interrupted = false;
        while (!tenants.isEmpty()) {
            Tenant tenant = tenants.pop();
            try {
                tenant.child().end(interrupted ? Duration.ZERO : tenant.grace());
            } catch (InterruptedException e) {
                interrupted = true;
                tenant.child().kill();
            }
        }
        if (!keepFolder) {
            FileUtils.deleteQuietly(folder.toFile());
        }
        if (memoryFolder != null) {
            FileUtils.deleteQuietly(memoryFolder.toFile());
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        cleanUp();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The machine is going down already: the hook runs, or has run, and finds nothing left to do.
        }
    }
}
