package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.Lun;
import io.holdfast.scsi.TaskManagementFunction;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Task management requests of one connection (RFC 7143 §11.5). Every function that ends tasks is answered when they have
 * really ended. What is missing is told to be missing, not pretended. Owned by the connection's event loop.
 */
final class TaskManagement {
    /** What is there. */
    static final Set<TaskManagementFunction> FUNCTIONS = Set.of(
            TaskManagementFunction.ABORT_TASK,
            TaskManagementFunction.ABORT_TASK_SET,
            TaskManagementFunction.CLEAR_TASK_SET,
            TaskManagementFunction.LOGICAL_UNIT_RESET);

    // RFC 7143 §11.5.1
    private static final int ABORT_TASK = 1;
    private static final int ABORT_TASK_SET = 2;
    private static final int CLEAR_TASK_SET = 4;
    private static final int LOGICAL_UNIT_RESET = 5;
    private static final int TARGET_WARM_RESET = 6;
    private static final int TARGET_COLD_RESET = 7;
    private static final int TASK_REASSIGN = 8;

    // RFC 7143 §11.6.1
    static final int COMPLETE = 0;
    static final int NO_SUCH_TASK = 1;
    static final int NO_SUCH_LUN = 2;
    static final int REASSIGN_NOT_SUPPORTED = 4;
    static final int NOT_SUPPORTED = 5;
    static final int REJECTED = 255;

    private final IscsiConnection connection;
    private final TaskSet tasks;
    private final Session session;
    private final Collection<IscsiConnection> connections;
    private boolean resetting;

    /** @param connections all there are: a reset ends the tasks of every one */
    TaskManagement(
            IscsiConnection connection, TaskSet tasks, Session session, Collection<IscsiConnection> connections) {
        this.connection = connection;
        this.tasks = tasks;
        this.session = session;
        this.connections = connections;
    }

    /** Takes one request, whose order has been judged. */
    void apply(BasicHeader header) {
        // RFC 7143 §11.5: those that end many tasks end all that were sent before them, and the session's other
        // connections may still be bringing some.
        if (header.immediate()
                && header.function() != ABORT_TASK
                && session.hasSeveralConnections()
                && !session.commands().isComplete(header.cmdSn())) {
            BasicHeader copy = header.copy();
            if (!session.commands().whenComplete(header.cmdSn(), () -> carryOut(copy))) {
                respond(header.initiatorTaskTag(), REJECTED);
            }
        } else {
            carryOut(header);
        }
    }

    private void carryOut(BasicHeader header) {
        int tag = header.initiatorTaskTag();
        if (!tasks.roomForAbort()) {
            respond(tag, REJECTED);
            return;
        }
        switch (header.function()) {
            case ABORT_TASK -> abortTask(header);
            // Each nexus has a task set of its own (TST=001b), so that there are none of others' tasks to clear.
            case ABORT_TASK_SET, CLEAR_TASK_SET ->
                atUnit(header, unit -> session.abortTasksAt(Set.of(unit), () -> respond(tag, COMPLETE)));
            case LOGICAL_UNIT_RESET -> atUnit(header, unit -> reset(tag, Set.of(unit), () -> {}));
            case TARGET_WARM_RESET -> reset(tag, unitsOfTarget(), () -> {});
            case TARGET_COLD_RESET -> reset(tag, unitsOfTarget(), this::endSessions);
            // RFC 7143 §11.5.1: only with ErrorRecoveryLevel 2.
            case TASK_REASSIGN -> respond(tag, REASSIGN_NOT_SUPPORTED);
            default -> respond(tag, NOT_SUPPORTED);
        }
    }

    private void abortTask(BasicHeader header) {
        int tag = header.initiatorTaskTag();
        if (session.abortTask(header.referencedTaskTag(), () -> respond(tag, COMPLETE))) {
            return;
        }
        CommandOrder commands = session.commands();
        int referenced = header.referencedCmdSn();
        if (session.mayBeCompleted()
                && referenced - header.cmdSn() < 0
                && commands.judge(referenced) != CommandWindow.Verdict.IGNORE) {
            // RFC 7143 §11.5.1: it never came, and will not any more.
            commands.skip(referenced);
            respond(tag, COMPLETE);
        } else {
            respond(tag, deviceAt(header.lun()) instanceof LogicalUnit ? NO_SUCH_TASK : NO_SUCH_LUN);
        }
    }

    private void atUnit(BasicHeader header, Consumer<LogicalUnit> action) {
        if (deviceAt(header.lun()) instanceof LogicalUnit unit) {
            action.accept(unit);
        } else {
            respond(header.initiatorTaskTag(), NO_SUCH_LUN);
        }
    }

    private DeviceServer deviceAt(long lun) {
        return session.luns().at(new Lun(lun));
    }

    private Set<LogicalUnit> unitsOfTarget() {
        Set<LogicalUnit> units = new HashSet<>();
        for (Lun lun : session.luns().luns()) {
            if (session.luns().at(lun) instanceof LogicalUnit unit) {
                units.add(unit);
            }
        }
        return units;
    }

    /** SAM-5 §6.3.3: ends the tasks of every nexus, then tells every nexus. */
    private void reset(int requestTag, Set<LogicalUnit> units, Runnable afterwards) {
        if (resetting) {
            respond(requestTag, REJECTED);
            return;
        }
        resetting = true;
        // One more than there are connections, so that it cannot reach zero before all have been asked.
        AtomicInteger unfinished = new AtomicInteger(1);
        Runnable oneDone = () -> {
            if (unfinished.decrementAndGet() == 0) {
                connection.execute(() -> {
                    resetting = false;
                    units.forEach(LogicalUnit::reset);
                    respond(requestTag, COMPLETE);
                    afterwards.run();
                });
            }
        };
        for (IscsiConnection each : connections) {
            unfinished.incrementAndGet();
            each.execute(() -> each.abortTasksAt(units, session, oneDone));
        }
        oneDone.run();
    }

    /** RFC 7143 §11.5.1: after a cold reset the target ends all its sessions. */
    private void endSessions() {
        String target = session.info().targetName();
        connections.forEach(each -> each.execute(() -> each.targetReset(target)));
    }

    private void respond(int requestTag, int response) {
        PduSender sender = connection.openSender();
        if (sender != null) {
            sender.begin(Opcode.TASK_MANAGEMENT_RESPONSE, BasicHeader.FINAL)
                    .response(response)
                    .initiatorTaskTag(requestTag);
            sender.send();
        }
    }
}
