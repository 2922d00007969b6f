package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Isid;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.Nexus;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.util.Set;
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

    LoginPhase(IscsiConnection connection, IscsiConnection.Shared shared) {
        this.connection = connection;
        this.shared = shared;
        this.login = new LoginNegotiation(shared.directory(), shared.settings().chap());
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
        LoginNegotiation.Reply reply = login.apply(header, ByteBufUtil.getBytes(data), data.readableBytes());
        connection.initiatorName(login.initiatorName());
        if (reply.fullFeature() && login.target() != null) {
            String objection = shared.limits().settles(connection, login.initiatorName());
            if (!objection.isEmpty()) {
                reply = reply.refused(LoginStatus.OUT_OF_RESOURCES, objection);
            }
        }
        long id = reply.fullFeature() ? shared.ids().next() : 0;
        if (reply.fullFeature()) {
            reply = letIn(reply, id);
        }
        boolean done = reply.fullFeature();
        byte[] text = reply.text();
        int commandSn = header.cmdSn();
        PduSender out = connection.sender();
        out.begin(Opcode.LOGIN_RESPONSE, reply.flags())
                .isidAndTsih(header.isid(), done ? SessionIds.tsih(id) : header.tsih())
                .initiatorTaskTag(header.initiatorTaskTag())
                .loginStatus(reply.status().statusClass(), reply.status().detail())
                .window(commandSn, commandSn + TaskSet.COMMAND_WINDOW - 1);
        out.send(text, text.length);
        if (reply.status() != LoginStatus.SUCCESS) {
            refused(reply);
        } else if (done) {
            Session session = session(commandSn, id);
            out.window(session.window());
            FullFeaturePhase phase = new FullFeaturePhase(connection, shared, session);
            connection.loggedIn(phase, session.agreed());
            entered = null; // from here on its end is the session's
            phase.opened(login.isid(), header.connectionId());
        }
    }

    /** The directory's last word. */
    private LoginNegotiation.Reply letIn(LoginNegotiation.Reply reply, long id) {
        IscsiTarget target = login.target();
        if (target == null) {
            return reply;
        }
        SessionEvents.Session session = info(target, id);
        TargetDirectory.Decision.Refuse refusal = shared.directory().enters(session);
        if (refusal != null) {
            return reply.refused(refusal.status(), refusal.why());
        }
        entered = session;
        return reply;
    }

    private SessionEvents.Session info(@Nullable IscsiTarget target, long id) {
        return new SessionEvents.Session(
                id,
                login.initiatorName(),
                login.isid(),
                target == null ? "" : target.name(),
                connection.peer(),
                connection.portal());
    }

    private void refused(LoginNegotiation.Reply reply) {
        if (reply.status().statusClass() == LoginStatus.MOVED_TEMPORARILY.statusClass()) {
            log.info("{}: login redirected {}", connection, reply.why());
        } else {
            log.warn("{}: login refused: {} ({})", connection, reply.status().text(), reply.why());
        }
        connection.closeQuietly();
    }

    private Session session(int commandSn, long id) {
        SessionParameters agreed = login.parameters();
        CommandWindow window = new CommandWindow(commandSn, TaskSet.COMMAND_WINDOW);
        IscsiTarget target = login.target();
        SessionEvents.Session info = info(target, id);
        if (target == null) {
            return new Session(agreed, window, info);
        }
        Nexus nexus = new Nexus(
                login.initiatorName() + ",i," + Isid.print(login.isid()),
                target.name() + String.format(",t,0x%04x", target.portalGroupTag()),
                target.portalGroupTag(),
                new AtConnection(connection));
        return new Session(agreed, window, info, nexus, target.luns());
    }

    /** The session's tasks are at its connection. */
    private record AtConnection(IscsiConnection connection) implements Nexus.Transport {
        @Override
        public void abortTasksAt(DeviceServer device, Runnable done) {
            connection.execute(() -> connection.abortTasksAt(Set.of(device), null, done));
        }

        @Override
        public void awaitTasksAt(DeviceServer device, Runnable done) {
            connection.execute(() -> connection.awaitTasksAt(device, done));
        }

        @Override
        public void writesReleased() {
            connection.execute(connection::writesReleased);
        }
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
        SessionEvents.Session session = entered;
        if (session != null) {
            entered = null;
            shared.directory().left(session);
        }
    }
}
