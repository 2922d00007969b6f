package io.holdfast.block;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Looks after images from time to time: a size that has changed is announced, and an image that is not at its path any more
 * is not served. Each look is made on the image's own share of the pool, so one whose storage hangs holds up no other.
 */
public final class FileWatch implements AutoCloseable {
    /** How long a change goes unnoticed at most, of up to {@value #LOOKS} images. */
    public static final int INTERVAL_MS = 1000;

    /** How many images are looked at in an interval; more take turns. */
    static final int LOOKS = 500;

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "holdfast-watch");
        thread.setDaemon(true);
        return thread;
    });
    private final Supplier<? extends Collection<FileBackend>> backends;
    private final IoPool pool;
    /** Of the present round; only the clock's thread looks at it. */
    private List<FileBackend> round = List.of();

    private FileWatch(Supplier<? extends Collection<FileBackend>> backends, IoPool pool) {
        this.backends = backends;
        this.pool = pool;
    }

    /**
     * Starts to look. Close it before the backends and the pool.
     *
     * @param backends those there are, asked whenever all have had their turn
     */
    public static FileWatch start(Supplier<? extends Collection<FileBackend>> backends, IoPool pool) {
        FileWatch watch = new FileWatch(backends, pool);
        watch.clock.scheduleWithFixedDelay(watch::look, INTERVAL_MS, INTERVAL_MS, TimeUnit.MILLISECONDS);
        return watch;
    }

    private void look() {
        if (round.isEmpty()) {
            round = new ArrayList<>(backends.get());
        }
        List<FileBackend> next = round.subList(0, Math.min(LOOKS, round.size()));
        for (FileBackend backend : next) {
            // A lane of its own, with one operation at a time: its completions may run on the pool's thread.
            backend.look(new PortableLane(Runnable::run, pool));
        }
        next.clear();
    }

    @Override
    public void close() {
        clock.shutdownNow();
    }
}
