package io.holdfast.management.served;

import io.holdfast.agent.watch.ProbeIdentity;
import io.holdfast.iscsi.ChapAccounts;
import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.iscsi.LoginStatus;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.iscsi.TargetDirectory;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.npiv.LoginAttempt;
import io.holdfast.npiv.LoginDecision;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Who may log in at one portal: clients to their own targets, and beside them everybody to what is exported to everybody.
 * Any thread.
 *
 * <p>Whatever the reason of a refusal, the initiator is told that there is no such target.
 */
public final class ClientDirectory implements TargetDirectory {
    private static final LoginStatus REFUSED = LoginStatus.NOT_FOUND;

    private final ClientPorts ports;
    private final ClientSecrets secrets;
    private final TargetDirectory exports;
    private final Function<InetSocketAddress, String> portAt;
    private final String host;
    private final String port;

    /**
     * @param exports what everybody sees
     * @param portAt the physical port that an address of this host is, empty for none
     */
    public ClientDirectory(
            ClientPorts ports,
            ClientSecrets secrets,
            TargetDirectory exports,
            Function<InetSocketAddress, String> portAt) {
        this(ports, secrets, exports, portAt, "", "");
    }

    private ClientDirectory(
            ClientPorts ports,
            ClientSecrets secrets,
            TargetDirectory exports,
            Function<InetSocketAddress, String> portAt,
            String host,
            String port) {
        this.ports = ports;
        this.secrets = secrets;
        this.exports = exports;
        this.portAt = portAt;
        this.host = host;
        this.port = port;
    }

    @Override
    public TargetDirectory seenFrom(String from, InetSocketAddress at) {
        // Which port an address is may change, but not for a connection that is there.
        return new ClientDirectory(ports, secrets, exports.seenFrom(from, at), portAt, from, portAt.apply(at));
    }

    @Override
    public Decision login(String initiatorName, String targetName) {
        Decision exported = exports.login(initiatorName, targetName);
        if (!(exported instanceof Decision.Refuse)) {
            return exported;
        }
        LoginDecision decision = ports.judge(attempt(initiatorName, targetName));
        return decision instanceof LoginDecision.Granted granted
                ? new Decision.Accept(new IscsiTarget(
                        ports.logins().targetName(granted.server()), portalGroupTag(), ports.viewOf(granted.wwpn())))
                : refusal((LoginDecision.Denied) decision);
    }

    private LoginAttempt attempt(String initiatorName, String targetName) {
        return new LoginAttempt(initiatorName, targetName, port, host);
    }

    /**
     * An agent asks for the disks of its VMs, also for those that only their client may see: the refusal tells it that there
     * is nothing to ask. It is no forger, and not to be told as one.
     */
    private static Decision.Refuse refusal(LoginDecision.Denied denied) {
        if (ProbeIdentity.isAgent(denied.attempt().initiator())) {
            return new Decision.Refuse(REFUSED, "");
        }
        // The log has who came and from where already.
        String port = denied.attempt().port();
        return new Decision.Refuse(
                REFUSED,
                "'" + TextKeys.printable(denied.attempt().target()) + "' at "
                        + (port.isEmpty() ? "no port" : "port " + port) + ": "
                        + denied.reason().text());
    }

    @Override
    public List<IscsiTarget> visibleTo(String initiatorName) {
        List<IscsiTarget> visible = new ArrayList<>(exports.visibleTo(initiatorName));
        visible.addAll(ports.visibleTo(initiatorName, port, portalGroupTag()));
        return visible;
    }

    @Override
    public int portalGroupTag() {
        return exports.portalGroupTag();
    }

    @Override
    public ChapAccounts accountsOf(String initiatorName, ChapAccounts usual) {
        return secrets.of(ports.logins().clientOf(initiatorName), exports.accountsOf(initiatorName, usual));
    }

    @Override
    public String clientOf(String initiatorName) {
        String client = ports.logins().clientName(initiatorName);
        return client.isEmpty() ? exports.clientOf(initiatorName) : client;
    }

    @Override
    public Decision.@Nullable Refuse enters(SessionEvents.Session session) {
        if (!(exports.login(session.initiatorName(), session.targetName()) instanceof Decision.Refuse)) {
            return exports.enters(session);
        }
        LoginDecision decision = ports.enters(session, attempt(session.initiatorName(), session.targetName()));
        return decision instanceof LoginDecision.Denied denied ? refusal(denied) : null;
    }

    @Override
    public void left(SessionEvents.Session session) {
        exports.left(session);
        ports.left(session);
    }
}
