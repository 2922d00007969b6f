package io.holdfast.block;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes images side by side, within a limit for all of them. Closing flushes, and a flush may take for ever: one image whose
 * disk hangs must hold up neither the others nor the end of the server. Such an image stays open, and locked, until its flush
 * returns or the process has ended; the kernel waits with that for whatever it still carries out.
 *
 * <p>For one closing: {@link #begin} for each image, then {@link #await}. One thread.
 */
public final class ImageClosing {
    /** Images that are closed at a time. Those behind that many hanging ones are left to the kernel, as the data is. */
    static final int MAX_AT_ONCE = 64;

    private static final Logger LOG = LoggerFactory.getLogger(ImageClosing.class);

    /** What closes an image. */
    @FunctionalInterface
    public interface Close {
        void run() throws IOException;
    }

    private final ExecutorService threads = Executors.newFixedThreadPool(MAX_AT_ONCE, task -> {
        Thread thread = new Thread(task, "holdfast-close");
        thread.setDaemon(true);
        return thread;
    });
    // Guarded by itself.
    private final Set<String> open = new TreeSet<>();

    /** Begins to close an image. Returns at once. */
    public void begin(String image, Close close) {
        synchronized (open) {
            open.add(image);
        }
        threads.execute(() -> {
            try {
                close.run();
            } catch (IOException | RuntimeException e) {
                LOG.error("{}: closing it failed: {}", image, e.getMessage());
            }
            synchronized (open) {
                open.remove(image);
            }
        });
    }

    /**
     * Waits until all images are closed.
     *
     * @return those that were not when the limit had passed; they are said in the log
     */
    public List<String> await(Duration limit) {
        // Nobody is interrupted: that would close the file, and drop its lock, while the kernel is still at it.
        threads.shutdown();
        try {
            threads.awaitTermination(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List<String> late;
        synchronized (open) {
            late = List.copyOf(open);
        }
        if (!late.isEmpty()) {
            LOG.error(
                    "not closed within {} ms, because their storage does not answer: {}; they stay locked until it does",
                    limit.toMillis(),
                    String.join(", ", late));
        }
        return late;
    }
}
