package io.holdfast.block;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An image that is announced before it is open: a server of thousands need not open them all before it answers anybody. Its
 * owner opens it, soon, on a thread that may wait for storage. What comes before that waits; while it cannot be opened,
 * everything is answered {@link BlockError.Kind#UNREACHABLE}.
 *
 * <pre>
 *   CLOSED ──(opened)──► OPEN
 *     │  ▲                ▲
 *  (failed)              (opened)
 *     ▼                   │
 *   MISSING ──────────────┘
 * </pre>
 *
 * Any thread. An open one costs an operation one volatile read.
 */
public final class DeferredBackend implements BlockBackend {
    /** Operations that may wait for the image to be opened; an initiator's own window is far below it. */
    static final int MAX_WAITING = 65_536;

    private final String description;
    private final boolean readOnly;
    private final boolean discards;
    private final long announcedBytes;

    private volatile @Nullable BlockBackend behind;
    private volatile Runnable wanted = () -> {};

    private final Object lock = new Object();
    // Both guarded by lock.
    private @Nullable BlockError missing;
    private List<Waiting> waiting = new ArrayList<>();

    private record Waiting(IoLane lane, Operation operation, IoCallback done) {}

    @FunctionalInterface
    private interface Operation {
        void start(BlockBackend backend);
    }

    /**
     * @param description what it is, for people
     * @param announcedBytes its size until it is open
     * @param discards whether it is taken to give space back, until it is open
     */
    public DeferredBackend(String description, long announcedBytes, boolean readOnly, boolean discards) {
        this.description = description;
        this.announcedBytes = announcedBytes;
        this.readOnly = readOnly;
        this.discards = discards;
    }

    /**
     * Tells when the first operation waits: whoever opens many images may take this one first.
     *
     * @param hearer on the thread of the operation; must not block
     */
    public void whenWanted(Runnable hearer) {
        wanted = hearer;
    }

    /** The image is open: what waited goes on. Once. */
    public void opened(BlockBackend backend) {
        for (Waiting each : enter(backend, null)) {
            each.lane.execute(() -> each.operation.start(backend));
        }
    }

    /** The image cannot be opened for now. */
    public void failed(BlockError why) {
        for (Waiting each : enter(null, why)) {
            each.lane.execute(() -> each.done.done(why));
        }
    }

    private List<Waiting> enter(@Nullable BlockBackend backend, @Nullable BlockError why) {
        synchronized (lock) {
            missing = why;
            behind = backend;
            List<Waiting> all = waiting;
            waiting = new ArrayList<>();
            return all;
        }
    }

    /** Not open: waits, is answered, or has just been opened. */
    private void wait(IoLane lane, IoCallback done, Operation operation) {
        BlockBackend backend;
        BlockError why;
        synchronized (lock) {
            backend = behind;
            why = missing;
            if (backend == null && why == null) {
                if (waiting.size() < MAX_WAITING) {
                    waiting.add(new Waiting(lane, operation, done));
                    if (waiting.size() == 1) {
                        wanted.run();
                    }
                    return;
                }
                why = new BlockError(
                        BlockError.Kind.UNREACHABLE,
                        MAX_WAITING + " operations wait for " + description + " to be opened");
            }
        }
        if (backend != null) {
            operation.start(backend);
        } else {
            done.done(why);
        }
    }

    @Override
    public void read(long offset, IoMemory into, IoLane lane, IoCallback done) {
        BlockBackend open = behind;
        if (open != null) {
            open.read(offset, into, lane, done);
        } else {
            wait(lane, done, backend -> backend.read(offset, into, lane, done));
        }
    }

    @Override
    public void write(long offset, IoMemory from, Durability durability, IoLane lane, IoCallback done) {
        BlockBackend open = behind;
        if (open != null) {
            open.write(offset, from, durability, lane, done);
        } else {
            wait(lane, done, backend -> backend.write(offset, from, durability, lane, done));
        }
    }

    @Override
    public int writeNow(long offset, IoMemory from, int lengthBytes, IoLane lane) {
        BlockBackend open = behind;
        return open == null ? 0 : open.writeNow(offset, from, lengthBytes, lane);
    }

    @Override
    public void flush(IoLane lane, IoCallback done) {
        BlockBackend open = behind;
        if (open != null) {
            open.flush(lane, done);
        } else {
            wait(lane, done, backend -> backend.flush(lane, done));
        }
    }

    @Override
    public void discard(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        BlockBackend open = behind;
        if (open != null) {
            open.discard(offset, lengthBytes, lane, done);
        } else {
            wait(lane, done, backend -> backend.discard(offset, lengthBytes, lane, done));
        }
    }

    @Override
    public void fill(long offset, long lengthBytes, IoMemory pattern, IoLane lane, IoCallback done) {
        BlockBackend open = behind;
        if (open != null) {
            open.fill(offset, lengthBytes, pattern, lane, done);
        } else {
            wait(lane, done, backend -> backend.fill(offset, lengthBytes, pattern, lane, done));
        }
    }

    @Override
    public void zero(long offset, long lengthBytes, IoLane lane, IoCallback done) {
        BlockBackend open = behind;
        if (open != null) {
            open.zero(offset, lengthBytes, lane, done);
        } else {
            wait(lane, done, backend -> backend.zero(offset, lengthBytes, lane, done));
        }
    }

    @Override
    public void extents(long offset, long lengthBytes, Extents into, IoLane lane, IoCallback done) {
        BlockBackend open = behind;
        if (open != null) {
            open.extents(offset, lengthBytes, into, lane, done);
        } else {
            wait(lane, done, backend -> backend.extents(offset, lengthBytes, into, lane, done));
        }
    }

    @Override
    public long sizeBytes() {
        BlockBackend open = behind;
        return open == null ? announcedBytes : open.sizeBytes();
    }

    @Override
    public boolean readOnly() {
        return readOnly;
    }

    @Override
    public String describe() {
        return description;
    }

    @Override
    public boolean discards() {
        BlockBackend open = behind;
        return open == null ? discards : open.discards();
    }

    @Override
    public void close() throws IOException {
        BlockBackend open = behind;
        if (open != null) {
            open.close();
        }
    }
}
