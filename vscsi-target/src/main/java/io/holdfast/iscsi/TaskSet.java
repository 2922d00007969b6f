package io.holdfast.iscsi;

import io.holdfast.block.IoLane;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.SenseCode;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The commands of one connection, from their PDU to their response: memory for their data, R2Ts, the wait for admission,
 * execution, response, abort. Owned by the connection's event loop.
 */
final class TaskSet {
    /** Numbered commands that may be here at the same time: the command window. */
    static final int COMMAND_WINDOW = 128;
    /** Immediate commands beyond the window (RFC 7143 §4.2.2.1 leaves the number to the target). */
    static final int IMMEDIATE_COMMANDS = 16;
    /** The most Data-Out one command may bring. A device server's MAXIMUM TRANSFER LENGTH is below it. */
    static final int MAX_GATHER_BYTES = 16 << 20;
    /** Task management requests that may wait for running commands. */
    static final int MAX_PENDING_ABORTS = 64;

    private static final int SLOTS = COMMAND_WINDOW + IMMEDIATE_COMMANDS;

    private final IscsiConnection connection;
    private final Session session;
    private final SessionParameters agreed;
    private final CommandWindow window;
    private final PduSender sender;
    private final Runnable onIdle;
    /** Made when they are needed first: most connections never have a full window. */
    private final List<IscsiTask> slots = new ArrayList<>();

    private final ArrayDeque<IscsiTask> free = new ArrayDeque<>();
    /** Tasks that wait for memory, oldest first. */
    private final ArrayDeque<IscsiTask> waiting = new ArrayDeque<>();
    /** Complete tasks that wait for admission of writes, or for older ones of their task set; oldest first. */
    private final ArrayDeque<IscsiTask> held = new ArrayDeque<>();

    private final List<PendingEnding> endings = new ArrayList<>();
    private final EarlyData early;
    private final Solicitation solicitation;
    private final TaskResponder responder;
    private final ConnectionMemory memory;
    private int executing;
    /** A task that has seen so many looks has been told of. */
    private int overdueFrom = Integer.MAX_VALUE;

    private boolean writesAdmitted;
    private boolean closed;

    /** @param onIdle runs whenever the last task has left the hands of the device servers */
    TaskSet(IscsiConnection connection, Session session, MemoryBudget budget, Runnable onIdle) {
        this.connection = connection;
        this.session = session;
        this.agreed = session.agreed();
        this.window = session.window();
        this.sender = connection.sender();
        this.onIdle = onIdle;
        this.early = new EarlyData(this::mayBegin);
        this.solicitation = new Solicitation(slots, agreed, sender, early, this::submit);
        this.responder = new TaskResponder(agreed, sender);
        this.memory = new ConnectionMemory(budget, connection.executor(), this::retryWaiting);
        session.order().add(this);
    }

    ConnectionMemory memory() {
        return memory;
    }

    Solicitation solicitation() {
        return solicitation;
    }

    EarlyData earlyData() {
        return early;
    }

    // ------------------------------------------------------------------ for the tasks

    long readNanos() {
        return connection.readNanos();
    }

    IoLane lane() {
        return connection.lane();
    }

    Session session() {
        return session;
    }

    int headerRoom() {
        return sender.headerBytes();
    }

    ByteBuf allocate(int bytes) {
        return connection.allocate(bytes);
    }

    /** Every slot, also those without a task. */
    List<IscsiTask> tasks() {
        return slots;
    }

    /** Tasks in the hands of device servers. */
    int executing() {
        return executing;
    }

    // ------------------------------------------------------------------ SCSI Command

    /**
     * Begins the task of a SCSI Command whose PDU is being received.
     *
     * @param immediateBytes how much data its PDU carries
     * @throws WireException if there is no room
     */
    IscsiTask begin(BasicHeader header, int immediateBytes) throws WireException {
        IscsiTask task = freeSlot();
        task.begin(header, session.luns());
        if (task.writes()) {
            task.gatherBytes = (int) Math.min(task.expectedBytes, MAX_GATHER_BYTES);
        }
        judge(task, immediateBytes);
        if (task.isSpoiled()) {
            task.stage = IscsiTask.Stage.GATHERING;
            return task;
        }
        long bytes = memoryFor(task);
        if (bytes == 0 || waiting.isEmpty() && connection.writable() && memory.take(bytes)) {
            task.chargedBytes = bytes;
            task.stage = IscsiTask.Stage.GATHERING;
            task.askedBytes = immediateBytes;
            allocateDataOut(task);
        } else {
            // No memory for its immediate data: they are thrown away, and asked for once more when there is.
            task.stage = IscsiTask.Stage.WAITING;
        }
        return task;
    }

    private void judge(IscsiTask task, int immediateBytes) {
        if (immediateBytes > 0 && !agreed.immediateData()) {
            task.spoil(SenseCode.UNEXPECTED_UNSOLICITED_DATA);
        } else if (immediateBytes > task.gatherBytes || immediateBytes > agreed.firstBurstLength()) {
            task.spoil(SenseCode.INCORRECT_AMOUNT_OF_DATA);
        } else if (!TaskOrder.isKnown(task.attribute)) {
            task.spoil(SenseCode.INVALID_MESSAGE_ERROR);
        }
    }

    private IscsiTask freeSlot() throws WireException {
        IscsiTask task = free.poll();
        if (task == null) {
            if (slots.size() == SLOTS) {
                throw new WireException("more than " + IMMEDIATE_COMMANDS + " immediate commands at once");
            }
            task = new IscsiTask(this, slots.size());
            slots.add(task);
        }
        return task;
    }

    /** What the data of a task take while it is here. */
    private static long memoryFor(IscsiTask task) {
        long reply = task.reads() ? Math.min(task.expectedBytes, ConnectionMemory.FLOOR_BYTES) : 0;
        return task.gatherBytes + Math.max(reply, task.device().memoryBytes(task.cdb()));
    }

    private void allocateDataOut(IscsiTask task) {
        if (task.gatherBytes > 0) {
            task.dataOutBuffer(connection.allocate(task.gatherBytes));
            task.offersData = task.gatherBytes >= EarlyData.MIN_TASK_BYTES;
        }
    }

    /** The command's PDU is complete, but its turn has not come. */
    void early(IscsiTask task) {
        task.stage = IscsiTask.Stage.EARLY;
    }

    /** Its turn has come. */
    void notEarlyAnyMore(IscsiTask task, int immediateBytes) {
        boolean hasMemory = task.isSpoiled() || task.chargedBytes > 0 || memoryFor(task) == 0;
        task.stage = hasMemory ? IscsiTask.Stage.GATHERING : IscsiTask.Stage.WAITING;
        begun(task, immediateBytes);
    }

    /** The command's PDU is complete, and it is its turn. */
    void begun(IscsiTask task, int immediateBytes) {
        session.order().entered(task);
        if (task.stage == IscsiTask.Stage.WAITING) {
            waiting.add(task);
        } else {
            task.gatheredBytes = task.isSpoiled() ? 0 : immediateBytes;
            solicitation.gather(task);
        }
    }

    /**
     * Sees to it that a task has this much memory. A device server may answer with more than the initiator has room for
     * and more than it said before, which is known only when it asks for the memory.
     *
     * @throws OutOfMemoryError if it is not there: the device server answers TASK SET FULL
     */
    void chargeAtLeast(IscsiTask task, long bytes) {
        long more = bytes - task.chargedBytes;
        if (more > 0) {
            if (!memory.take(more)) {
                memory.waitNoLonger();
                throw new OutOfMemoryError("the memory budget has no " + more + " bytes more for a task");
            }
            task.chargedBytes = bytes;
        }
    }

    /** Memory came back, or the initiator read its answers. */
    void retryWaiting() {
        try {
            while (!closed && !waiting.isEmpty() && connection.writable()) {
                IscsiTask first = waiting.element();
                long bytes = memoryFor(first);
                if (!memory.take(bytes)) {
                    return;
                }
                waiting.remove();
                first.chargedBytes = bytes;
                first.stage = IscsiTask.Stage.GATHERING;
                allocateDataOut(first);
                solicitation.gather(first);
            }
            memory.waitNoLonger();
        } catch (RuntimeException | Error e) {
            sender.broken(e);
        }
    }

    // ------------------------------------------------------------------ execution

    private void submit(IscsiTask task) {
        if (mayExecute(task)) {
            execute(task);
        } else {
            task.stage = IscsiTask.Stage.HELD;
            held.add(task);
        }
    }

    private boolean mayExecute(IscsiTask task) {
        if (task.isSpoiled()) {
            return true;
        }
        boolean admitted = admitsWrites() || !task.changesMedium();
        return admitted && session.order().mayExecute(task);
    }

    private boolean admitsWrites() {
        return writesAdmitted && !session.luns().holdsWrites();
    }

    /** Whether a task's device server may have its first data before the others have come. */
    private boolean mayBegin(IscsiTask task) {
        return admitsWrites()
                && session.order().mayBegin(task)
                && session.luns().at(task.lun) == task.device();
    }

    private void execute(IscsiTask task) {
        task.stage = IscsiTask.Stage.EXECUTING;
        executing++;
        DeviceServer begunAt = task.device();
        DeviceServer device = task.deviceNow();
        if (task.dataOutTaken() > 0 && device != begunAt) {
            // The first data are at another logical unit than the rest would be: the initiator is to send the command
            // again.
            task.spoil(SenseCode.REPORTED_LUNS_DATA_CHANGED);
        }
        SenseCode spoiled = task.spoiled();
        IoCounters counters = session.traffic().at(device);
        if (counters != null) {
            task.counters = counters;
            counters.began();
        }
        if (spoiled == null) {
            device.execute(task);
        } else {
            device.terminate(task, spoiled);
        }
    }

    /** No older session of this initiator can write any more. */
    void admitWrites() {
        writesAdmitted = true;
        retryHeld();
    }

    /** Executes those held back that need not wait any longer, oldest first. */
    void retryHeld() {
        // From the beginning after each: executing one may end it at once, and change what the others wait for.
        IscsiTask next = firstExecutable();
        while (next != null) {
            held.remove(next);
            execute(next);
            next = firstExecutable();
        }
    }

    private @Nullable IscsiTask firstExecutable() {
        for (IscsiTask task : held) {
            if (mayExecute(task)) {
                return task;
            }
        }
        return null;
    }

    /**
     * Looks for tasks that are with their device server for too long. Costs the tasks nothing but the look: none of them
     * keeps the time.
     *
     * @param limit how many looks a task may see before it is overdue
     */
    void lookForOverdue(int limit) {
        if (executing > 0) {
            for (IscsiTask task : slots) {
                if (task.stage == IscsiTask.Stage.EXECUTING && ++task.looks == limit) {
                    overdueFrom = limit;
                    task.device().overdue(1);
                }
            }
        }
    }

    /** The storage of an executing task answers: its time begins anew. */
    void progressed(IscsiTask task) {
        if (task.looks >= overdueFrom) {
            task.device().overdue(-1);
        }
        task.looks = 0;
    }

    /** A device server is done with a task. */
    void completed(IscsiTask task) {
        executing--;
        if (task.looks >= overdueFrom) {
            task.device().overdue(-1);
        }
        IoCounters counters = task.counters;
        if (counters != null) {
            long bytes = task.writes() ? task.gatheredBytes : Math.min(task.dataInLength(), task.dataInRoom());
            counters.ended(task, bytes, System.nanoTime() - task.arrivedNanos);
        }
        // The place in the window is given back with the response, not with the one after it.
        leaveWindow(task);
        boolean sent = false;
        try {
            if (!closed && !task.aborted) {
                sent = responder.respond(task);
            } else if (!closed && task.tellsAborted) {
                responder.respondAborted(task);
            }
        } catch (RuntimeException | Error e) {
            // Ended it has, whatever became of the answer.
            sender.broken(e);
        }
        if (sent) {
            sender.owe(task.chargedBytes);
            task.chargedBytes = 0;
        }
        recycle(task);
        if (!endings.isEmpty()) {
            finishEndings(task);
        }
        leaveOrder(task);
        retryWaiting();
        if (executing == 0) {
            onIdle.run();
        }
    }

    private void leaveWindow(IscsiTask task) {
        if (task.numbered) {
            task.numbered = false;
            window.ended();
        }
    }

    private void leaveOrder(IscsiTask task) {
        if (session.order().left(task)) {
            session.order().retryHeld();
        }
    }

    private void recycle(IscsiTask task) {
        memory.give(task.chargedBytes);
        task.chargedBytes = 0;
        task.release();
        free.push(task);
    }

    // ------------------------------------------------------------------ abort

    /** What is told when tasks have really ended. */
    private record PendingEnding(List<IscsiTask> tasks, Runnable done) {}

    /** True if one more abort may wait for running commands. */
    boolean roomForAbort() {
        return endings.size() < MAX_PENDING_ABORTS;
    }

    /**
     * Ends one task without a response.
     *
     * @param done runs once it has really ended: a write that a backend is carrying out cannot be taken back, only waited
     *     for
     * @return false if there is no such task
     */
    boolean abortTask(int tag, Runnable done) {
        return abort(task -> task.initiatorTaskTag == tag, task -> false, done);
    }

    /** The same for every task of some device servers, of which there may be none. */
    void abortTasksAt(Set<? extends DeviceServer> devices, Runnable done) {
        abortAll(devices, task -> false, done);
    }

    /**
     * The same on behalf of another nexus: the initiator is told TASK ABORTED where the control mode page says so (TAS=1),
     * and otherwise hears of it with its next command.
     */
    void abortTasksForOthersAt(Set<? extends DeviceServer> devices, Runnable done) {
        for (DeviceServer device : devices) {
            boolean anyHere =
                    slots.stream().anyMatch(task -> task.stage != IscsiTask.Stage.FREE && task.device() == device);
            if (anyHere && device instanceof LogicalUnit unit && !unit.tellsAbortedTasks()) {
                unit.commandsCleared(session.nexus());
            }
        }
        abortAll(devices, task -> task.device() instanceof LogicalUnit unit && unit.tellsAbortedTasks(), done);
    }

    private void abortAll(Set<? extends DeviceServer> devices, Predicate<IscsiTask> told, Runnable done) {
        // By what stands at the LUN, not by its number: one LUN can be written in several ways.
        if (!abort(task -> devices.contains(task.device()), told, done)) {
            done.run();
        }
    }

    private boolean abort(Predicate<IscsiTask> meant, Predicate<IscsiTask> told, Runnable done) {
        List<IscsiTask> waitFor = new ArrayList<>();
        List<IscsiTask> all = slots.stream()
                .filter(task -> task.stage != IscsiTask.Stage.FREE && meant.test(task))
                .toList();
        for (IscsiTask task : all) {
            if (task.stage == IscsiTask.Stage.EXECUTING) {
                // Also if it is being aborted already: whoever asks again must not hear "no such task" and send the
                // write once more while the first one is still on its way to the disk.
                task.tellsAborted = told.test(task) && (!task.aborted || task.tellsAborted);
                task.aborted = true;
                waitFor.add(task);
            }
        }
        boolean othersWaited = false;
        for (IscsiTask task : all) {
            if (task.stage != IscsiTask.Stage.EXECUTING) {
                discard(task, told.test(task));
                // All of them first: what is executed in their place might be one of them.
                othersWaited |= session.order().left(task);
            }
        }
        session.commands().deliver();
        if (!waitFor.isEmpty()) {
            endings.add(new PendingEnding(waitFor, done));
        } else if (!all.isEmpty()) {
            done.run();
        }
        if (othersWaited) {
            session.order().retryHeld();
        }
        return !all.isEmpty();
    }

    /** A command that turns out to be here already. */
    void discardDuplicate(IscsiTask task) {
        recycle(task);
    }

    private void discard(IscsiTask task, boolean told) {
        boolean early = task.stage == IscsiTask.Stage.EARLY;
        waiting.remove(task);
        held.remove(task);
        leaveWindow(task);
        task.abandonR2ts();
        if (told && !closed) {
            responder.respondAborted(task);
        }
        recycle(task);
        if (early) {
            session.commands().skip(task.cmdSn);
        }
    }

    /** Runs {@code done} when the tasks that a device server is executing now have ended. */
    void awaitTasksAt(DeviceServer device, Runnable done) {
        List<IscsiTask> waitFor = new ArrayList<>();
        for (IscsiTask task : slots) {
            if (task.stage == IscsiTask.Stage.EXECUTING && task.device() == device) {
                waitFor.add(task);
            }
        }
        if (waitFor.isEmpty()) {
            done.run();
        } else {
            endings.add(new PendingEnding(waitFor, done));
        }
    }

    private void finishEndings(IscsiTask task) {
        List<PendingEnding> finished = new ArrayList<>();
        endings.removeIf(ending -> {
            ending.tasks().remove(task);
            return ending.tasks().isEmpty() && finished.add(ending);
        });
        finished.forEach(ending -> ending.done().run());
    }

    /** The server stops: what has not begun to execute never will; the initiator sends it again elsewhere or later. */
    void refuseNew() {
        waiting.clear();
        memory.waitNoLonger();
        held.clear();
        boolean othersWaited = false;
        for (IscsiTask task : slots) {
            if (task.stage != IscsiTask.Stage.FREE && task.stage != IscsiTask.Stage.EXECUTING) {
                leaveWindow(task);
                recycle(task);
                othersWaited |= session.order().left(task);
            }
        }
        if (othersWaited) {
            // Those of the session's other connections.
            session.order().retryHeld();
        }
    }

    /** The connection is gone: nothing is answered any more. */
    void close() {
        closed = true;
        refuseNew();
        for (IscsiTask task : slots) {
            if (task.stage == IscsiTask.Stage.EXECUTING) {
                // A long command need not go on for nobody.
                task.aborted = true;
            }
        }
    }
}
