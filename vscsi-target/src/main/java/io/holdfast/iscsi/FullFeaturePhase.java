package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Isid;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.scsi.DeviceServer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * A connection in full feature phase (RFC 7143 §11): judges the order of what comes and hands it to whoever carries it out,
 * SCSI Commands to the {@link TaskSet}. Owned by its session's event loop.
 */
final class FullFeaturePhase implements Phase {
    private static final Logger log = LoggerFactory.getLogger(FullFeaturePhase.class);
    private static final int REASON_DATA_DIGEST = 0x02;
    private static final int REASON_PROTOCOL_ERROR = 0x04;
    private static final int REASON_UNSUPPORTED = 0x05;
    private static final int REASON_INVALID_FIELD = 0x09;
    private static final int EVENT_DROP_CONNECTION = 2;
    private static final int EVENT_DROP_SESSION = 3;
    private static final int LOGOUT_SESSION = 0;
    private static final int LOGOUT_CONNECTION = 1;
    private static final int NO_SUCH_CONNECTION = 1;
    private static final int RECOVERY_NOT_SUPPORTED = 2;
    private static final int KEEP_ALIVE_TAG = Integer.MAX_VALUE;

    private final IscsiConnection connection;
    private final Session session;
    private final PduSender sender;
    private final TaskSet tasks;
    private final TaskManagement management;
    private final TextResponder text;
    private int connectionId;
    private boolean closing;
    /** The initiator has logged out: its tasks end, and then it is told so. */
    private boolean loggingOut;

    private boolean drained;
    private boolean stopping;

    /** The command whose PDU is being received. */
    private @Nullable IscsiTask incoming;
    /** Memory taken for a PDU that is no task's. */
    private int borrowedBytes;

    FullFeaturePhase(IscsiConnection connection, IscsiConnection.Shared shared, Session session) {
        this.connection = connection;
        this.session = session;
        this.sender = connection.sender();
        this.tasks = new TaskSet(connection, session, shared.memory(), this::idle);
        this.sender.memory(tasks.memory(), tasks::retryWaiting);
        this.management = new TaskManagement(connection, tasks, session, shared.connections());
        SessionEvents.Session info = session.info();
        this.text = new TextResponder(connection.discovery(info.initiatorName()), info.targetName(), sender);
    }

    /** The login is answered. */
    void opened(int newConnectionId) {
        connectionId = newConnectionId;
        if (!session.isDiscovery() && Isid.isRandom(session.info().isid())) {
            // libiscsi waits three seconds between two reconnects unless it is told that it need not: an Asynchronous
            // Message with Time2Wait 0 makes the next one immediate. Others would take it as a farewell.
            sender.begin(Opcode.ASYNC_MESSAGE, BasicHeader.FINAL)
                    .initiatorTaskTag(BasicHeader.NO_TAG)
                    .asyncEvent(EVENT_DROP_CONNECTION, connectionId, 0, 0);
            sender.send();
        }
        session.join(this, connectionId);
    }

    boolean isClosing() {
        return closing;
    }

    void close(String why) {
        connection.close(why);
    }

    boolean isUnheard() {
        return connection.isUnheard();
    }

    /** A line of the log about its connection. */
    LoggingEventBuilder about(LoggingEventBuilder line) {
        return connection.about(line);
    }

    void closeQuietly() {
        connection.closeQuietly();
    }

    @Override
    public String toString() {
        return connection.toString();
    }

    TaskSet tasks() {
        return tasks;
    }

    /** Asks a silent initiator whether it is there. The tag is none of those that {@link Membership} waits for. */
    void ping() {
        ask(KEEP_ALIVE_TAG);
    }

    /** Asks the initiator for a NOP-Out with this tag. */
    void ask(int targetTransferTag) {
        sender.begin(Opcode.NOP_IN, BasicHeader.FINAL)
                .initiatorTaskTag(BasicHeader.NO_TAG)
                .targetTransferTag(targetTransferTag);
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
        if (loggingOut || isIgnored(header)) {
            return null;
        }
        IscsiTask task = tasks.begin(header, lengthBytes);
        incoming = task;
        return retained(task.dataOutBuffer());
    }

    @Override
    public int dataCame(BasicHeader header, ByteBuf target, ByteBuf in, int lengthBytes) {
        IscsiTask task = switch (header.opcode()) {
            case Opcode.SCSI_COMMAND -> isDue(header) ? incoming : null;
            case Opcode.DATA_OUT -> tasks.solicitation().receiving();
            default -> null;
        };
        // The task may have been ended since its data began to come, and its slot be another one's.
        return task == null || !task.gathersInto(target) || loggingOut
                ? 0
                : tasks.earlyData().take(task, target, in, lengthBytes);
    }

    /** Whether a command may be begun whose PDU has not come as a whole. */
    private boolean isDue(BasicHeader header) {
        return header.immediate() || session.commands().judge(header.cmdSn()) == CommandWindow.Verdict.NEXT;
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
        if (!loggingOut) {
            if (header.opcode() == Opcode.SCSI_COMMAND) {
                scsiCommand(header);
            } else if (header.opcode() == Opcode.DATA_OUT) {
                tasks.solicitation().received(header);
            } else {
                request(header, data);
            }
            session.commands().deliver();
        }
        giveBackBorrowed();
    }

    /** What ends at once, beside SCSI Commands: takes its place in the order and gives it back. */
    private void request(BasicHeader header, ByteBuf data) throws WireException {
        if (!isKnown(header.opcode())) {
            reject(header, REASON_UNSUPPORTED);
            return;
        }
        if (!header.immediate()) {
            switch (judge(header)) {
                case NEXT -> {
                    session.commands().taken();
                    session.window().ended();
                }
                case EARLY -> {
                    session.commands().keep(header.cmdSn(), new EarlyRequest(header, ByteBufUtil.getBytes(data)));
                    return;
                }
                case IGNORE -> {
                    return;
                }
            }
        }
        carryOut(header, data);
    }

    private static boolean isKnown(int opcode) {
        return switch (opcode) {
            case Opcode.NOP_OUT,
                    Opcode.TASK_MANAGEMENT_REQUEST,
                    Opcode.TEXT_REQUEST,
                    Opcode.LOGOUT_REQUEST,
                    Opcode.LOGIN_REQUEST -> true;
            default -> false;
        };
    }

    private void carryOut(BasicHeader header, ByteBuf data) throws WireException {
        switch (header.opcode()) {
            case Opcode.NOP_OUT -> nopOut(header, data);
            case Opcode.TASK_MANAGEMENT_REQUEST -> taskManagement(header);
            case Opcode.TEXT_REQUEST -> text(header, data);
            case Opcode.LOGOUT_REQUEST -> logout(header);
            default -> throw new WireException(header + " in full feature phase");
        }
    }

    /** RFC 7143 §7.8: reject what came; without error recovery the command is lost, so the connection ends. */
    @Override
    public void dataDigestFailed(BasicHeader header, ByteBuf data) throws WireException {
        reject(header, REASON_DATA_DIGEST);
        throw new WireException("data digest error in " + header);
    }

    // ------------------------------------------------------------------ order

    /** Judges a numbered request, and changes nothing. */
    private CommandWindow.Verdict judge(BasicHeader header) throws WireException {
        CommandWindow.Verdict verdict = session.commands().judge(header.cmdSn());
        if (verdict == CommandWindow.Verdict.EARLY && !session.mayBeCompleted()) {
            // TCP keeps order and the session has one connection: a PDU was lost, and nothing can bring it back.
            throw new WireException(
                    "CmdSN " + header.cmdSn() + " where " + session.window().expCmdSn() + " was due");
        }
        return verdict;
    }

    private boolean isIgnored(BasicHeader header) throws WireException {
        return !header.immediate() && judge(header) == CommandWindow.Verdict.IGNORE;
    }

    private void scsiCommand(BasicHeader header) throws WireException {
        refuseInDiscovery(header);
        IscsiTask task = incoming;
        incoming = null;
        int bytes = header.dataSegmentBytes();
        if (bytes == 0 && !isIgnored(header)) {
            task = tasks.begin(header, 0);
        }
        if (task == null) {
            return;
        }
        if (header.immediate()) {
            // Another session's reset may have come since its data began to come.
            if (task.stage != IscsiTask.Stage.FREE) {
                tasks.begun(task, bytes);
            }
            return;
        }
        switch (judge(header)) {
            case NEXT -> {
                session.commands().taken();
                due(task, bytes);
            }
            case EARLY -> early(header, task, bytes);
            case IGNORE -> tasks.discardDuplicate(task);
        }
    }

    private void due(IscsiTask task, int immediateBytes) {
        if (task.stage == IscsiTask.Stage.FREE) {
            session.window().ended();
        } else {
            task.numbered = true;
            tasks.begun(task, immediateBytes);
        }
    }

    private void early(BasicHeader header, IscsiTask task, int immediateBytes) {
        if (task.stage == IscsiTask.Stage.FREE) {
            session.commands().skip(header.cmdSn());
        } else {
            tasks.early(task);
            session.commands().keep(header.cmdSn(), new EarlyCommand(task, immediateBytes));
        }
    }

    /** A SCSI Command that came before its turn. */
    private final class EarlyCommand implements CommandOrder.Early {
        private final IscsiTask task;
        private final int immediateBytes;

        EarlyCommand(IscsiTask task, int immediateBytes) {
            this.task = task;
            this.immediateBytes = immediateBytes;
        }

        @Override
        public void due() {
            if (task.stage == IscsiTask.Stage.EARLY) {
                task.numbered = true;
                tasks.notEarlyAnyMore(task, immediateBytes);
            } else {
                session.window().ended();
            }
        }

        @Override
        public boolean cameBy(FullFeaturePhase other) {
            return other == FullFeaturePhase.this;
        }
    }

    /** Another request that came before its turn. */
    private final class EarlyRequest implements CommandOrder.Early {
        private final BasicHeader header;
        private final byte[] data;

        EarlyRequest(BasicHeader header, byte[] data) {
            this.header = header.copy();
            this.data = data;
        }

        @Override
        public void due() {
            session.window().ended();
            try {
                if (!loggingOut) {
                    carryOut(header, Unpooled.wrappedBuffer(data));
                }
            } catch (WireException e) {
                connection.close(String.valueOf(e.getMessage()));
            }
        }

        @Override
        public boolean cameBy(FullFeaturePhase other) {
            return other == FullFeaturePhase.this;
        }
    }

    private void refuseInDiscovery(BasicHeader header) throws WireException {
        if (session.isDiscovery()) {
            throw new WireException(Opcode.name(header.opcode()) + " in a discovery session");
        }
    }

    private void nopOut(BasicHeader header, ByteBuf data) {
        Membership membership = session.membership();
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

    private void text(BasicHeader header, ByteBuf data) {
        try {
            if (!text.apply(header, ByteBufUtil.getBytes(data))) {
                reject(header, REASON_INVALID_FIELD);
            }
        } catch (WireException e) {
            // RFC 7143 §7.10: a negotiation that fails leaves everything as it was.
            connection.about(log.atWarn()).log("{}: text negotiation failed: {}", connection, e.getMessage());
            reject(header, REASON_PROTOCOL_ERROR);
        }
    }

    private void taskManagement(BasicHeader header) throws WireException {
        refuseInDiscovery(header);
        management.apply(header);
    }

    // ------------------------------------------------------------------ logout (RFC 7143 §11.14, §11.15)

    private void logout(BasicHeader header) {
        int tag = header.initiatorTaskTag();
        switch (header.logoutReason()) {
            case LOGOUT_SESSION -> {
                session.closeOthersThan(this);
                logOut(() -> !session.hasOthersThan(this), tag);
            }
            case LOGOUT_CONNECTION -> logOutConnection(header.connectionId(), tag);
            // "Remove the connection for recovery" needs ErrorRecoveryLevel 2.
            default -> logoutResponse(tag, RECOVERY_NOT_SUPPORTED);
        }
    }

    private void logOutConnection(int leaving, int tag) {
        FullFeaturePhase other = session.connection(leaving);
        if (leaving == connectionId) {
            logOut(() -> true, tag);
        } else if (other == null) {
            logoutResponse(tag, NO_SUCH_CONNECTION);
        } else {
            other.closeQuietly();
            whenGone(() -> session.connection(leaving) != other, () -> logoutResponse(tag, 0));
        }
    }

    /** Ends this connection when its tasks have ended, and what else has to. */
    private void logOut(BooleanSupplier othersGone, int tag) {
        loggingOut = true;
        session.commands().forget(this);
        tasks.close();
        whenGone(() -> tasks.executing() == 0 && othersGone.getAsBoolean(), () -> {
            logoutResponse(tag, 0);
            connection.ended(session.isDiscovery() ? "" : "logged out");
            connection.closeQuietly();
        });
    }

    private void logoutResponse(int tag, int response) {
        sender.begin(Opcode.LOGOUT_RESPONSE, BasicHeader.FINAL)
                .response(response)
                .initiatorTaskTag(tag);
        sender.send();
    }

    /** Runs something as long as this connection is open, now or when tasks or connections have ended. */
    private void whenGone(BooleanSupplier gone, Runnable action) {
        Runnable[] watcher = new Runnable[1];
        watcher[0] = () -> {
            if (closing || gone.getAsBoolean()) {
                session.unwatch(watcher[0]);
                if (!closing) {
                    action.run();
                }
            }
        };
        session.watch(watcher[0]);
        watcher[0].run();
    }

    /** RFC 7143 §11.17: sends the header back with the reason. */
    private void reject(BasicHeader header, int reason) {
        connection
                .about(log.atWarn())
                .log("{}: {} rejected, reason 0x{}", connection, header, Integer.toHexString(reason));
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
        if (!session.isDiscovery()) {
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
        session.commands().forget(this);
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
        } else if (loggingOut) {
            session.changed();
        }
    }

    /** The connection is gone and its last task has ended. */
    private void drained() {
        if (!drained) {
            drained = true;
            session.left(this);
        }
    }
}
