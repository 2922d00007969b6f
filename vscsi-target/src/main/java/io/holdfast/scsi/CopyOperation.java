package io.holdfast.scsi;

import io.holdfast.block.BlockError;
import io.holdfast.block.Durability;
import io.holdfast.block.IoCallback;
import io.holdfast.block.IoMemory;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One EXTENDED COPY on its way: piece after piece is read from one logical unit and written to another, or the same one.
 *
 * <pre>
 *   begin ──► piece ──► (claim) ──► read ──► (claim) ──► write or discard ──► piece … ──► flush ──► the answer
 * </pre>
 *
 * <p>Owned by the thread of the task's lane, to whose queue it goes back after each piece, so that nobody behind the same
 * loop waits for more than one. It ends between two pieces when nobody waits for the answer any more.
 *
 * <p>Each piece is beside other commands (RangeLock): a COMPARE AND WRITE sees all of it or none. Only one range is claimed
 * at a time; who claimed the source until the destination is free could wait in a circle.
 *
 * <p>The nexus is the one that asked: reservations, access states and the view of logical units are judged by it, for each
 * segment, and the view for each piece. Deviation: blocks of different lengths are copied only where one side's are a whole
 * number of the other's; PAD and CAT are ignored.
 */
final class CopyOperation implements IoCallback {
    private static final Logger LOG = LoggerFactory.getLogger(CopyOperation.class);

    private final LogicalUnit home;
    private final ScsiTask task;
    private final CopyList list;
    private final CopyRecords.Entry record;
    private final List<LunView.Copyable> visible;
    private final Set<LogicalUnit> written = new LinkedHashSet<>();
    private final Claim claim = new Claim();
    private final Runnable piece = this::begin;

    private int index;
    private @Nullable Segment segment;
    private @Nullable IoMemory memory;
    private int pieceBytes;
    /** Where the piece begins, in bytes from the beginning of the segment. */
    private long pieceAt;

    private @Nullable LogicalUnit used;
    private Runnable next = piece;
    private Deque<LogicalUnit> unflushed = new ArrayDeque<>();

    /** A segment that can be copied. Backwards where it would otherwise write over what is still to be read. */
    private static final class Segment {
        final LogicalUnit source;
        final LogicalUnit destination;
        final long sourceOffset;
        final long destinationOffset;
        final long bytes;
        final boolean backwards;
        private final int sanitizedBefore;
        long copied;

        Segment(LogicalUnit source, long sourceOffset, LogicalUnit destination, long destinationOffset, long bytes) {
            this.source = source;
            this.sourceOffset = sourceOffset;
            this.destination = destination;
            this.destinationOffset = destinationOffset;
            this.bytes = bytes;
            backwards = source == destination && sourceOffset < destinationOffset;
            sanitizedBefore = sanitized();
        }

        private int sanitized() {
            return source.sanitizer().generation() + destination.sanitizer().generation();
        }

        boolean sanitizedMeanwhile() {
            return sanitized() != sanitizedBefore;
        }
    }

    CopyOperation(LogicalUnit home, ScsiTask task, CopyList list, CopyRecords.Entry record) {
        this.home = home;
        this.task = task;
        this.list = list;
        this.record = record;
        visible = task.lunView().copyable();
    }

    void begin() {
        guarded(this::piece);
    }

    // ---- pieces

    private void piece() {
        if (task.aborted()) {
            end(CopyRecords.State.FAILED, new byte[0]);
            task.execution().good();
            return;
        }
        Segment present = segment;
        while (present == null || present.copied == present.bytes) {
            if (present != null) {
                record.segmentDone();
                index++;
            }
            if (index == list.segments().size()) {
                written.stream().filter(unit -> !unit.modes().writeCache()).forEach(unflushed::add);
                flushNext();
                return;
            }
            present = take(list.segments().get(index));
            segment = present;
            if (present == null) {
                return;
            }
        }
        pieceBytes = (int) Math.min(Limits.COPY_PIECE_BYTES, present.bytes - present.copied);
        pieceAt = present.backwards ? present.bytes - present.copied - pieceBytes : present.copied;
        claim(present.source, present.sourceOffset, this::read);
    }

    private void read() {
        Segment present = running();
        IoMemory whole = memory;
        if (whole == null) {
            // The first piece of the first segment need not be the largest.
            whole = task.allocateDataIn(Limits.COPY_PIECE_BYTES);
            task.dataInLength(0);
            memory = whole;
        }
        if (uses(present.source)) {
            next = () -> claim(present.destination, present.destinationOffset, this::write);
            present.source
                    .backend()
                    .read(present.sourceOffset + pieceAt, IoMemorySlice.first(whole, pieceBytes), task.lane(), this);
        }
    }

    private void write() {
        Segment present = running();
        LogicalUnit to = present.destination;
        if (!uses(to)) {
            return;
        }
        written.add(to);
        next = this::pieceDone;
        IoMemory data = IoMemorySlice.first(running(memory), pieceBytes);
        long offset = present.destinationOffset + pieceAt;
        if (to.thin() && isZero(data)) {
            // What reads as zeroes takes no space: a copy of a sparse image is as sparse.
            to.backend().discard(offset, pieceBytes, task.lane(), this);
        } else {
            to.backend().write(offset, data, Durability.CACHED, task.lane(), this);
        }
    }

    private void pieceDone() {
        running().copied += pieceBytes;
        record.copied(pieceBytes);
        task.progressed();
        task.lane().execute(piece);
    }

    private void flushNext() {
        LogicalUnit unit = unflushed.poll();
        if (unit == null) {
            end(CopyRecords.State.DONE, new byte[0]);
            task.execution().good();
        } else if (uses(unit)) {
            next = this::flushNext;
            unit.backend().flush(task.lane(), this);
        }
    }

    private static boolean isZero(IoMemory data) {
        ByteBuffer bytes = data.buffer();
        return bytes.get(0) == 0
                && bytes.slice(0, bytes.remaining() - 1).mismatch(bytes.slice(1, bytes.remaining() - 1)) < 0;
    }

    // ---- segments

    /** @return null if it cannot be copied: the task has been completed */
    private @Nullable Segment take(CopyList.Segment wanted) {
        LunView.Copyable from = find(wanted.source());
        LunView.Copyable to = from == null ? null : find(wanted.destination());
        if (from == null || to == null) {
            return null;
        }
        LogicalUnit source = from.unit();
        LogicalUnit destination = to.unit();
        int shift = wanted.inDestinationBlocks() ? destination.blockShift() : source.blockShift();
        long bytes = (long) wanted.blocks() << shift;
        if (!has(source, wanted.sourceLba(), bytes) || !has(destination, wanted.destinationLba(), bytes)) {
            fail(SenseCode.COPY_TARGET_DEVICE_NOT_REACHABLE);
        } else if (bytes % source.blockBytes() != 0 || bytes % destination.blockBytes() != 0) {
            fail(SenseCode.UNEXPECTED_INEXACT_SEGMENT);
        } else if (!source.admits(ScsiCommand.READ_16, task)
                || !destination.admits(ScsiCommand.WRITE_16, task)
                || to.readOnly()
                || destination.protectedFromCopies()) {
            fail(SenseCode.THIRD_PARTY_DEVICE_FAILURE);
        } else {
            return new Segment(
                    source,
                    wanted.sourceLba() << source.blockShift(),
                    destination,
                    wanted.destinationLba() << destination.blockShift(),
                    bytes);
        }
        return null;
    }

    private LunView.@Nullable Copyable find(int target) {
        CopyList.Target wanted = target < list.targets().size() ? list.targets().get(target) : null;
        if (wanted != null) {
            for (LunView.Copyable each : visible) {
                if (wanted.names(each.unit())) {
                    boolean fits = wanted.isDisk()
                            && wanted.blockBytes() == each.unit().blockBytes();
                    if (!fits) {
                        fail(SenseCode.INCORRECT_COPY_TARGET_DEVICE_TYPE);
                    }
                    return fits ? each : null;
                }
            }
        }
        fail(SenseCode.UNREACHABLE_COPY_TARGET);
        return null;
    }

    private static boolean has(LogicalUnit unit, long lba, long bytes) {
        long capacity = unit.blocks();
        long blocks = bytes + unit.blockBytes() - 1 >> unit.blockShift();
        return lba >= 0 && lba <= capacity && blocks <= capacity - lba;
    }

    // ---- one operation of a backend at a time

    /** @return false if the nexus sees the logical unit no more: the task has been completed */
    private boolean uses(LogicalUnit unit) {
        unit.copyUses().enter();
        used = unit;
        Segment present = segment;
        if (unit.sanitizer().complaint() != null || (present != null && present.sanitizedMeanwhile())) {
            // What was read before is not to come back.
            release();
            fail(SenseCode.THIRD_PARTY_DEVICE_FAILURE);
            return false;
        }
        for (LunView.Copyable each : task.lunView().copyable()) {
            if (each.unit() == unit) {
                return true;
            }
        }
        release();
        fail(SenseCode.UNREACHABLE_COPY_TARGET);
        return false;
    }

    private void release() {
        claim.leave();
        LogicalUnit unit = used;
        if (unit != null) {
            used = null;
            unit.copyUses().leave();
        }
    }

    private void claim(LogicalUnit unit, long offset, Runnable step) {
        if (claim.share(unit, offset + pieceAt, offset + pieceAt + pieceBytes, step)) {
            step.run();
        }
    }

    private final class Claim extends RangeLock.Claim {
        private @Nullable LogicalUnit unit;
        private Runnable step = piece;

        /** @return false if {@code whenGranted} will run later, on the lane's thread */
        boolean share(LogicalUnit claimed, long start, long end, Runnable whenGranted) {
            unit = claimed;
            step = whenGranted;
            return claimed.ranges().share(this, start, end) == RangeLock.Outcome.ENTERED;
        }

        void leave() {
            LogicalUnit claimed = unit;
            if (claimed != null) {
                unit = null;
                claimed.ranges().leave(this);
            }
        }

        @Override
        void granted() {
            try {
                task.lane().execute(() -> guarded(step));
            } catch (RejectedExecutionException e) {
                // The loop has ended, and with it everybody who could be answered. The others go on.
                LOG.debug("a copy is dropped: its lane's thread has ended", e);
                leave();
            }
        }
    }

    @Override
    public void done(@Nullable BlockError failure) {
        LogicalUnit unit = used;
        guarded(() -> {
            release();
            if (failure == null) {
                next.run();
            } else {
                if (unit != null) {
                    unit.failed(failure, Access.COPY, Sense.NONE);
                }
                fail(SenseCode.THIRD_PARTY_DEVICE_FAILURE);
            }
        });
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException | Error e) {
            release();
            end(CopyRecords.State.FAILED, new byte[0]);
            task.execution().broken(e);
        }
    }

    // ---- the end

    private void fail(SenseCode why) {
        Sense sense = Sense.inSegment(why, index);
        byte[] bytes = new byte[ScsiTask.SENSE_BYTES];
        int length = sense.encode(bytes, Sense.Format.FIXED);
        end(CopyRecords.State.FAILED, Arrays.copyOf(bytes, length));
        task.execution().fail(sense);
    }

    private void end(CopyRecords.State how, byte[] sense) {
        if (record.state() == CopyRecords.State.IN_PROGRESS) {
            record.ended(how, sense);
            home.copyRecords().end();
        }
    }

    private Segment running() {
        Segment present = segment;
        if (present == null) {
            throw new IllegalStateException("no segment is being copied");
        }
        return present;
    }

    private static IoMemory running(@Nullable IoMemory memory) {
        if (memory == null) {
            throw new IllegalStateException("nothing has been read");
        }
        return memory;
    }
}
