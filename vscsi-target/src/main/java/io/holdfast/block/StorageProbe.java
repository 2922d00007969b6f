package io.holdfast.block;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Asks the storage of one image whether it is well: it is at its path, its beginning can be read, its file system takes
 * writes and has space. Made on the image's own share of the pool. Thread-safe.
 *
 * <p>It changes nothing, so it does not prove that a write lands: whoever depends on that writes.
 */
public final class StorageProbe {
    private final FileBackend backend;
    private final IoLane lane;
    private final AtomicBoolean asking = new AtomicBoolean();

    public StorageProbe(FileBackend backend, IoPool pool) {
        this.backend = backend;
        lane = new PortableLane(Runnable::run, pool);
    }

    /**
     * @param spaceBytes how much space a sparse image must have to grow
     * @param done told on a thread of the pool. Not called while an earlier probe has not ended: its storage hangs
     */
    public void ask(long spaceBytes, IoCallback done) {
        if (asking.compareAndSet(false, true)) {
            backend.probe(lane, spaceBytes, failure -> {
                asking.set(false);
                done.done(failure);
            });
        }
    }
}
