package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.Lun;
import io.holdfast.scsi.TaskManagementFunction;
import java.util.Collection;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Task management requests of one connection (RFC 7143 §11.5). Every function that ends tasks is answered when they have
 * really ended. What is missing is told to be missing, not pretended. Owned by the connection's event loop.
 */
final class TaskManagement {
    /** What is there. */
    static final Set<TaskManagementFunction> FUNCTIONS = Set.of(
            TaskManagementFunction.ABORT_TASK,
            TaskManagementFunction.ABORT_TASK_SET,
            TaskManagementFunction.LOGICAL_UNIT_RESET);

    // RFC 7143 §11.5.1
    private static final int ABORT_TASK = 1;
    private static final int ABORT_TASK_SET = 2;
    private static final int LOGICAL_UNIT_RESET = 5;

    // RFC 7143 §11.6.1
    static final int COMPLETE = 0;
    static final int NO_SUCH_TASK = 1;
    static final int NO_SUCH_LUN = 2;
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

    /** Carries out one request, whose order has been judged. */
    void apply(BasicHeader header) {
        int requestTag = header.initiatorTaskTag();
        if (!tasks.roomForAbort()) {
            respond(requestTag, REJECTED);
            return;
        }
        switch (header.function()) {
            case ABORT_TASK -> {
                if (!tasks.abortTask(header.referencedTaskTag(), () -> respond(requestTag, COMPLETE))) {
                    respond(requestTag, NO_SUCH_TASK);
                }
            }
            case ABORT_TASK_SET -> tasks.abortTasksAt(deviceAt(header.lun()), () -> respond(requestTag, COMPLETE));
            case LOGICAL_UNIT_RESET -> reset(requestTag, deviceAt(header.lun()));
            default -> respond(requestTag, NOT_SUPPORTED);
        }
    }

    private DeviceServer deviceAt(long lun) {
        return session.luns().at(new Lun(lun));
    }

    /** SAM-5 §6.3.3: ends the tasks of every nexus, then tells every nexus. */
    private void reset(int requestTag, DeviceServer device) {
        if (!(device instanceof LogicalUnit unit)) {
            respond(requestTag, NO_SUCH_LUN);
            return;
        }
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
                    unit.reset();
                    respond(requestTag, COMPLETE);
                });
            }
        };
        for (IscsiConnection each : connections) {
            unfinished.incrementAndGet();
            each.execute(() -> each.abortTasksAt(unit, oneDone));
        }
        oneDone.run();
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
