package io.holdfast.iscsi;

import io.holdfast.block.IoLane;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Isid;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduDecoder;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.net.Addresses;
import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.LunView;
import io.holdfast.scsi.Nexus;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection, and its session: sessions have one connection each (MaxConnections=1). Takes PDUs apart from login to
 * logout, and hands SCSI Commands to its {@link TaskSet}. Owned by the channel's event loop.
 *
 * <pre>
 *   LOGIN ──► FULL_FEATURE ──► CLOSING ──► (channel inactive; drained when the last task has ended)
 *     └──────────────────────────▲
 * </pre>
 */
final class IscsiConnection extends ChannelInboundHandlerAdapter implements PduDecoder.Receiver {
    /** From accept to full feature phase. */
    static final int LOGIN_LIMIT_SECONDS = 15;
    /** Largest data segment taken, as declared at login. */
    static final int MAX_DATA_SEGMENT_BYTES = (int) LoginKey.parse(LoginKey.MAX_RECV_DATA_SEGMENT_LENGTH.ours());

    private static final Logger log = LoggerFactory.getLogger(IscsiConnection.class);
    private static final int REASON_DATA_DIGEST = 0x02;
    private static final int REASON_UNSUPPORTED = 0x05;
    private static final int EVENT_DROP_CONNECTION = 2;

    private enum Stage {
        LOGIN,
        FULL_FEATURE,
        CLOSING
    }

    /**
     * What every connection of a server shares.
     *
     * @param connections all that are open
     */
    record Shared(
            TargetDirectory directory,
            WriteAdmission admission,
            SessionEvents events,
            SessionIds ids,
            Set<IscsiConnection> connections) {}

    private final Shared shared;
    private final IoLane lane;
    private final PduDecoder decoder = new PduDecoder(LoginNegotiation.MAX_REQUEST_TEXT_BYTES);
    private final LoginNegotiation login;
    private @Nullable ChannelHandlerContext context;
    private @Nullable PduSender sender;
    private @Nullable ScheduledFuture<?> loginLimit;
    private Stage stage = Stage.LOGIN;
    /** The server stops: what comes is not read any more, what runs is answered. */
    private boolean stopping;

    private @Nullable FullFeature session;
    /** The command whose PDU is being received. */
    private @Nullable IscsiTask incoming;
    /** Takes the data of the PDU that is being received. Held here too: their task may end before they are whole. */
    private @Nullable ByteBuf filling;

    /** What exists from full feature phase on. */
    private record FullFeature(
            SessionParameters agreed,
            CommandWindow window,
            TaskSet tasks,
            TaskManagement management,
            TextResponder text,
            SessionEvents.Session info,
            @Nullable Nexus nexus,
            @Nullable LunView luns,
            @Nullable Membership membership) {}

    IscsiConnection(Shared shared, IoLane lane) {
        this.shared = shared;
        this.lane = lane;
        this.login = new LoginNegotiation(shared.directory());
    }

    // ------------------------------------------------------------------ for the tasks

    IoLane lane() {
        return lane;
    }

    Nexus nexus() {
        return Objects.requireNonNull(fullFeature().nexus());
    }

    LunView lunView() {
        return Objects.requireNonNull(fullFeature().luns());
    }

    int headerRoom() {
        return sender().headerBytes();
    }

    ByteBuf allocate(int bytes) {
        return context().alloc().directBuffer(bytes, bytes);
    }

    boolean writable() {
        return context().channel().isWritable();
    }

    void charge(IscsiTask task, long bytes) {
        fullFeature().tasks().charge(task, bytes);
    }

    void taskCompleted(IscsiTask task) {
        TaskSet tasks = fullFeature().tasks();
        boolean wasClosing = stage == Stage.CLOSING;
        tasks.completed(task);
        if (tasks.executing() > 0) {
            return;
        }
        if (wasClosing) {
            drained();
        } else if (stopping) {
            closeQuietly();
        }
    }

    // ------------------------------------------------------------------ for task management

    /** Runs something on this connection's event loop. On any thread. */
    void execute(Runnable task) {
        context().executor().execute(task);
    }

    /** Ends this session's tasks of a device server, and runs {@code done} when they have ended. */
    void abortTasksAt(DeviceServer device, Runnable done) {
        FullFeature current = session;
        if (current == null || current.luns() == null) {
            done.run();
        } else {
            current.tasks().abortTasksAt(device, done);
        }
    }

    /** Null once the connection is closing. */
    @Nullable
    PduSender openSender() {
        return stage == Stage.FULL_FEATURE ? sender() : null;
    }

    private FullFeature fullFeature() {
        return Objects.requireNonNull(session, "not in full feature phase");
    }

    private PduSender sender() {
        return Objects.requireNonNull(sender, "not connected");
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context, "not connected");
    }

    // ------------------------------------------------------------------ channel

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        sender = new PduSender(added);
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        loginLimit = active.executor().schedule(this::loginOverdue, LOGIN_LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private void loginOverdue() {
        if (stage == Stage.LOGIN) {
            close("no login within " + LOGIN_LIMIT_SECONDS + " s");
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext from, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            if (stage != Stage.CLOSING && !stopping) {
                sender().readsBegan();
                decoder.decode(in, this);
            }
        } catch (WireException e) {
            close(String.valueOf(e.getMessage()));
        } finally {
            in.release();
            if (stage == Stage.CLOSING) {
                // Behind a PDU that ended the connection another one may have begun.
                dropFilling();
            }
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext from) {
        sender().readsEnded();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext from) {
        // An initiator that does not read its answers is not read either.
        from.channel().config().setAutoRead(from.channel().isWritable());
        if (session != null && stage == Stage.FULL_FEATURE) {
            session.tasks().retryWaiting();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext from) {
        if (stage == Stage.FULL_FEATURE) {
            sessionEnds("connection closed by the initiator");
        } else if (stage == Stage.LOGIN && !decoder.atBoundary()) {
            log.info("{}: connection closed in the middle of a PDU, before login", this);
        }
        enterClosing();
        sender().close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext from, Throwable cause) {
        if (!(cause instanceof java.io.IOException)) {
            log.error("{}: internal error, the connection is closed", this, cause);
        } else if (stage == Stage.FULL_FEATURE) {
            sessionEnds(cause.toString());
        }
        // Now: io_uring closes later, and what it brings until then must not meet a decoder that stopped half-way.
        enterClosing();
        from.close();
    }

    /** Closes the connection because of what came or did not come. */
    private void close(String why) {
        if (stage != Stage.CLOSING) {
            log.warn("{}: closed: {}", this, why);
            closeQuietly();
        }
    }

    private void closeQuietly() {
        sender().flush();
        enterClosing();
        context().close();
    }

    /** The beginning of a session is in the log, so its end is; discovery is over in an instant and is in neither. */
    private void sessionEnds(String how) {
        if (fullFeature().membership() == null) {
            log.debug("{}: {}", this, how);
        } else {
            log.info("{}: {}", this, how);
        }
    }

    private void enterClosing() {
        if (stage == Stage.CLOSING) {
            return;
        }
        stage = Stage.CLOSING;
        if (loginLimit != null) {
            loginLimit.cancel(false); // or it would keep all this for the rest of its time
        }
        dropFilling();
        if (session != null) {
            session.tasks().close();
            if (session.tasks().executing() == 0) {
                drained();
            }
        }
    }

    /** The connection is gone and its last task has ended. */
    private void drained() {
        FullFeature ended = fullFeature();
        if (ended.membership() != null) {
            ended.membership().leave();
            shared.events().closed(ended.info());
            nexus().end();
        }
    }

    // ------------------------------------------------------------------ PDUs

    @Override
    public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) throws WireException {
        ByteBuf ofTask = stage == Stage.FULL_FEATURE ? memoryOfTask(header, lengthBytes) : null;
        ByteBuf target = ofTask == null ? allocate(lengthBytes) : ofTask.retain();
        filling = target;
        return target;
    }

    private @Nullable ByteBuf memoryOfTask(BasicHeader header, int lengthBytes) throws WireException {
        TaskSet tasks = fullFeature().tasks();
        if (header.opcode() == Opcode.SCSI_COMMAND && admitted(header)) {
            IscsiTask task = tasks.begin(header, lengthBytes);
            incoming = task;
            return task.dataOutBuffer();
        }
        return header.opcode() == Opcode.DATA_OUT ? tasks.dataOutTarget(header) : null;
    }

    @Override
    public void pduReceived(BasicHeader header, ByteBuf data) throws WireException {
        try {
            switch (stage) {
                case LOGIN -> login(header, data);
                case FULL_FEATURE -> fullFeature(header, data);
                case CLOSING -> {}
            }
        } finally {
            dropFilling();
        }
    }

    /** RFC 7143 §7.8: reject what came; without error recovery the command is lost, so the connection ends. */
    @Override
    public void dataDigestFailed(BasicHeader header, ByteBuf data) throws WireException {
        dropFilling();
        reject(header, REASON_DATA_DIGEST);
        throw new WireException("data digest error in " + header);
    }

    private void dropFilling() {
        if (filling != null) {
            filling.release();
            filling = null;
        }
    }

    private void fullFeature(BasicHeader header, ByteBuf data) throws WireException {
        switch (header.opcode()) {
            case Opcode.SCSI_COMMAND -> scsiCommand(header);
            case Opcode.DATA_OUT -> fullFeature().tasks().dataOut(header);
            case Opcode.NOP_OUT -> nopOut(header, data);
            case Opcode.TASK_MANAGEMENT_REQUEST -> taskManagement(header);
            case Opcode.TEXT_REQUEST -> text(header, data);
            case Opcode.LOGOUT_REQUEST -> logout(header);
            case Opcode.LOGIN_REQUEST -> throw new WireException("Login Request in full feature phase");
            default -> reject(header, REASON_UNSUPPORTED);
        }
    }

    /** Judges the order of a numbered request; false if it is to be ignored. */
    private boolean admitted(BasicHeader header) throws WireException {
        if (header.immediate()) {
            return true;
        }
        return switch (fullFeature().window().accept(header.cmdSn())) {
            case NEXT -> true;
            case IGNORE -> false;
            // TCP keeps order and the session has one connection: a gap means a PDU was lost, and nothing can bring it
            // back.
            case GAP ->
                throw new WireException("CmdSN " + header.cmdSn() + " where "
                        + fullFeature().window().expCmdSn() + " was due");
        };
    }

    private void scsiCommand(BasicHeader header) throws WireException {
        IscsiTask task = incoming;
        incoming = null;
        if (header.dataSegmentBytes() == 0 && admitted(header)) {
            task = fullFeature().tasks().begin(header, 0);
        }
        // With a data segment the order was judged when it began, and another session's reset may have come since.
        if (task == null || task.stage == IscsiTask.Stage.FREE) {
            return;
        }
        if (fullFeature().nexus() == null) {
            throw new WireException("SCSI Command in a discovery session");
        }
        fullFeature().tasks().begun(task, header.dataSegmentBytes());
    }

    private void nopOut(BasicHeader header, ByteBuf data) throws WireException {
        if (!numberedAndDue(header)) {
            return;
        }
        Membership membership = fullFeature().membership();
        if (membership != null && header.targetTransferTag() != BasicHeader.NO_TAG) {
            membership.answered(header.targetTransferTag());
        }
        // RFC 7143 §11.18: without a task tag no answer is due.
        if (header.initiatorTaskTag() == BasicHeader.NO_TAG) {
            return;
        }
        int echo = Math.min(data.readableBytes(), fullFeature().agreed().maxRecvDataSegmentLength());
        byte[] bytes = ByteBufUtil.getBytes(data, data.readerIndex(), echo);
        sender().begin(Opcode.NOP_IN, BasicHeader.FINAL)
                .lun(header.lun())
                .initiatorTaskTag(header.initiatorTaskTag())
                .targetTransferTag(BasicHeader.NO_TAG);
        sender().send(bytes, echo);
    }

    /** For requests that end at once: takes their place in the order and gives it back. */
    private boolean numberedAndDue(BasicHeader header) throws WireException {
        if (!admitted(header)) {
            return false;
        }
        if (!header.immediate()) {
            fullFeature().window().ended();
        }
        return true;
    }

    private void text(BasicHeader header, ByteBuf data) throws WireException {
        if (numberedAndDue(header)) {
            fullFeature().text().apply(header, ByteBufUtil.getBytes(data), sender());
        }
    }

    private void taskManagement(BasicHeader header) throws WireException {
        if (fullFeature().nexus() == null) {
            throw new WireException("task management in a discovery session");
        }
        if (numberedAndDue(header)) {
            fullFeature().management().apply(header);
        }
    }

    private void logout(BasicHeader header) throws WireException {
        if (!numberedAndDue(header)) {
            return;
        }
        // Reason 2, "remove the connection for recovery", needs ErrorRecoveryLevel 2 (RFC 7143 §11.14.1).
        int response = header.logoutReason() == 2 ? 2 : 0;
        sender().begin(Opcode.LOGOUT_RESPONSE, BasicHeader.FINAL)
                .response(response)
                .initiatorTaskTag(header.initiatorTaskTag());
        sender().send();
        if (response == 0) {
            sessionEnds("logged out");
            closeQuietly();
        }
    }

    /** RFC 7143 §11.17: sends the header back with the reason. */
    private void reject(BasicHeader header, int reason) {
        log.warn("{}: {} rejected, reason 0x{}", this, header, Integer.toHexString(reason));
        byte[] bad = header.bytes().clone();
        sender().begin(Opcode.REJECT, BasicHeader.FINAL).response(reason).initiatorTaskTag(BasicHeader.NO_TAG);
        sender().send(bad, bad.length);
    }

    // ------------------------------------------------------------------ login

    private void login(BasicHeader header, ByteBuf data) throws WireException {
        if (header.opcode() != Opcode.LOGIN_REQUEST) {
            throw new WireException(header + " before login");
        }
        LoginNegotiation.Reply reply = login.apply(header, ByteBufUtil.getBytes(data), data.readableBytes());
        boolean done = reply.fullFeature();
        byte[] text = reply.keys().encode();
        int commandSn = header.cmdSn();
        long id = done ? shared.ids().next() : 0;
        PduSender out = sender();
        out.begin(Opcode.LOGIN_RESPONSE, reply.flags())
                .isidAndTsih(header.isid(), done ? SessionIds.tsih(id) : header.tsih())
                .initiatorTaskTag(header.initiatorTaskTag())
                .loginStatus(reply.status().statusClass(), reply.status().detail())
                .window(commandSn, commandSn + TaskSet.COMMAND_WINDOW - 1);
        out.send(text, text.length);
        if (reply.status() != LoginStatus.SUCCESS) {
            refused(reply);
        } else if (done) {
            enterFullFeature(commandSn, id, header.connectionId());
        }
    }

    private void refused(LoginNegotiation.Reply reply) {
        if (reply.status().statusClass() == LoginStatus.MOVED_TEMPORARILY.statusClass()) {
            log.info("{}: login redirected {}", this, reply.why());
        } else {
            log.warn("{}: login refused: {} ({})", this, reply.status().text(), reply.why());
        }
        closeQuietly();
    }

    private void enterFullFeature(int commandSn, long id, int connectionId) {
        SessionParameters agreed = login.parameters();
        CommandWindow window = new CommandWindow(commandSn, TaskSet.COMMAND_WINDOW);
        PduSender out = sender();
        out.window(window);
        out.digests(agreed.headerDigest(), agreed.dataDigest());
        decoder.maxDataSegmentBytes(MAX_DATA_SEGMENT_BYTES);
        decoder.digests(agreed.headerDigest(), agreed.dataDigest());
        IscsiTarget target = login.target();
        String targetName = target == null ? "" : target.name();
        String portal = Addresses.print(context().channel().localAddress());
        SessionEvents.Session info = new SessionEvents.Session(
                id,
                login.initiatorName(),
                login.isid(),
                targetName,
                Addresses.print(context().channel().remoteAddress()),
                portal);
        Nexus nexus = target == null
                ? null
                : new Nexus(
                        login.initiatorName() + ",i," + Isid.print(login.isid()),
                        targetName + String.format(",t,0x%04x", target.portalGroupTag()),
                        target.portalGroupTag());
        TaskSet tasks = new TaskSet(this, agreed, window, out);
        session = new FullFeature(
                agreed,
                window,
                tasks,
                new TaskManagement(this, tasks, shared.connections()),
                new TextResponder(
                        shared.directory(),
                        login.initiatorName(),
                        targetName,
                        portal,
                        agreed.maxRecvDataSegmentLength()),
                info,
                nexus,
                target == null ? null : target.luns(),
                target == null ? null : membership(targetName));
        stage = Stage.FULL_FEATURE;
        if (target != null) {
            sessionOpened(fullFeature(), connectionId);
        }
    }

    private void sessionOpened(FullFeature opened, int connectionId) {
        if (Isid.isRandom(login.isid())) {
            // libiscsi waits three seconds between two reconnects unless it is told that it need not: an Asynchronous
            // Message with Time2Wait 0 makes the next one immediate. Others would take it as a farewell.
            sender().begin(Opcode.ASYNC_MESSAGE, BasicHeader.FINAL)
                    .initiatorTaskTag(BasicHeader.NO_TAG)
                    .asyncEvent(EVENT_DROP_CONNECTION, connectionId, 0, 0);
            sender().send();
        }
        log.info("{}: logged in to {}", this, opened.info().targetName());
        shared.events().opened(opened.info());
        Objects.requireNonNull(opened.membership()).join();
    }

    private Membership membership(String targetName) {
        return new Membership(
                shared.admission(),
                new WriteAdmission.Key(login.initiatorName(), targetName),
                login.isid(),
                context().executor(),
                sender(),
                () -> {
                    if (stage == Stage.FULL_FEATURE && !stopping) {
                        fullFeature().tasks().admitWrites();
                    }
                },
                this::close);
    }

    // ------------------------------------------------------------------ the server stops

    /** Takes no more commands, answers the running ones when they end, and closes. On any thread. */
    void shutdown() {
        execute(() -> {
            if (stage == Stage.CLOSING) {
                return;
            }
            stopping = true;
            FullFeature current = session;
            if (current != null) {
                current.tasks().refuseNew();
            }
            if (current == null || current.tasks().executing() == 0) {
                closeQuietly();
            }
        });
    }

    @Override
    public String toString() {
        ChannelHandlerContext c = context;
        String peer = c == null ? "?" : Addresses.print(c.channel().remoteAddress());
        return login.initiatorName().isEmpty() ? peer : peer + " " + login.initiatorName();
    }
}
