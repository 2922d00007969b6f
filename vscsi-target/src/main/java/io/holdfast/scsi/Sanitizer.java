package io.holdfast.scsi;

import io.holdfast.block.IoLane;
import io.holdfast.block.IoQueue;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a logical unit is being sanitized, and what that means for commands (SBC-3 §4.11): while it is, and after it has
 * failed, only INQUIRY, REPORT LUNS and REQUEST SENSE are carried out (and SANITIZE after a failure). No reset, no abort and no end of a session stops it.
 *
 * <pre>
 *            SANITIZE                     done
 *   NONE ───────────────► RUNNING ──────────────────────► NONE
 *     ▲                    │   ▲                            (the server ends: RUNNING at its next start)
 *     │            failure │   │ SANITIZE
 *     └────────────────── FAILED
 *     EXIT FAILURE MODE, if AUSE was set or all is done and only that could not be kept; LEAVING until that is kept
 * </pre>
 *
 * <p>Thread-safe: each command reads one volatile field.
 */
final class Sanitizer {
    private static final Logger LOG = LoggerFactory.getLogger(Sanitizer.class);

    /** Where AUSE and the service action stand in the CDB. */
    private static final int OPTIONS_BYTE = 1;

    /** When the command that asks for it is answered. */
    enum Answer {
        /** IMMED: once it is certain that it will be carried out. */
        WHEN_BEGUN,
        WHEN_ENDED
    }

    private enum Phase {
        NONE,
        RUNNING,
        FAILED,
        /** From FAILED to NONE, as soon as that is kept. */
        LEAVING
    }

    private final LogicalUnit unit;
    private final SanitizeStore store;
    /** Its calls to the store: a state directory that hangs holds up neither the disk nor another unit. */
    private final IoQueue storing = new IoQueue();

    private volatile Phase phase;
    private final AtomicInteger generation = new AtomicInteger();
    private volatile int progress;
    // Guarded by this.
    private @Nullable SanitizeRequest request;
    /** Whether EXIT FAILURE MODE may end FAILED: AUSE, or nothing of the medium is half sanitized. */
    private boolean exitAllowed;
    /** It was under way when the unit was served last, and has not been resumed. */
    private boolean resumable;

    Sanitizer(LogicalUnit unit, SanitizeStore store) {
        this.unit = unit;
        this.store = store;
        request = store.pending();
        resumable = request != null;
        phase = request == null ? Phase.NONE : Phase.RUNNING;
    }

    /** Why a command is not carried out, or null. */
    @Nullable
    Sense complaint(ScsiCommand command) {
        Phase present = phase;
        if (present == Phase.NONE || (present == Phase.FAILED && isSanitize(command))) {
            return null;
        }
        return complaint();
    }

    private static boolean isSanitize(ScsiCommand command) {
        return command.usage().opcode()
                == ScsiCommand.SANITIZE_OVERWRITE.usage().opcode();
    }

    /** What keeps commands out, or null. */
    @Nullable
    Sense complaint() {
        return switch (phase) {
            case NONE -> null;
            case RUNNING -> Sense.inProgress(SenseCode.SANITIZE_IN_PROGRESS, progress);
            case FAILED, LEAVING -> Sense.of(SenseCode.SANITIZE_COMMAND_FAILED);
        };
    }

    /** Becomes another number whenever it begins: whoever holds data of before must not write it back. */
    int generation() {
        return generation.get();
    }

    /** Begins, on the task's lane, to which it stays. */
    void start(ScsiTask task, SanitizeRequest wanted, Answer when) {
        Before before;
        Sense refusal;
        unit.sanitizeUses().enter();
        synchronized (this) {
            before = new Before(phase, request, exitAllowed);
            refusal = refusal();
            if (refusal == null && phase == Phase.FAILED && wanted.unrestrictedExit() && !exitAllowed) {
                // Who may not leave may not ask for leave either.
                refusal = Sense.inCdb(OPTIONS_BYTE);
            }
            if (refusal == null) {
                enter(Phase.RUNNING, wanted, "asked for");
            }
        }
        if (refusal != null) {
            unit.sanitizeUses().leave();
            task.execution().fail(refusal);
            return;
        }
        keep(task.lane(), () -> store.begun(wanted), failure -> {
            if (failure != null) {
                notKept(task, wanted, before, failure);
                return;
            }
            ScsiTask waiting = when == Answer.WHEN_ENDED ? task : null;
            SanitizeOperation operation = new SanitizeOperation(unit, this, wanted, task.lane(), waiting);
            if (waiting == null) {
                task.execution().good();
            }
            operation.begin();
        });
    }

    private record Before(Phase phase, @Nullable SanitizeRequest request, boolean exitAllowed) {}

    /** Guarded by this: why neither a sanitizing nor its failure mode can begin or end now, or null. */
    private @Nullable Sense refusal() {
        if (unit.retiring()) {
            return Sense.of(SenseCode.LOGICAL_UNIT_NOT_SUPPORTED);
        }
        return phase == Phase.RUNNING || phase == Phase.LEAVING ? complaint() : null;
    }

    /** The medium is as it was. The record may be there all the same, if only making its name durable has failed. */
    private void notKept(ScsiTask task, SanitizeRequest wanted, Before before, String failure) {
        if (before.phase() == Phase.FAILED) {
            synchronized (this) {
                enter(Phase.FAILED, before.request(), "it cannot be kept: " + failure);
                exitAllowed = before.exitAllowed();
            }
            unit.sanitizeUses().leave();
            task.execution().fail(SenseCode.INTERNAL_TARGET_FAILURE);
            return;
        }
        keep(task.lane(), store::ended, second -> {
            synchronized (this) {
                if (second == null) {
                    enter(Phase.NONE, null, "it cannot be kept: " + failure);
                } else {
                    enter(Phase.FAILED, wanted, "it cannot be kept: " + failure + ", nor taken back: " + second);
                    exitAllowed = true;
                }
            }
            unit.sanitizeUses().leave();
            task.execution().fail(SenseCode.INTERNAL_TARGET_FAILURE);
        });
    }

    /** Goes on with what was under way when the unit was served last. Once: what is asked again finds nothing to do. */
    void resume(IoLane lane) {
        SanitizeRequest pending;
        unit.sanitizeUses().enter();
        synchronized (this) {
            pending = resumable && !unit.retiring() ? request : null;
            if (pending != null) {
                resumable = false;
                enter(Phase.RUNNING, pending, "it was under way when the server ended");
            }
        }
        if (pending == null) {
            unit.sanitizeUses().leave();
            return;
        }
        SanitizeOperation operation = new SanitizeOperation(unit, this, pending, lane, null);
        lane.execute(operation::begin);
    }

    void exitFailureMode(ScsiTask task) {
        Sense refusal;
        SanitizeRequest failed;
        boolean nothingFailed;
        unit.sanitizeUses().enter();
        synchronized (this) {
            failed = request;
            nothingFailed = phase == Phase.NONE;
            refusal = refusal();
            if (refusal == null && phase == Phase.FAILED) {
                if (exitAllowed) {
                    enter(Phase.LEAVING, failed, "its failure is to be put up with");
                } else {
                    refusal = Sense.inCdb(OPTIONS_BYTE);
                }
            }
        }
        if (refusal != null || nothingFailed) {
            unit.sanitizeUses().leave();
            if (refusal != null) {
                task.execution().fail(refusal);
            } else {
                task.execution().good();
            }
            return;
        }
        keep(task.lane(), store::ended, failure -> {
            synchronized (this) {
                if (failure == null) {
                    enter(Phase.NONE, null, "its failure is put up with");
                } else {
                    enter(Phase.FAILED, failed, "that its failure is put up with cannot be kept: " + failure);
                    exitAllowed = true;
                }
            }
            unit.sanitizeUses().leave();
            if (failure == null) {
                task.execution().good();
            } else {
                task.execution().fail(SenseCode.INTERNAL_TARGET_FAILURE);
            }
        });
    }

    // ---- for the operation

    void progress(double done, double all) {
        progress = all <= 0 ? 0xffff : (int) Math.min(0xffff, done / all * 0x10000);
    }

    /**
     * All of it is done, durably. {@code then} runs on the lane's thread, with what its task is to be told if that cannot be
     * kept: commands stay out then, because the next start would sanitize once more what they have written.
     */
    void done(IoLane lane, Consumer<@Nullable Sense> then) {
        keep(lane, store::ended, failure -> {
            Sense outcome;
            synchronized (this) {
                if (failure == null) {
                    enter(Phase.NONE, null, "done");
                } else if (unit.retiring()) {
                    LOG.info(
                            "{}: sanitized, and that will be done once more when it is served again: {}",
                            unit,
                            failure);
                } else {
                    enter(Phase.FAILED, request, "it is done, but that cannot be kept: " + failure);
                    exitAllowed = true;
                }
                outcome = complaint();
            }
            then.accept(outcome);
        });
    }

    void failed(String why) {
        synchronized (this) {
            enter(Phase.FAILED, request, why);
        }
    }

    /** The only line that changes the phase. */
    private void enter(Phase next, @Nullable SanitizeRequest wanted, String why) {
        if (next == Phase.FAILED) {
            LOG.error(
                    "{}: sanitizing it has stopped: {}; it answers nothing until that is asked for again, and goes on by"
                            + " itself when the server starts with the same state directory",
                    unit,
                    why);
        } else {
            LOG.info("{}: sanitizing it: {} -> {}, {}: {}", unit, phase, next, wanted, why);
        }
        request = wanted;
        exitAllowed = wanted != null && wanted.unrestrictedExit();
        if (next == Phase.RUNNING) {
            progress = 0;
            generation.incrementAndGet();
        }
        phase = next;
    }

    // ---- the store

    private interface StoreCall {
        void run() throws IOException;
    }

    private interface Outcome {
        void is(@Nullable String failure);
    }

    private void keep(IoLane lane, StoreCall call, Outcome then) {
        String[] failure = new String[1];
        lane.offload(
                storing,
                () -> {
                    try {
                        call.run();
                    } catch (IOException e) {
                        failure[0] = String.valueOf(e.getMessage());
                    }
                },
                refusal -> then.is(refusal != null ? refusal.detail() : failure[0]));
    }
}
