package io.holdfast.scsi;

import io.holdfast.block.BlockBackend;
import io.holdfast.block.BlockError;
import io.holdfast.block.Extents;
import io.holdfast.block.IoCallback;
import io.holdfast.block.IoLane;
import io.holdfast.block.PlainMemory;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One sanitizing on its way over the medium, piece by piece, with nobody else at work there.
 *
 * <pre>
 *   begin ──► (copies leave) ──► (claim of everything) ──┬─ OVERWRITE:   fill … flush, for each pass ──────────► done
 *                                                        └─ BLOCK ERASE: look ► fill … flush ► discard … flush ─► done
 * </pre>
 *
 * <p>A block erase first overwrites with zeroes what the image's file holds, as far as the file system writes in place, and then
 * gives the space back; giving it back alone would leave the data on the host's disk. Bytes behind the last whole block are
 * sanitized too.
 *
 * <p>Owned by the thread of its lane, to whose queue it goes back after each piece. It outlives its command, its session and the
 * task that began it; it ends early only when the unit is taken away, and then goes on when the unit is served again.
 */
final class SanitizeOperation implements IoCallback {
    private static final Logger LOG = LoggerFactory.getLogger(SanitizeOperation.class);
    private static final int MAX_EXTENTS = 64;

    private final LogicalUnit unit;
    private final Sanitizer sanitizer;
    private final SanitizeRequest request;
    private final IoLane lane;
    private final Claim claim = new Claim();
    private @Nullable ScsiTask waiting;

    /** It is among the uses of the unit, whose image stays open as long. */
    private boolean inside = true;

    private Runnable next = () -> {};
    private PlainMemory pattern;
    /** Passes that are done; for a block erase, 0 while it overwrites and 1 while it gives back. */
    private int pass;

    private long offset;
    /** Up to here it is known what holds data: that, and nothing behind it, is to be overwritten. */
    private long dataEnd;

    /**
     * Whoever makes it has entered the {@linkplain LogicalUnit#sanitizeUses uses} of the unit for it.
     *
     * @param waiting the task that is answered at the end; null if nobody waits
     */
    SanitizeOperation(
            LogicalUnit unit, Sanitizer sanitizer, SanitizeRequest request, IoLane lane, @Nullable ScsiTask waiting) {
        this.unit = unit;
        this.sanitizer = sanitizer;
        this.request = request;
        this.lane = lane;
        this.waiting = waiting;
        pattern = pattern(0);
    }

    private PlainMemory pattern(int ofPass) {
        return new PlainMemory(request.blocks(unit.blockBytes(), Limits.FILL_PATTERN_BYTES, ofPass));
    }

    /** On the lane's thread. New commands are refused already; those that run are waited for. */
    void begin() {
        unit.copyUses().awaitIdle(() -> execute(this::claim));
    }

    private void claim() {
        if (unit.ranges().excludeAll(claim) == RangeLock.Outcome.ENTERED) {
            goOn();
        }
    }

    private final class Claim extends RangeLock.Claim {
        @Override
        void granted() {
            execute(SanitizeOperation.this::goOn);
        }
    }

    private void execute(Runnable step) {
        try {
            lane.execute(() -> guarded(step));
        } catch (RejectedExecutionException e) {
            // The server has ended. The next one goes on.
            LOG.debug("sanitizing {} is left to the next server", unit, e);
            leave();
        }
    }

    // ---- pieces

    private void goOn() {
        if (endsEarly()) {
            leaveEarly();
        } else if (request.method() == SanitizeRequest.Method.OVERWRITE) {
            overwrite();
        } else {
            erase();
        }
    }

    /** Between two pieces: whether the unit is taken away. */
    private boolean endsEarly() {
        ScsiTask task = waiting;
        if (task != null && task.aborted()) {
            // Its end does not end what it has begun (SBC-3 §4.11).
            waiting = null;
            task.execution().good();
        } else if (task != null) {
            task.progressed();
        }
        return unit.retiring();
    }

    private void leaveEarly() {
        LOG.info("{}: it is taken away, and goes on being sanitized when it is served again", unit);
        leave();
        answer(sanitizer.complaint());
    }

    private void overwrite() {
        long size = unit.backend().sizeBytes();
        if (pass == request.passes()) {
            end();
        } else if (offset < size) {
            fill(size);
        } else {
            pass++;
            offset = 0;
            pattern = pattern(pass);
            flush();
        }
        sanitizer.progress((double) pass * size + offset, (double) request.passes() * size);
    }

    private void erase() {
        BlockBackend backend = unit.backend();
        long size = backend.sizeBytes();
        if (pass == 2) {
            end();
        } else if (offset >= size) {
            pass++;
            offset = 0;
            dataEnd = 0;
            flush();
        } else if (pass == 1) {
            long length = Math.min(size - offset, Limits.DISCARD_PIECE_BYTES);
            long at = offset;
            offset += length;
            next = this::goOn;
            backend.discard(at, length, lane, this);
        } else if (offset < dataEnd) {
            fill(Math.min(dataEnd, size));
        } else {
            Extents extents = new Extents(MAX_EXTENTS);
            next = () -> skipHoles(extents);
            backend.extents(offset, size - offset, extents, lane, this);
        }
        sanitizer.progress((double) pass * size + offset, 2.0 * size);
    }

    /** Goes to the next data; what is known of the holes behind it is asked for again. */
    private void skipHoles(Extents extents) {
        int i = 0;
        while (i < extents.size() && !extents.isData(i)) {
            offset += extents.lengthBytes(i++);
        }
        dataEnd = i < extents.size() ? offset + extents.lengthBytes(i) : offset;
        goOn();
    }

    private void fill(long end) {
        long length = Math.min(end - offset, Limits.FILL_PIECE_BYTES);
        long at = offset;
        offset += length;
        next = this::goOn;
        unit.backend().fill(at, length, pattern, lane, this);
    }

    /** Each pass reaches the medium before the next begins. */
    private void flush() {
        next = this::goOn;
        unit.backend().flush(lane, this);
    }

    @Override
    public void done(@Nullable BlockError failure) {
        if (failure == null) {
            execute(next);
        } else {
            guarded(() -> failed(failure));
        }
    }

    private void guarded(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            LOG.error("Sanitizing {} failed in the target itself.", unit, e);
            failed(new BlockError(BlockError.Kind.MEDIUM, e.toString()));
        }
    }

    // ---- the end

    private void end() {
        sanitizer.done(lane, failure -> {
            leave();
            answer(failure);
        });
    }

    private void failed(BlockError failure) {
        if (unit.retiring()) {
            // An end of the server fails what it does not wait for. Its record stays.
            leaveEarly();
            return;
        }
        unit.failed(failure, Access.WRITE, Sense.NONE);
        sanitizer.failed(failure.detail());
        leave();
        answer(Sense.of(SenseCode.SANITIZE_COMMAND_FAILED));
    }

    private void leave() {
        unit.ranges().leave(claim);
        if (inside) {
            inside = false;
            unit.sanitizeUses().leave();
        }
    }

    private void answer(@Nullable Sense failure) {
        ScsiTask task = waiting;
        waiting = null;
        if (task != null && failure != null) {
            task.execution().fail(failure);
        } else if (task != null) {
            task.execution().good();
        }
    }
}
