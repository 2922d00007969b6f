package io.holdfast.scsi;

import io.holdfast.block.IoLane;
import io.holdfast.block.IoQueue;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether a logical unit is being sanitized, and what that means for commands (SBC-3 §4.11): while it is, and after it has
 * failed, only INQUIRY, REPORT LUNS and REQUEST SENSE are carried out. No reset, no abort and no end of a session stops it.
 *
 * <pre>
 *            SANITIZE                     done
 *   NONE ───────────────► RUNNING ──────────────────────► NONE
 *     ▲                    │   ▲                            (the server ends: RUNNING at its next start)
 *     │            failure │   │ SANITIZE
 *     └────────────────── FAILED
 *     EXIT FAILURE MODE, if AUSE was set
 * </pre>
 *
 * <p>Thread-safe: each command reads one volatile field.
 */
final class Sanitizer {
    private static final Logger LOG = LoggerFactory.getLogger(Sanitizer.class);

    /** When the command that asks for it is answered. */
    enum Answer {
        /** IMMED: once it is certain that it will be carried out. */
        WHEN_BEGUN,
        WHEN_ENDED
    }

    private enum Phase {
        NONE,
        RUNNING,
        FAILED
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

    Sanitizer(LogicalUnit unit, SanitizeStore store) {
        this.unit = unit;
        this.store = store;
        request = store.pending();
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
            case FAILED -> Sense.of(SenseCode.SANITIZE_COMMAND_FAILED);
        };
    }

    /** Becomes another number whenever it begins: whoever holds data of before must not write it back. */
    int generation() {
        return generation.get();
    }

    /** Begins, on the task's lane, to which it stays. */
    void start(ScsiTask task, SanitizeRequest wanted, Answer when) {
        Phase before;
        synchronized (this) {
            before = phase;
            if (before == Phase.RUNNING) {
                task.execution().fail(Sense.inProgress(SenseCode.SANITIZE_IN_PROGRESS, progress));
                return;
            }
            enter(Phase.RUNNING, wanted, "asked for");
        }
        keep(task.lane(), () -> store.begun(wanted), failure -> {
            if (failure != null) {
                synchronized (this) {
                    enter(before, wanted, "it cannot be kept: " + failure);
                }
                task.execution().fail(SenseCode.INTERNAL_TARGET_FAILURE);
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

    /** Goes on with what was under way when the unit was served last. */
    void resume(IoLane lane) {
        SanitizeRequest pending;
        synchronized (this) {
            pending = request;
            if (pending == null || phase != Phase.RUNNING) {
                return;
            }
            enter(Phase.RUNNING, pending, "it was under way when the server ended");
        }
        SanitizeOperation operation = new SanitizeOperation(unit, this, pending, lane, null);
        lane.execute(operation::begin);
    }

    void exitFailureMode(ScsiTask task) {
        synchronized (this) {
            SanitizeRequest failed = request;
            if (phase == Phase.FAILED && failed != null && !failed.unrestrictedExit()) {
                task.execution().fail(SenseCode.SANITIZE_COMMAND_FAILED);
                return;
            }
            if (phase != Phase.FAILED) {
                task.execution().good();
                return;
            }
        }
        keep(task.lane(), store::ended, failure -> {
            if (failure != null) {
                task.execution().fail(SenseCode.INTERNAL_TARGET_FAILURE);
                return;
            }
            synchronized (this) {
                enter(Phase.NONE, null, "its failure is put up with");
            }
            task.execution().good();
        });
    }

    // ---- for the operation

    void progress(double done, double all) {
        progress = all <= 0 ? 0xffff : (int) Math.min(0xffff, done / all * 0x10000);
    }

    /** All of it is done, durably. {@code then} runs on the lane's thread, when commands are carried out again. */
    void done(IoLane lane, Runnable then) {
        keep(lane, store::ended, failure -> {
            if (failure != null) {
                LOG.warn("{}: sanitized, and that will be done once more at the next start: {}", unit, failure);
            }
            synchronized (this) {
                enter(Phase.NONE, null, "done");
            }
            then.run();
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
