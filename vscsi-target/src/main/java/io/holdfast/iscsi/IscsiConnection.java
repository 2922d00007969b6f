package io.holdfast.iscsi;

import io.holdfast.block.IoLane;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.PduDecoder;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.net.Addresses;
import io.holdfast.net.NetworkFailure;
import io.holdfast.scsi.DeviceServer;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetSocketAddress;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * One connection as a channel: takes PDUs out of the stream for the phase it is in, and ends. Owned by the channel's event
 * loop.
 *
 * <pre>
 *   LoginPhase ──► FullFeaturePhase ──► closing ──► (channel inactive; drained when the last task has ended)
 *       └────────────────────────────────▲
 * </pre>
 */
final class IscsiConnection extends ChannelInboundHandlerAdapter implements PduDecoder.Receiver {
    /** From accept to full feature phase. */
    static final int LOGIN_LIMIT_SECONDS = 15;
    /** Largest data segment taken, as declared at login. */
    static final int MAX_DATA_SEGMENT_BYTES = (int) LoginKey.parse(LoginKey.MAX_RECV_DATA_SEGMENT_LENGTH.ours());

    /** How often a connection looks for commands whose storage does not answer. */
    static final int STALL_LOOK_MS = 250;

    /** From here on the next repetition is most of a second away. */
    private static final int UNHEARD_REPEATS = 2;

    private static final Logger log = LoggerFactory.getLogger(IscsiConnection.class);

    /**
     * What every connection of a server shares.
     *
     * @param portals where else initiators can come to
     * @param connections all that are open
     */
    record Shared(
            TargetDirectory directory,
            Discovery.Portals portals,
            WriteAdmission admission,
            SessionEvents events,
            Sessions sessions,
            IscsiSettings settings,
            MemoryBudget memory,
            ConnectionLimits limits,
            Repetitions repetitions,
            Set<IscsiConnection> connections) {

        /** The same for connections that find other targets: those of another portal group. */
        Shared at(TargetDirectory others) {
            return new Shared(
                    others, portals, admission, events, sessions, settings, memory, limits, repetitions, connections);
        }
    }

    private final Shared shared;
    private IoLane lane;
    private final PduDecoder decoder = new PduDecoder(LoginNegotiation.MAX_REQUEST_TEXT_BYTES);
    private Phase phase;
    private String initiatorName = "";
    private String client = "";
    /** 0 before there is one. */
    private long sessionId;

    private long readNanos;
    private @Nullable ChannelHandlerContext context;
    private @Nullable PduSender sender;
    private @Nullable ScheduledFuture<?> loginLimit;
    private @Nullable KeepAlive keepAlive;
    private @Nullable ScheduledFuture<?> stallLook;
    private boolean closing;
    /** On its way to another event loop: nothing is read. */
    private boolean moving;
    /** The server stops: what comes is not read any more, what runs is answered. */
    private boolean stopping;

    /** Takes the data of the PDU that is being received. Held here too: their task may end before they are whole. */
    private @Nullable ByteBuf filling;

    IscsiConnection(Shared shared, IoLane lane) {
        this.shared = shared;
        this.lane = lane;
        this.phase = new LoginPhase(this, shared);
    }

    // ------------------------------------------------------------------ for the phases and their tasks

    IoLane lane() {
        return lane;
    }

    /** When what is being decoded was read, {@link System#nanoTime}. */
    long readNanos() {
        return readNanos;
    }

    PduSender sender() {
        return Objects.requireNonNull(sender, "not connected");
    }

    /** Null once the connection is closing. */
    @Nullable
    PduSender openSender() {
        return closing ? null : sender();
    }

    ByteBuf allocate(int bytes) {
        return context().alloc().directBuffer(bytes, bytes);
    }

    boolean writable() {
        return context().channel().isWritable();
    }

    EventLoop eventLoop() {
        return context().channel().eventLoop();
    }

    EventExecutor executor() {
        return context().executor();
    }

    /**
     * Runs something on this connection's event loop; what it throws ends the connection, as what a PDU throws does:
     * otherwise the initiator would wait for its answer for ever. On any thread.
     */
    void execute(Runnable task) {
        executor().execute(() -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                exceptionCaught(context(), e);
            }
        });
    }

    /** The initiator's address. */
    String peer() {
        return Addresses.print(context().channel().remoteAddress());
    }

    /** The initiator's address without its port, which is another one each time. */
    String host() {
        return context().channel().remoteAddress() instanceof InetSocketAddress address
                ? Addresses.printHost(address.getAddress())
                : peer();
    }

    /** The address the initiator came to. */
    String portal() {
        return Addresses.print(context().channel().localAddress());
    }

    /**
     * Whether TCP has repeated what it sent in vain, {@value #UNHEARD_REPEATS} times at least (Linux: after 0.2 s, 0.6 s,
     * 1.4 s…, where the way is short). Not known of a connection on io_uring.
     */
    boolean isUnheard() {
        if (!(context().channel() instanceof EpollSocketChannel socket) || !socket.isOpen()) {
            return false;
        }
        try {
            return socket.tcpInfo().retransmits() >= UNHEARD_REPEATS;
        } catch (ChannelException e) {
            log.debug("{}: its TCP tells nothing: {}", this, e.toString());
            return false;
        }
    }

    /** What the initiator is told of targets. */
    Discovery discovery(String initiator) {
        Channel channel = context().channel();
        return new Discovery(
                shared.portals(), shared.directory(), initiator, channel.localAddress(), channel.remoteAddress());
    }

    void initiatorName(String name) {
        if (!name.equals(initiatorName)) {
            initiatorName = name;
            client = shared.directory().clientOf(name);
        }
    }

    /** Whose name the initiator uses; empty for nobody's in particular. */
    String client() {
        return client;
    }

    /** A line of the log about this connection: with whom it concerns, for those who collect lines as JSON. */
    LoggingEventBuilder about(LoggingEventBuilder line) {
        LoggingEventBuilder told = line.addKeyValue("peer", peer());
        if (!initiatorName.isEmpty()) {
            told = told.addKeyValue("initiator", initiatorName);
        }
        if (!client.isEmpty()) {
            told = told.addKeyValue("client", client);
        }
        if (sessionId != 0) {
            told = told.addKeyValue("session", Long.toString(sessionId));
        }
        return told;
    }

    /**
     * Moves the connection to the event loop of the session that it joins, and runs {@code then} there. Until then nothing
     * comes: the initiator waits for the answer to its login. Not run if the connection ends on the way.
     */
    void moveTo(Session session, Runnable then) {
        if (session.loop().inEventLoop()) {
            then.run();
            return;
        }
        moving = true;
        cancelLoginLimit();
        context().channel().config().setAutoRead(false);
        // After this turn, in which what has been read is still completed: io_uring must have no read under way.
        execute(() -> {
            if (!closing) {
                move(context().channel(), session, then);
            }
        });
    }

    private void move(Channel channel, Session session, Runnable then) {
        channel.deregister()
                .addListener(left -> session.loop().register(channel).addListener(arrived -> {
                    moving = false;
                    if (!arrived.isSuccess()) {
                        about(log.atWarn())
                                .log("{}: could not join its session: {}", this, String.valueOf(arrived.cause()));
                        enterClosing();
                        sender().close();
                    } else if (!closing) {
                        lane = session.lane();
                        limitLogin();
                        channel.config().setAutoRead(true);
                        then.run();
                    }
                }));
    }

    /** The login has been answered: what comes next is in full feature phase. */
    void loggedIn(FullFeaturePhase next, SessionParameters agreed, long session) {
        sessionId = session;
        sender().digests(agreed.headerDigest(), agreed.dataDigest());
        sender().maxSegmentBytes(agreed.maxRecvDataSegmentLength());
        decoder.maxDataSegmentBytes(MAX_DATA_SEGMENT_BYTES);
        decoder.digests(agreed.headerDigest(), agreed.dataDigest());
        phase = next;
        cancelLoginLimit();
        keepAlive = new KeepAlive(executor(), shared.settings().keepAliveSeconds(), next::ping, this::close);
        keepAlive.start();
        int looks = shared.settings().stallLimitMs() / STALL_LOOK_MS;
        if (looks > 0) {
            stallLook = executor()
                    .scheduleWithFixedDelay(
                            () -> next.tasks().lookForOverdue(looks),
                            STALL_LOOK_MS,
                            STALL_LOOK_MS,
                            TimeUnit.MILLISECONDS);
        }
    }

    /**
     * Ends this connection's tasks at some device servers, and runs {@code done} when they have ended.
     *
     * @param by whose wish it is; null if it is nobody's in particular
     */
    void abortTasksAt(Set<? extends DeviceServer> devices, @Nullable Session by, Runnable done) {
        if (phase instanceof FullFeaturePhase session) {
            session.abortTasksAt(devices, by, done);
        } else {
            done.run();
        }
    }

    /** A target is reset: this connection ends if it is one of its sessions'. */
    void targetReset(String targetName) {
        if (phase instanceof FullFeaturePhase session) {
            session.targetReset(targetName);
        }
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context, "not connected");
    }

    // ------------------------------------------------------------------ channel

    @Override
    public void handlerAdded(ChannelHandlerContext added) {
        context = added;
        sender = new PduSender(added, this::readOrNot);
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
        limitLogin();
    }

    private void limitLogin() {
        loginLimit = executor()
                .schedule(
                        () -> close("no login within " + LOGIN_LIMIT_SECONDS + " s"),
                        LOGIN_LIMIT_SECONDS,
                        TimeUnit.SECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext from, Object message) {
        ByteBuf in = (ByteBuf) message;
        readNanos = System.nanoTime();
        try {
            if (!closing && !stopping) {
                if (keepAlive != null) {
                    keepAlive.heard();
                }
                sender().readsBegan();
                decoder.decode(in, this);
            }
        } catch (WireException e) {
            close(String.valueOf(e.getMessage()));
        } finally {
            in.release();
            if (closing) {
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
        readOrNot();
        if (keepAlive != null) {
            keepAlive.heard(); // it takes its answers, or cannot be heard because it does not
        }
        if (!closing && phase instanceof FullFeaturePhase session) {
            session.tasks().retryWaiting();
        }
    }

    /** What an initiator sends is read as long as it reads what it is sent. */
    void readOrNot() {
        context().channel().config().setAutoRead(!moving && writable() && !sender().isFlooded());
    }

    @Override
    public void channelInactive(ChannelHandlerContext from) {
        if (!closing) {
            ended(phase.whenPeerEnds(!decoder.atBoundary()));
        }
        enterClosing();
        sender().close();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext from, Throwable cause) {
        if (!(cause instanceof java.io.IOException)) {
            about(log.atError()).setCause(cause).log("{}: internal error, the connection is closed", this);
        } else if (!closing && !phase.whenPeerEnds(false).isEmpty()) {
            ended(NetworkFailure.inWords(cause));
        }
        // Now: io_uring closes later, and what it brings until then must not meet a decoder that stopped half-way.
        enterClosing();
        from.close();
    }

    /** Closes the connection because of what came or did not come. */
    void close(String why) {
        if (!closing) {
            about(log.atWarn()).log("{}: closed: {}", this, why);
            closeQuietly();
        }
    }

    void closeQuietly() {
        sender().flush();
        enterClosing();
        context().close();
    }

    /** On any thread. */
    void evict() {
        execute(() -> close("more than " + ConnectionLimits.MAX_VISITORS + " connections log in or discover at once"));
    }

    /** Says how a session ended, if there is anything to say. */
    void ended(String how) {
        if (!how.isEmpty()) {
            about(log.atInfo()).log("{}: {}", this, how);
        }
    }

    private void enterClosing() {
        if (closing) {
            return;
        }
        closing = true;
        shared.limits().gone(this);
        cancelLoginLimit();
        ScheduledFuture<?> looking = stallLook;
        if (looking != null) {
            looking.cancel(false);
        }
        if (keepAlive != null) {
            keepAlive.stop();
        }
        dropFilling();
        phase.closing();
    }

    private void cancelLoginLimit() {
        if (loginLimit != null) {
            loginLimit.cancel(false); // or it would keep all this for the rest of its time
        }
    }

    // ------------------------------------------------------------------ PDUs

    @Override
    public @Nullable ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) throws WireException {
        ByteBuf target = closing ? null : phase.dataSegmentTarget(header, lengthBytes);
        filling = target;
        return target;
    }

    @Override
    public int dataCame(BasicHeader header, ByteBuf target, ByteBuf in, int lengthBytes) {
        return closing ? 0 : phase.dataCame(header, target, in, lengthBytes);
    }

    @Override
    public void pduReceived(BasicHeader header, ByteBuf data) throws WireException {
        try {
            if (!closing) {
                phase.pduReceived(header, data);
            }
        } finally {
            dropFilling();
        }
    }

    @Override
    public void dataDigestFailed(BasicHeader header, ByteBuf data) throws WireException {
        try {
            phase.dataDigestFailed(header, data);
        } finally {
            dropFilling();
        }
    }

    private void dropFilling() {
        if (filling != null) {
            filling.release();
            filling = null;
        }
    }

    // ------------------------------------------------------------------ the server stops

    /** Takes no more commands, answers the running ones when they end, and closes. On any thread. */
    void shutdown() {
        execute(this::wrapUp);
    }

    /** The same for the connection of a session that is to end. On any thread. */
    void end(Predicate<SessionEvents.Session> meant, String why) {
        execute(() -> {
            if (!closing && !stopping && phase instanceof FullFeaturePhase session && session.is(meant)) {
                about(log.atInfo()).log("{}: its session is ended: {}", this, why);
                wrapUp();
            }
        });
    }

    private void wrapUp() {
        if (!closing && !stopping) {
            stopping = true;
            if (phase.mayStopNow()) {
                closeQuietly();
            }
        }
    }

    @Override
    public String toString() {
        ChannelHandlerContext c = context;
        StringBuilder text = new StringBuilder(c == null ? "?" : peer());
        if (!initiatorName.isEmpty()) {
            text.append(' ').append(initiatorName);
        }
        if (!client.isEmpty()) {
            text.append(", client ").append(client);
        }
        if (sessionId != 0) {
            text.append(", session ").append(sessionId);
        }
        return text.toString();
    }
}
