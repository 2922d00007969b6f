package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.WireException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection until its login is decided: carries {@link LoginNegotiation}'s requests and replies. */
final class LoginPhase implements Phase {
    private static final Logger log = LoggerFactory.getLogger(LoginPhase.class);

    private final IscsiConnection connection;
    private final IscsiConnection.Shared shared;
    private final LoginNegotiation login;
    /** Let in by the directory, and not yet a session of its own. */
    private SessionEvents.@Nullable Session entered;

    private boolean joining;
    /** The session that the connection is about to join, on whose event loop it is then. */
    private @Nullable Session waitsFor;

    private Runnable watcher = () -> {};

    LoginPhase(IscsiConnection connection, IscsiConnection.Shared shared) {
        this.connection = connection;
        this.shared = shared;
        this.login = new LoginNegotiation(shared.directory(), shared.sessions(), shared.settings());
    }

    @Override
    public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
        return connection.allocate(lengthBytes);
    }

    @Override
    public void dataDigestFailed(BasicHeader header, ByteBuf data) throws WireException {
        throw new WireException("a digest before any was agreed on");
    }

    @Override
    public void pduReceived(BasicHeader header, ByteBuf data) throws WireException {
        if (header.opcode() != Opcode.LOGIN_REQUEST) {
            throw new WireException(header + " before login");
        }
        if (joining) {
            throw new WireException("a Login Request before the last one was answered");
        }
        LoginNegotiation.Reply reply = login.apply(header, ByteBufUtil.getBytes(data), data.readableBytes());
        connection.initiatorName(login.initiatorName());
        if (reply.fullFeature() && login.target() != null) {
            String objection = shared.limits().settles(connection, login.initiatorName());
            if (!objection.isEmpty()) {
                reply = reply.refused(LoginStatus.OUT_OF_RESOURCES, objection);
            }
        }
        Session joined = login.joined();
        if (!reply.fullFeature()) {
            respond(header, reply, header.tsih(), header.cmdSn(), header.cmdSn() + TaskSet.COMMAND_WINDOW - 1);
        } else if (joined == null) {
            begin(header, reply);
        } else {
            joining = true;
            BasicHeader request = header.copy();
            LoginNegotiation.Reply accepted = reply;
            connection.moveTo(joined, () -> join(joined, request, accepted));
        }
    }

    /** The connection begins a session, unless the directory has changed its mind. */
    private void begin(BasicHeader header, LoginNegotiation.Reply accepted) {
        IscsiTarget target = login.target();
        SessionEvents.Session info = info(target);
        LoginNegotiation.Reply reply = target == null ? accepted : letIn(accepted, info);
        CommandWindow window = new CommandWindow(header.cmdSn(), TaskSet.COMMAND_WINDOW);
        int handle = reply.fullFeature() ? Sessions.handle(info.id()) : 0;
        respond(header, reply, handle, window.expCmdSn(), window.maxCmdSn());
        if (reply.fullFeature()) {
            Session session = new Session(connection, shared, login.parameters(), window, info, target);
            entered = null; // from here on its end is the session's
            enter(session);
        }
    }

    /** The directory's last word. */
    private LoginNegotiation.Reply letIn(LoginNegotiation.Reply reply, SessionEvents.Session session) {
        TargetDirectory.Decision.Refuse refusal = shared.directory().enters(session);
        if (refusal != null) {
            return reply.refused(refusal.status(), refusal.why());
        }
        entered = session;
        return reply;
    }

    private SessionEvents.Session info(@Nullable IscsiTarget target) {
        return new SessionEvents.Session(
                shared.sessions().nextId(),
                login.initiatorName(),
                login.isid(),
                target == null ? "" : target.name(),
                connection.peer(),
                connection.portal());
    }

    /** The connection joins a session, on whose event loop this runs; perhaps it has to wait for one that it replaces. */
    private void join(Session session, BasicHeader header, LoginNegotiation.Reply accepted) {
        waitsFor = session;
        session.joinBegins();
        FullFeaturePhase old = session.connection(login.connectionId());
        if (old != null) {
            // RFC 7143 §6.3.4: connection reinstatement. What the old one was asked to do ends first.
            old.close("its connection logged in again");
        }
        watcher = () -> {
            if (waitsFor != null && session.connection(login.connectionId()) == null) {
                joinOrNot(session, header, accepted);
                joinEnded();
            }
        };
        session.watch(watcher);
        watcher.run();
    }

    private void joinOrNot(Session session, BasicHeader header, LoginNegotiation.Reply accepted) {
        LoginNegotiation.Reply reply = accepted;
        if (session.isOver()) {
            reply = accepted.refused(LoginStatus.NO_SUCH_SESSION, "the session has ended meanwhile");
        } else if (session.isFull()) {
            reply = accepted.refused(LoginStatus.TOO_MANY_CONNECTIONS, "the session has as many as were agreed on");
        }
        CommandWindow window = session.window();
        respond(header, reply, header.tsih(), window.expCmdSn(), window.maxCmdSn());
        if (reply.fullFeature()) {
            enter(session);
        }
    }

    private void joinEnded() {
        Session session = waitsFor;
        if (session != null) {
            waitsFor = null;
            session.unwatch(watcher);
            session.joinEnds();
        }
    }

    private void respond(BasicHeader header, LoginNegotiation.Reply reply, int tsih, int expCmdSn, int maxCmdSn) {
        PduSender out = connection.sender();
        out.begin(Opcode.LOGIN_RESPONSE, reply.flags())
                .isidAndTsih(header.isid(), tsih)
                .initiatorTaskTag(header.initiatorTaskTag())
                .loginStatus(reply.status().statusClass(), reply.status().detail())
                .window(expCmdSn, maxCmdSn);
        out.send(reply.text(), reply.text().length);
        if (reply.status() != LoginStatus.SUCCESS) {
            refused(reply);
        }
    }

    /** The login has been answered. */
    private void enter(Session session) {
        connection.sender().window(session.window());
        FullFeaturePhase phase = new FullFeaturePhase(connection, shared, session);
        connection.loggedIn(phase, login.parameters(), session.info().id());
        phase.opened(login.connectionId());
    }

    private void refused(LoginNegotiation.Reply reply) {
        if (reply.status().statusClass() == LoginStatus.MOVED_TEMPORARILY.statusClass()) {
            connection.about(log.atInfo()).log("{}: login redirected {}", connection, reply.why());
        } else if (reply.why().isEmpty()) {
            log.debug("{}: login refused: {}", connection, reply.status().text());
        } else {
            tellOfRefusal(reply);
        }
        connection.closeQuietly();
    }

    private void tellOfRefusal(LoginNegotiation.Reply reply) {
        SessionEvents.RefusedLogin refused = new SessionEvents.RefusedLogin(
                login.initiatorName(), connection.client(), connection.peer(), reply.status(), reply.why());
        String kind = connection.host() + ' ' + refused.initiatorName() + ' ' + refused.status() + ' ' + refused.why();
        int unheard = shared.repetitions().count(kind, System.nanoTime());
        if (unheard != Repetitions.COUNTED) {
            connection
                    .about(log.atWarn())
                    .log(
                            "{}: login refused: {} ({}){}",
                            connection,
                            reply.status().text(),
                            reply.why(),
                            unheard == 0 ? "" : ", and " + unheard + " more times since this was told last");
        }
        shared.events().refused(refused, unheard);
    }

    @Override
    public String whenPeerEnds(boolean inMiddleOfPdu) {
        return inMiddleOfPdu ? "connection closed in the middle of a PDU, before login" : "";
    }

    @Override
    public boolean mayStopNow() {
        return true;
    }

    @Override
    public void closing() {
        joinEnded();
        SessionEvents.Session session = entered;
        if (session != null) {
            entered = null;
            shared.directory().left(session);
        }
    }
}
