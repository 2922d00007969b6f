package io.holdfast.block;

import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Looks after images from time to time: a size that has changed is announced, and an image that is not at its path any more
 * is not served. Each look is made on the image's own share of the pool, so one whose storage hangs holds up no other.
 */
public final class FileWatch implements AutoCloseable {
    /** How long a change goes unnoticed at most. */
    public static final int INTERVAL_MS = 1000;

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "holdfast-watch");
        thread.setDaemon(true);
        return thread;
    });

    private FileWatch() {}

    /** Starts to look. Close it before the backends and the pool. */
    public static FileWatch start(List<FileBackend> backends, IoPool pool) {
        FileWatch watch = new FileWatch();
        for (FileBackend backend : backends) {
            // A lane of its own, with one operation at a time: its completions may run on the pool's thread.
            IoLane lane = new PortableLane(Runnable::run, pool);
            watch.clock.scheduleWithFixedDelay(
                    () -> backend.look(lane), INTERVAL_MS, INTERVAL_MS, TimeUnit.MILLISECONDS);
        }
        return watch;
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}
