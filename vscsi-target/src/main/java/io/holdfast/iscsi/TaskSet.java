package io.holdfast.iscsi;

import io.holdfast.block.IoLane;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.ScsiCommand;
import io.holdfast.scsi.ScsiStatus;
import io.holdfast.scsi.ScsiTask;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
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
    private static final int SENSE_LENGTH_FIELD_BYTES = 2;

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
    /** Complete writes that wait for admission, oldest first. */
    private final ArrayDeque<IscsiTask> held = new ArrayDeque<>();

    private final List<PendingAbort> aborts = new ArrayList<>();
    private final PduSender.StatusInfo statusInfo = new PduSender.StatusInfo();
    private final byte[] senseSegment = new byte[SENSE_LENGTH_FIELD_BYTES + ScsiTask.SENSE_BYTES];
    private final ConnectionMemory memory;
    private int executing;
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
        this.memory = new ConnectionMemory(budget, connection.executor(), this::retryWaiting);
    }

    ConnectionMemory memory() {
        return memory;
    }

    // ------------------------------------------------------------------ for the tasks

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

    /** Tasks in the hands of device servers. */
    int executing() {
        return executing;
    }

    // ------------------------------------------------------------------ SCSI Command

    /**
     * Begins the task of a SCSI Command whose order has been judged.
     *
     * @param immediateBytes how much data its PDU carries
     * @throws WireException if there is no room, or the PDU carries more than it announces
     */
    IscsiTask begin(BasicHeader header, int immediateBytes) throws WireException {
        IscsiTask task = freeSlot();
        task.begin(header, session.luns());
        if (task.writes()) {
            task.gatherBytes = (int) Math.min(task.expectedBytes, MAX_GATHER_BYTES);
        }
        if (immediateBytes > task.gatherBytes || immediateBytes > agreed.firstBurstLength()) {
            throw new WireException("SCSI Command with " + immediateBytes + " bytes of immediate data; it announces "
                    + task.expectedBytes + " and FirstBurstLength is " + agreed.firstBurstLength());
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
        }
    }

    /** The command's PDU is complete. */
    void begun(IscsiTask task, int immediateBytes) {
        if (task.stage == IscsiTask.Stage.WAITING) {
            waiting.add(task);
        } else {
            task.gatheredBytes = immediateBytes;
            gather(task);
        }
    }

    private void gather(IscsiTask task) {
        if (task.gatheredBytes == task.gatherBytes) {
            submit(task);
        } else {
            askForData(task);
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
                gather(first);
            }
            memory.waitNoLonger();
        } catch (RuntimeException | Error e) {
            sender.broken(e);
        }
    }

    // ------------------------------------------------------------------ R2T and Data-Out

    private void askForData(IscsiTask task) {
        while (task.askedBytes < task.gatherBytes && task.outstandingR2ts() < agreed.maxOutstandingR2t()) {
            int length = Math.min(task.gatherBytes - task.askedBytes, agreed.maxBurstLength());
            if (task.outstandingR2ts() == 0) {
                task.burstEndBytes = task.askedBytes + length;
            }
            sender.begin(Opcode.R2T, BasicHeader.FINAL)
                    .lun(task.lun)
                    .initiatorTaskTag(task.initiatorTaskTag)
                    .targetTransferTag(task.askAgain())
                    .dataSn(task.nextR2tSn++)
                    .bufferOffset(task.askedBytes)
                    .desiredTransferLength(length);
            sender.sendUnnumbered();
            task.askedBytes += length;
        }
    }

    /**
     * Where the data of a Data-Out go.
     *
     * @return null if they belong to a task that was aborted, and are to be thrown away
     * @throws WireException if nobody asked for them
     */
    @Nullable
    ByteBuf dataOutTarget(BasicHeader header) throws WireException {
        IscsiTask task = asked(header);
        ByteBuf buffer = task == null ? null : task.dataOutBuffer();
        return task == null || buffer == null ? null : buffer.writerIndex(task.gatheredBytes);
    }

    /** A whole Data-Out is there. */
    void dataOut(BasicHeader header) throws WireException {
        IscsiTask task = asked(header);
        if (task == null) {
            return;
        }
        task.gatheredBytes += header.dataSegmentBytes();
        task.nextDataSn++;
        if (task.gatheredBytes == task.burstEndBytes) {
            task.answered();
            task.burstEndBytes = Math.min(task.burstEndBytes + agreed.maxBurstLength(), task.gatherBytes);
        } else if (header.flag(BasicHeader.FINAL)) {
            throw new WireException("SCSI Data-Out ends a sequence " + (task.burstEndBytes - task.gatheredBytes)
                    + " bytes before what was asked for");
        }
        if (task.gatheredBytes == task.gatherBytes) {
            submit(task);
        } else {
            askForData(task);
        }
    }

    /**
     * The task whose R2T a Data-Out answers. With DataPDUInOrder and DataSequenceInOrder every byte has one place in the
     * order of arrival; taking anything else could complete a task whose memory has holes.
     */
    private @Nullable IscsiTask asked(BasicHeader header) throws WireException {
        int tag = header.targetTransferTag();
        int slot = IscsiTask.slotOf(tag);
        IscsiTask task = slot < slots.size() ? slots.get(slot) : null;
        if (task != null && task.abandoned(tag)) {
            return null;
        }
        if (task == null || !task.answers(tag) || task.initiatorTaskTag != header.initiatorTaskTag()) {
            throw new WireException(String.format(
                    "SCSI Data-Out for task 0x%08x, transfer 0x%08x: nobody asked for it",
                    header.initiatorTaskTag(), tag));
        }
        int length = header.dataSegmentBytes();
        if (header.bufferOffset() != task.gatheredBytes
                || task.gatheredBytes + length > task.burstEndBytes
                || header.dataSn() != task.nextDataSn) {
            throw new WireException(String.format(
                    "SCSI Data-Out number %d of %d bytes at offset %d; due were number %d, and bytes %d to %d",
                    header.dataSn(),
                    length,
                    header.bufferOffset(),
                    task.nextDataSn,
                    task.gatheredBytes,
                    task.burstEndBytes));
        }
        return task;
    }

    // ------------------------------------------------------------------ execution

    private void submit(IscsiTask task) {
        if (!writesAdmitted && ScsiCommand.accessOf(task.cdb()).modifiesMedium()) {
            task.stage = IscsiTask.Stage.HELD;
            held.add(task);
            return;
        }
        execute(task);
    }

    private void execute(IscsiTask task) {
        task.stage = IscsiTask.Stage.EXECUTING;
        executing++;
        task.device().execute(task);
    }

    /** No older session of this initiator can write any more. */
    void admitWrites() {
        writesAdmitted = true;
        while (!held.isEmpty()) {
            execute(held.remove());
        }
    }

    /** A device server is done with a task. */
    void completed(IscsiTask task) {
        executing--;
        // The place in the window is given back with the response, not with the one after it.
        leaveWindow(task);
        boolean sent = false;
        try {
            if (!closed && !task.aborted) {
                sent = respond(task);
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
        if (task.aborted) {
            finishAborts(task);
        }
        retryWaiting();
        if (executing == 0) {
            onIdle.run();
        }
    }

    private void leaveWindow(IscsiTask task) {
        if (!task.immediate) {
            window.ended();
        }
    }

    private void recycle(IscsiTask task) {
        memory.give(task.chargedBytes);
        task.chargedBytes = 0;
        task.release();
        free.push(task);
    }

    // ------------------------------------------------------------------ response (RFC 7143 §11.4, §11.7)

    /** @return true if Data-In are on their way, with the memory they take */
    private boolean respond(IscsiTask task) {
        long moved = task.writes() ? task.dataOutWanted() : task.dataInLength();
        long room = task.reads() || task.writes() ? task.expectedBytes : 0;
        int residualFlags = moved > room ? BasicHeader.OVERFLOW : moved < room ? BasicHeader.UNDERFLOW : 0;
        int residual = (int) Math.abs(moved - room);
        int status = task.status().code();
        ByteBuf data = task.takeDataIn();
        int length = data == null ? 0 : (int) Math.min(task.dataInLength(), task.dataInRoom());
        int dataPdus = 0;
        if (data != null && length > 0) {
            boolean collapse = task.status() == ScsiStatus.GOOD;
            statusInfo.none();
            if (collapse) {
                statusInfo.of(status, residualFlags, residual);
            }
            dataPdus = sender.sendDataIn(task, data, task.dataInOffset(), length, agreed, statusInfo);
            if (collapse) {
                return true;
            }
        } else if (data != null) {
            data.release();
        }
        sender.begin(Opcode.SCSI_RESPONSE, BasicHeader.FINAL | residualFlags)
                .initiatorTaskTag(task.initiatorTaskTag)
                .scsiStatus(status)
                .residualCount(residual)
                .expDataSn(dataPdus + task.nextR2tSn);
        sender.send(senseSegment, copySense(task));
        return dataPdus > 0;
    }

    /** RFC 7143 §11.4.7: two bytes of length, then the sense data. */
    private int copySense(IscsiTask task) {
        int length = task.senseLength();
        if (length == 0) {
            return 0;
        }
        senseSegment[0] = (byte) (length >>> 8);
        senseSegment[1] = (byte) length;
        System.arraycopy(task.sense(), 0, senseSegment, SENSE_LENGTH_FIELD_BYTES, length);
        return SENSE_LENGTH_FIELD_BYTES + length;
    }

    // ------------------------------------------------------------------ abort

    /** What is told when a task that was to be aborted has really ended. */
    private record PendingAbort(List<IscsiTask> tasks, Runnable done) {}

    /** True if one more abort may wait for running commands. */
    boolean roomForAbort() {
        return aborts.size() < MAX_PENDING_ABORTS;
    }

    /**
     * Ends one task without a response.
     *
     * @param done runs once it has really ended: a write that a backend is carrying out cannot be taken back, only waited
     *     for
     * @return false if there is no such task
     */
    boolean abortTask(int tag, Runnable done) {
        return abort(task -> task.initiatorTaskTag == tag, done);
    }

    /** The same for every task of a device server, of which there may be none. */
    void abortTasksAt(DeviceServer device, Runnable done) {
        // By what stands at the LUN, not by its number: one LUN can be written in several ways.
        if (!abort(task -> task.device() == device, done)) {
            done.run();
        }
    }

    private boolean abort(Predicate<IscsiTask> meant, Runnable done) {
        List<IscsiTask> waitFor = new ArrayList<>();
        boolean found = false;
        for (IscsiTask task : slots) {
            if (task.stage == IscsiTask.Stage.FREE || !meant.test(task)) {
                continue;
            }
            found = true;
            if (task.stage == IscsiTask.Stage.EXECUTING) {
                // Also if it is being aborted already: whoever asks again must not hear "no such task" and send the
                // write once more while the first one is still on its way to the disk.
                task.aborted = true;
                waitFor.add(task);
            } else {
                discard(task);
            }
        }
        if (!waitFor.isEmpty()) {
            aborts.add(new PendingAbort(waitFor, done));
        } else if (found) {
            done.run();
        }
        return found;
    }

    private void discard(IscsiTask task) {
        waiting.remove(task);
        held.remove(task);
        leaveWindow(task);
        task.abandonR2ts();
        recycle(task);
    }

    private void finishAborts(IscsiTask task) {
        List<PendingAbort> finished = new ArrayList<>();
        aborts.removeIf(abort -> {
            abort.tasks().remove(task);
            return abort.tasks().isEmpty() && finished.add(abort);
        });
        finished.forEach(abort -> abort.done().run());
    }

    /** The server stops: what has not begun to execute never will; the initiator sends it again elsewhere or later. */
    void refuseNew() {
        waiting.clear();
        memory.waitNoLonger();
        held.clear();
        for (IscsiTask task : slots) {
            if (task.stage != IscsiTask.Stage.FREE && task.stage != IscsiTask.Stage.EXECUTING) {
                recycle(task);
            }
        }
    }

    /** The connection is gone: nothing is answered any more. */
    void close() {
        closed = true;
        refuseNew();
    }
}
