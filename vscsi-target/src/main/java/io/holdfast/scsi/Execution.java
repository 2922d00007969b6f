package io.holdfast.scsi;

import io.holdfast.block.BlockError;
import io.holdfast.block.Durability;
import io.holdfast.block.Extents;
import io.holdfast.block.IoCallback;
import io.holdfast.block.IoMemory;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How far a task has come: what its next step is when the backend has done the present one. One per {@link ScsiTask},
 * made with it and used again for each of its commands, so that a READ or WRITE allocates nothing.
 *
 * <pre>
 *   begin ──► (handler) ──► share / exclude ──► (step) ──► then(step) ──► backend … done ──► step ──► … ──► finish
 *                 │                                  └─ failure ──► CHECK CONDITION ──► finish
 *                 └──► good / fail / reply ──────────────────────────────────────────► finish
 * </pre>
 *
 * Owned by the thread of the task's lane. {@link #finish()} is the only place that completes a task, and nothing may be
 * touched after it: the transport may already be using the task for another command.
 */
final class Execution implements IoCallback {
    private static final Logger LOG = LoggerFactory.getLogger(Execution.class);

    /** What is to be done when the backend has done what it was asked. Always a method without captured state. */
    @FunctionalInterface
    interface Step {
        void run(LogicalUnit unit, ScsiTask task);
    }

    private static final Step GOOD = (unit, task) -> task.execution().good();

    private @Nullable ScsiTask task;
    private @Nullable LogicalUnit unit;
    private @Nullable ScsiCommand command;
    private Step next = GOOD;
    private boolean finished = true;
    private final RangeLock.Claim claim = new OwnClaim();
    private final Runnable enter = this::enter;

    // What the steps of one command hand to each other. Fields, not captured variables: those would be garbage.
    long lba;
    long offset;
    long remaining;
    int cursor;
    Durability durability = Durability.CACHED;

    @Nullable
    IoMemory data;

    byte @Nullable [] parameters;

    @Nullable
    Extents extents;

    /** @param newUnit null at a LUN without a logical unit, where nothing has a next step */
    void begin(ScsiTask newTask, @Nullable LogicalUnit newUnit) {
        task = newTask;
        unit = newUnit;
        command = null;
        next = GOOD;
        finished = false;
        lba = Sense.NONE;
        data = null;
        parameters = null;
        extents = null;
    }

    void command(ScsiCommand newCommand) {
        command = newCommand;
    }

    /** The callback for a backend's operation after which the task is done. */
    IoCallback thenGood() {
        return then(GOOD);
    }

    /** The callback for a backend's operation after which {@code step} runs. */
    IoCallback then(Step step) {
        next = step;
        return this;
    }

    @Override
    public void done(@Nullable BlockError failure) {
        LogicalUnit u = unit;
        ScsiTask t = task;
        if (finished || u == null || t == null) {
            LOG.error("A backend called back for a task that has been completed: {}", command);
            return;
        }
        try {
            if (failure == null) {
                u.succeeded();
                next.run(u, t);
            } else {
                fail(u.failed(failure, access(), lba));
            }
        } catch (RuntimeException | Error e) {
            broken(e);
        }
    }

    // ---- the range the command works on

    /** Runs {@code step} beside other commands on the range the execution has taken; perhaps later. */
    void share(Step step) {
        share(offset, offset + remaining, step);
    }

    void share(long start, long end, Step step) {
        next = step;
        LogicalUnit u = running(unit);
        if (u.ranges().share(claim, start, end) == RangeLock.Outcome.ENTERED) {
            step.run(u, running());
        }
    }

    /**
     * A part of the command is about to be done before it is executed.
     *
     * @return false if others keep it out of its range at this moment
     */
    boolean enterNow(LogicalUnit of) {
        return of.ranges().shareNow(claim);
    }

    void leaveAgain(LogicalUnit of) {
        of.ranges().leave(claim);
    }

    /** Runs {@code step} once no other command is at work on the range the execution has taken. */
    void exclude(Step step) {
        next = step;
        LogicalUnit u = running(unit);
        switch (u.ranges().exclude(claim, offset, offset + remaining)) {
            case ENTERED -> step.run(u, running());
            case WAITING -> {
                // Until the claim is granted.
            }
            case REFUSED -> {
                running().status(ScsiStatus.TASK_SET_FULL);
                finish();
            }
        }
    }

    private final class OwnClaim extends RangeLock.Claim {
        @Override
        void granted() {
            try {
                running().lane().execute(enter);
            } catch (RejectedExecutionException e) {
                // The loop has ended, and with it everybody who could be answered. The others go on.
                LOG.debug("{} is dropped: its lane's thread has ended", command, e);
                running(unit).ranges().leave(this);
            }
        }
    }

    private void enter() {
        try {
            ScsiTask t = running();
            if (t.aborted()) {
                good();
            } else {
                next.run(running(unit), t);
            }
        } catch (RuntimeException | Error e) {
            broken(e);
        }
    }

    private Access access() {
        return command == null ? Access.CONTROL : command.access();
    }

    void good() {
        answer(ScsiStatus.GOOD);
    }

    /** Ends the task with a status that has no sense data. */
    void answer(ScsiStatus status) {
        running().status(status);
        finish();
    }

    void fail(Sense sense) {
        LogicalUnit u = unit;
        Sense.Format format = u == null ? Sense.Format.FIXED : u.senseFormat();
        ScsiTask t = running();
        t.checkCondition(sense.encode(t.sense(), format));
        finish();
    }

    void fail(SenseCode code) {
        fail(Sense.of(code));
    }

    /** Answers with as much of {@code bytes} as the CDB's ALLOCATION LENGTH takes (SPC-4 §4.2.5.6). */
    void reply(byte[] bytes, long allocationLength) {
        int length = (int) Math.min(bytes.length, allocationLength);
        if (length > 0) {
            running().allocateDataIn(length).buffer().put(bytes, 0, length);
        }
        good();
    }

    /**
     * A fault of ours, or no memory. The task is answered all the same, if it has not been: one that never ends keeps its
     * session from ending, and the writes of its initiator's next session from being admitted.
     */
    void broken(Throwable e) {
        LOG.error("Executing {} failed in the target itself.", command, e);
        if (finished) {
            return;
        }
        if (e instanceof OutOfMemoryError) {
            // SAM-5 §5.3.1: no resources to accept it now; initiators repeat the command.
            running().dataInLength(0);
            running().status(ScsiStatus.TASK_SET_FULL);
            finish();
        } else {
            fail(SenseCode.INTERNAL_TARGET_FAILURE);
        }
    }

    private void finish() {
        ScsiTask t = running();
        finished = true;
        data = null;
        parameters = null;
        extents = null;
        LogicalUnit u = unit;
        if (u != null) {
            u.ranges().leave(claim);
        }
        try {
            t.completed();
        } catch (RuntimeException | Error e) {
            // Must not reach the callers: they would take it for a failure of the command and answer a second time.
            LOG.error("The transport failed to take the answer to a task.", e);
        }
    }

    private static LogicalUnit running(@Nullable LogicalUnit unit) {
        if (unit == null) {
            throw new IllegalStateException("no logical unit");
        }
        return unit;
    }

    private ScsiTask running() {
        ScsiTask t = task;
        if (finished || t == null) {
            throw new IllegalStateException("the task has been completed: " + command);
        }
        return t;
    }
}
