package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Isid;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.scsi.DeviceServer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection in full feature phase (RFC 7143 §11): judges the order of what comes and hands it to whoever carries it out,
 * SCSI Commands to the {@link TaskSet}. Sessions have one connection each (MaxConnections=1).
 */
final class FullFeaturePhase implements Phase {
    private static final Logger log = LoggerFactory.getLogger(FullFeaturePhase.class);
    private static final int REASON_DATA_DIGEST = 0x02;
    private static final int REASON_PROTOCOL_ERROR = 0x04;
    private static final int REASON_UNSUPPORTED = 0x05;
    private static final int REASON_INVALID_FIELD = 0x09;
    private static final int EVENT_DROP_CONNECTION = 2;
    private static final int EVENT_DROP_SESSION = 3;
    private static final int KEEP_ALIVE_TAG = Integer.MAX_VALUE;

    private final IscsiConnection connection;
    private final IscsiConnection.Shared shared;
    private final Session session;
    private final PduSender sender;
    private final TaskSet tasks;
    private final TaskManagement management;
    private final TextResponder text;
    private final @Nullable Membership membership;
    private boolean closing;
    private boolean drained;
    private boolean stopping;

    /** The command whose PDU is being received. */
    private @Nullable IscsiTask incoming;
    /** Memory taken for a PDU that is no task's. */
    private int borrowedBytes;

    FullFeaturePhase(IscsiConnection connection, IscsiConnection.Shared shared, Session session) {
        this.connection = connection;
        this.shared = shared;
        this.session = session;
        this.sender = connection.sender();
        this.tasks = new TaskSet(connection, session, shared.memory(), this::idle);
        this.sender.memory(tasks.memory(), tasks::retryWaiting);
        this.management = new TaskManagement(connection, tasks, session, shared.connections());
        SessionEvents.Session info = session.info();
        this.text =
                new TextResponder(shared.directory(), info.initiatorName(), info.targetName(), info.portal(), sender);
        this.membership = session.isDiscovery() ? null : membership(info);
    }

    private Membership membership(SessionEvents.Session info) {
        return new Membership(
                shared.admission(),
                new WriteAdmission.Key(info.initiatorName(), info.targetName()),
                info.isid(),
                connection.executor(),
                sender,
                () -> {
                    if (!closing && !stopping) {
                        tasks.admitWrites();
                    }
                },
                connection::close);
    }

    /** The login is answered. */
    void opened(long isid, int connectionId) {
        if (membership == null) {
            return;
        }
        if (Isid.isRandom(isid)) {
            // libiscsi waits three seconds between two reconnects unless it is told that it need not: an Asynchronous
            // Message with Time2Wait 0 makes the next one immediate. Others would take it as a farewell.
            sender.begin(Opcode.ASYNC_MESSAGE, BasicHeader.FINAL)
                    .initiatorTaskTag(BasicHeader.NO_TAG)
                    .asyncEvent(EVENT_DROP_CONNECTION, connectionId, 0, 0);
            sender.send();
        }
        session.luns().joined(session.nexus());
        log.info("{}: logged in to {}", connection, session.info().targetName());
        shared.events().opened(session.info());
        membership.join();
    }

    TaskSet tasks() {
        return tasks;
    }

    /** Asks a silent initiator whether it is there. The tag is none of those that {@link Membership} waits for. */
    void ping() {
        sender.begin(Opcode.NOP_IN, BasicHeader.FINAL)
                .initiatorTaskTag(BasicHeader.NO_TAG)
                .targetTransferTag(KEEP_ALIVE_TAG);
        sender.sendUnnumbered();
    }

    // ------------------------------------------------------------------ PDUs

    @Override
    public @Nullable ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) throws WireException {
        return switch (header.opcode()) {
            case Opcode.SCSI_COMMAND -> immediateDataTarget(header, lengthBytes);
            case Opcode.DATA_OUT -> retained(tasks.solicitation().target(header));
            case Opcode.NOP_OUT, Opcode.TEXT_REQUEST -> borrow(lengthBytes);
            // Nothing else may carry data.
            default -> null;
        };
    }

    private @Nullable ByteBuf immediateDataTarget(BasicHeader header, int lengthBytes) throws WireException {
        refuseInDiscovery(header);
        if (!admitted(header)) {
            return null;
        }
        IscsiTask task = tasks.begin(header, lengthBytes);
        incoming = task;
        return retained(task.dataOutBuffer());
    }

    private static @Nullable ByteBuf retained(@Nullable ByteBuf buffer) {
        return buffer == null ? null : buffer.retain();
    }

    /** Memory for as long as the PDU is here; without any the data of a ping are not echoed. */
    private @Nullable ByteBuf borrow(int lengthBytes) {
        if (lengthBytes > ConnectionMemory.FLOOR_BYTES && !tasks.memory().take(lengthBytes)) {
            tasks.memory().waitNoLonger();
            return null;
        }
        borrowedBytes = lengthBytes > ConnectionMemory.FLOOR_BYTES ? lengthBytes : 0;
        return connection.allocate(lengthBytes);
    }

    private void giveBackBorrowed() {
        tasks.memory().give(borrowedBytes);
        borrowedBytes = 0;
    }

    @Override
    public void pduReceived(BasicHeader header, ByteBuf data) throws WireException {
        switch (header.opcode()) {
            case Opcode.SCSI_COMMAND -> scsiCommand(header);
            case Opcode.DATA_OUT -> tasks.solicitation().received(header);
            case Opcode.NOP_OUT -> nopOut(header, data);
            case Opcode.TASK_MANAGEMENT_REQUEST -> taskManagement(header);
            case Opcode.TEXT_REQUEST -> text(header, data);
            case Opcode.LOGOUT_REQUEST -> logout(header);
            case Opcode.LOGIN_REQUEST -> throw new WireException("Login Request in full feature phase");
            default -> reject(header, REASON_UNSUPPORTED);
        }
        giveBackBorrowed();
    }

    /** RFC 7143 §7.8: reject what came; without error recovery the command is lost, so the connection ends. */
    @Override
    public void dataDigestFailed(BasicHeader header, ByteBuf data) throws WireException {
        reject(header, REASON_DATA_DIGEST);
        throw new WireException("data digest error in " + header);
    }

    /** Judges the order of a numbered request; false if it is to be ignored. */
    private boolean admitted(BasicHeader header) throws WireException {
        if (header.immediate()) {
            return true;
        }
        return switch (session.window().accept(header.cmdSn())) {
            case NEXT -> true;
            case IGNORE -> false;
            // TCP keeps order and the session has one connection: a gap means a PDU was lost, and nothing can bring it
            // back.
            case GAP ->
                throw new WireException(
                        "CmdSN " + header.cmdSn() + " where " + session.window().expCmdSn() + " was due");
        };
    }

    private void scsiCommand(BasicHeader header) throws WireException {
        refuseInDiscovery(header);
        IscsiTask task = incoming;
        incoming = null;
        if (header.dataSegmentBytes() == 0 && admitted(header)) {
            task = tasks.begin(header, 0);
        }
        // With a data segment the order was judged when it began, and another session's reset may have come since.
        if (task == null || task.stage == IscsiTask.Stage.FREE) {
            return;
        }
        tasks.begun(task, header.dataSegmentBytes());
    }

    private void refuseInDiscovery(BasicHeader header) throws WireException {
        if (session.isDiscovery()) {
            throw new WireException(Opcode.name(header.opcode()) + " in a discovery session");
        }
    }

    private void nopOut(BasicHeader header, ByteBuf data) throws WireException {
        if (!numberedAndDue(header)) {
            return;
        }
        if (membership != null && header.targetTransferTag() != BasicHeader.NO_TAG) {
            membership.answered(header.targetTransferTag());
        }
        // RFC 7143 §11.18: without a task tag no answer is due.
        if (header.initiatorTaskTag() == BasicHeader.NO_TAG) {
            return;
        }
        int echo = Math.min(data.readableBytes(), sender.maxSegmentBytes());
        byte[] bytes = ByteBufUtil.getBytes(data, data.readerIndex(), echo);
        sender.begin(Opcode.NOP_IN, BasicHeader.FINAL)
                .lun(header.lun())
                .initiatorTaskTag(header.initiatorTaskTag())
                .targetTransferTag(BasicHeader.NO_TAG);
        sender.send(bytes, echo);
    }

    /** For requests that end at once: takes their place in the order and gives it back. */
    private boolean numberedAndDue(BasicHeader header) throws WireException {
        if (!admitted(header)) {
            return false;
        }
        if (!header.immediate()) {
            session.window().ended();
        }
        return true;
    }

    private void text(BasicHeader header, ByteBuf data) throws WireException {
        if (!numberedAndDue(header)) {
            return;
        }
        try {
            if (!text.apply(header, ByteBufUtil.getBytes(data))) {
                reject(header, REASON_INVALID_FIELD);
            }
        } catch (WireException e) {
            // RFC 7143 §7.10: a negotiation that fails leaves everything as it was.
            log.warn("{}: text negotiation failed: {}", connection, e.getMessage());
            reject(header, REASON_PROTOCOL_ERROR);
        }
    }

    private void taskManagement(BasicHeader header) throws WireException {
        refuseInDiscovery(header);
        if (numberedAndDue(header)) {
            management.apply(header);
        }
    }

    private void logout(BasicHeader header) throws WireException {
        if (!numberedAndDue(header)) {
            return;
        }
        // Reason 2, "remove the connection for recovery", needs ErrorRecoveryLevel 2 (RFC 7143 §11.14.1).
        int response = header.logoutReason() == 2 ? 2 : 0;
        sender.begin(Opcode.LOGOUT_RESPONSE, BasicHeader.FINAL)
                .response(response)
                .initiatorTaskTag(header.initiatorTaskTag());
        sender.send();
        if (response == 0) {
            connection.ended(session.isDiscovery() ? "" : "logged out");
            connection.closeQuietly();
        }
    }

    /** RFC 7143 §11.17: sends the header back with the reason. */
    private void reject(BasicHeader header, int reason) {
        log.warn("{}: {} rejected, reason 0x{}", connection, header, Integer.toHexString(reason));
        byte[] bad = header.bytes().clone();
        sender.begin(Opcode.REJECT, BasicHeader.FINAL).response(reason).initiatorTaskTag(BasicHeader.NO_TAG);
        sender.send(bad, bad.length);
    }

    // ------------------------------------------------------------------ for task management

    /**
     * Ends this session's tasks at some device servers, and runs {@code done} when they have ended.
     *
     * @param by whose wish it is; null if it is nobody's in particular
     */
    void abortTasksAt(Set<? extends DeviceServer> devices, @Nullable Session by, Runnable done) {
        if (session == by) {
            tasks.abortTasksAt(devices, done);
        } else {
            tasks.abortTasksForOthersAt(devices, done);
        }
    }

    /** Runs {@code done} when the tasks that a device server is executing now have ended. */
    void awaitTasksAt(DeviceServer device, Runnable done) {
        tasks.awaitTasksAt(device, done);
    }

    /** Writes that the view of logical units held need not wait any longer. */
    void writesReleased() {
        if (!closing && !stopping) {
            session.order().retryHeld();
        }
    }

    /** Whether it is a normal session, and meant. */
    boolean is(Predicate<SessionEvents.Session> meant) {
        return !session.isDiscovery() && meant.test(session.info());
    }

    /** The target is reset: its sessions end. */
    void targetReset(String targetName) {
        if (session.info().targetName().equals(targetName)) {
            connection.close("target cold reset");
        }
    }

    // ------------------------------------------------------------------ the end

    /** The beginning of a session is in the log, so its end is; discovery is over in an instant and is in neither. */
    @Override
    public String whenPeerEnds(boolean inMiddleOfPdu) {
        return session.isDiscovery() ? "" : "connection closed by the initiator";
    }

    @Override
    public boolean mayStopNow() {
        stopping = true;
        if (membership != null) {
            // RFC 7143 §11.9.1: whoever hears it may log in again at once, and need not find out by a broken
            // connection.
            sender.begin(Opcode.ASYNC_MESSAGE, BasicHeader.FINAL)
                    .initiatorTaskTag(BasicHeader.NO_TAG)
                    .asyncEvent(EVENT_DROP_SESSION, 0, 0, 0);
            sender.send();
        }
        tasks.refuseNew();
        return tasks.executing() == 0;
    }

    @Override
    public void closing() {
        closing = true;
        giveBackBorrowed();
        tasks.close();
        if (tasks.executing() == 0) {
            drained();
        }
    }

    /** No task is executing any more. */
    private void idle() {
        if (closing) {
            drained();
        } else if (stopping) {
            connection.closeQuietly();
        }
    }

    /** The connection is gone and its last task has ended. */
    private void drained() {
        if (membership != null && !drained) {
            drained = true;
            membership.leave();
            session.luns().left(session.nexus());
            shared.directory().left(session.info());
            shared.events().closed(session.info());
            session.nexus().end();
        }
    }
}
