package io.holdfast.block;

import java.util.concurrent.Executor;

/**
 * The lane that needs nothing from its event loop but to run tasks. What the page cache holds is read inline with
 * {@code preadv2(RWF_NOWAIT)}; what would have to wait for a disk is read on the pool.
 */
public final class PortableLane extends OffloadingLane {

    public PortableLane(Executor thread, IoPool pool) {
        this(thread, pool, () -> {});
    }

    /** @param afterBatch see {@link OffloadingLane#OffloadingLane} */
    public PortableLane(Executor thread, IoPool pool, Runnable afterBatch) {
        super(thread, pool, afterBatch);
    }

    @Override
    public void read(OpenFile file, long offset, IoMemory into, IoCallback done) {
        readInPlace(file, offset, into, done);
    }
}
