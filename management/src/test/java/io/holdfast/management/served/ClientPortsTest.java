package io.holdfast.management.served;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.watch.ProbeIdentity;
import io.holdfast.block.MemoryBackend;
import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.iscsi.LoginStatus;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.iscsi.TargetDirectory;
import io.holdfast.npiv.AdapterCommand;
import io.holdfast.npiv.Client;
import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.ClientCommand;
import io.holdfast.npiv.ClientKind;
import io.holdfast.npiv.Denial;
import io.holdfast.npiv.Fabric;
import io.holdfast.npiv.FabricCommand;
import io.holdfast.npiv.FabricObject;
import io.holdfast.npiv.LoginAttempt;
import io.holdfast.npiv.LoginDecision;
import io.holdfast.npiv.LoginDirectory;
import io.holdfast.npiv.LuCommand;
import io.holdfast.npiv.MapAccess;
import io.holdfast.npiv.MigrationCommand;
import io.holdfast.npiv.Outcome;
import io.holdfast.npiv.PoolCommand;
import io.holdfast.npiv.PortCommand;
import io.holdfast.npiv.ServerAdapter;
import io.holdfast.npiv.Sharing;
import io.holdfast.npiv.Wwpn;
import io.holdfast.npiv.WwpnPrefix;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import io.holdfast.scsi.Lun;
import io.holdfast.scsi.LunView;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ClientPortsTest {
    private static final String TARGETS = "iqn.2026-11.io.holdfast:";
    private static final String PORT = "fcs0";
    private static final String HOST = "192.0.2.1";
    private static final String OTHER_HOST = "192.0.2.2";

    private Fabric fabric = Fabric.EMPTY;
    private final Map<String, LogicalUnit> units = new HashMap<>();
    private final List<Denial> alerts = new ArrayList<>();
    private final Set<Long> ended = new HashSet<>();
    private final List<SessionEvents.Session> sessions = new ArrayList<>();
    private final ClientPorts ports = new ClientPorts(
            new LoginDirectory(fabric, TARGETS),
            (which, why) -> sessions.stream().filter(which).forEach(session -> ended.add(session.id())),
            denied -> alerts.add(denied.reason()));

    private final ClientAdapter web1;
    private final ClientAdapter web2;

    ClientPortsTest() {
        done(new PoolCommand.Create("blue", new WwpnPrefix("c05076075aac")));
        done(new PortCommand.Add(PORT, "192.0.2.9:3260", 64));
        web1 = client("web1");
        web2 = client("web2");
        apply();
    }

    private FabricObject done(FabricCommand command) {
        Outcome.Done outcome = (Outcome.Done) fabric.apply(command);
        fabric = outcome.fabric();
        return outcome.objects().get(0);
    }

    private void apply() {
        ports.apply(new LoginDirectory(fabric, TARGETS), units::get);
    }

    /** With one adapter and one LU of its own. */
    private ClientAdapter client(String name) {
        Client client = (Client) done(new ClientCommand.Create(name, ClientKind.VM));
        ClientAdapter adapter = (ClientAdapter) done(new AdapterCommand.Add(client.id(), "blue", null));
        ServerAdapter server = (ServerAdapter) done(new AdapterCommand.Pair(adapter.id(), null));
        done(new PortCommand.Assign(server.number(), PORT));
        lu("disk-" + name);
        map(adapter, "disk-" + name);
        return adapter;
    }

    private void lu(String name) {
        done(new LuCommand.Add(name, Sharing.PRIVATE));
        LogicalUnitIdentity identity = LogicalUnitIdentity.of(UUID.randomUUID());
        units.put(
                name, LogicalUnit.builder(identity, new MemoryBackend(1 << 20)).build());
    }

    private void map(ClientAdapter adapter, String lu) {
        done(new LuCommand.Map(adapter.id().client(), lu, MapAccess.READ_WRITE, null));
    }

    private void remove(ClientAdapter adapter) {
        ServerAdapter server = server(adapter);
        done(new LuCommand.Unmap(adapter.id().client(), 0));
        done(new AdapterCommand.Unpair(server.number()));
        done(new AdapterCommand.Remove(adapter.id()));
        done(new ClientCommand.Delete(adapter.id().client()));
        apply();
    }

    private ServerAdapter server(ClientAdapter adapter) {
        return fabric.servers().stream()
                .filter(server -> server.client().equals(adapter.id()))
                .findFirst()
                .orElseThrow();
    }

    private String target(ClientAdapter adapter) {
        return TARGETS + server(adapter).name();
    }

    private LoginAttempt attempt(Wwpn name, ClientAdapter to, String from) {
        return new LoginAttempt(name.naaName(), target(to), PORT, from);
    }

    private SessionEvents.Session session(LoginAttempt attempt) {
        return new SessionEvents.Session(
                sessions.size() + 1, attempt.initiator(), 1, attempt.target(), attempt.from() + ":1000", PORT);
    }

    /** A whole login, which must succeed. */
    private SessionEvents.Session login(Wwpn name, ClientAdapter to, String from) {
        LoginAttempt attempt = attempt(name, to, from);
        assertThat(ports.judge(attempt)).isInstanceOf(LoginDecision.Granted.class);
        SessionEvents.Session session = session(attempt);
        assertThat(ports.enters(session, attempt)).isInstanceOf(LoginDecision.Granted.class);
        sessions.add(session);
        return session;
    }

    private Denial denied(LoginDecision decision) {
        return ((LoginDecision.Denied) decision).reason();
    }

    private static List<String> luns(LunView view) {
        return view.luns().stream().map(Lun::toString).toList();
    }

    @Test
    void shouldShowEveryClientItsOwnUnits() {
        LunView mine = ports.viewOf(web1.activeName());
        LunView theirs = ports.viewOf(web2.activeName());

        assertThat(mine.at(Lun.ofNumber(0))).isSameAs(units.get("disk-web1"));
        assertThat(theirs.at(Lun.ofNumber(0))).isSameAs(units.get("disk-web2"));
        assertThat(ports.visibleTo(web1.activeName().naaName(), PORT, 1))
                .extracting(target -> target.name())
                .containsExactly(target(web1));
        assertThat(ports.visibleTo("iqn.2026-11.org.example:stranger", PORT, 1)).isEmpty();
    }

    @Test
    void shouldAlertOfEveryLoginThatIsRefused() {
        assertThat(denied(ports.judge(attempt(web1.activeName(), web2, HOST)))).isEqualTo(Denial.FOREIGN_TARGET);
        assertThat(denied(ports.judge(new LoginAttempt("iqn.2026-11.org.example:stranger", target(web1), PORT, HOST))))
                .isEqualTo(Denial.UNKNOWN_INITIATOR);

        assertThat(alerts).containsExactly(Denial.FOREIGN_TARGET, Denial.UNKNOWN_INITIATOR);
    }

    @Test
    void shouldRefuseAnAgentThatAsksForAClientsDiskWithoutAlarm() {
        String agent = ProbeIdentity.ofThisHost().initiatorName();
        assertThat(denied(ports.judge(new LoginAttempt(agent, target(web1), PORT, HOST))))
                .isEqualTo(Denial.UNKNOWN_INITIATOR);

        assertThat(alerts).isEmpty();
    }

    @Test
    void shouldTellTheLogOfAForgerAndNotOfAnAgent() {
        assertThat(refusedFor("iqn.2026-11.org.example:stranger")).contains("no client has this initiator name");
        assertThat(refusedFor(ProbeIdentity.ofThisHost().initiatorName())).isEmpty();
    }

    private String refusedFor(String initiator) {
        TargetDirectory noExports = new TargetDirectory() {
            @Override
            public Decision login(String initiatorName, String targetName) {
                return new Decision.Refuse(LoginStatus.NOT_FOUND, targetName);
            }

            @Override
            public List<IscsiTarget> visibleTo(String initiatorName) {
                return List.of();
            }
        };
        ClientSecrets secrets = new ClientSecrets(ClientSecrets.Strangers.WELCOME);
        TargetDirectory seen = new ClientDirectory(ports, secrets, noExports, address -> PORT)
                .seenFrom(HOST, new InetSocketAddress(0));
        return ((TargetDirectory.Decision.Refuse) seen.login(initiator, target(web1))).why();
    }

    @Test
    void shouldRefuseTheSecondOfTwoHostsThatComeAtOnceWithOneName() {
        LoginAttempt one = attempt(web1.activeName(), web1, HOST);
        LoginAttempt two = attempt(web1.activeName(), web1, OTHER_HOST);
        assertThat(ports.judge(one)).isInstanceOf(LoginDecision.Granted.class);
        assertThat(ports.judge(two)).isInstanceOf(LoginDecision.Granted.class);
        SessionEvents.Session first = session(one);

        assertThat(ports.enters(first, one)).isInstanceOf(LoginDecision.Granted.class);
        assertThat(denied(ports.enters(session(two), two))).isEqualTo(Denial.LOGGED_IN_ELSEWHERE);

        ports.left(first);
        assertThat(ports.judge(two)).isInstanceOf(LoginDecision.Granted.class);
    }

    @Test
    void shouldKeepASeatUntilTheLastSessionOfItsNameHasLeft() {
        SessionEvents.Session old = login(web1.activeName(), web1, HOST);
        SessionEvents.Session again = login(web1.activeName(), web1, HOST);
        ports.left(old);
        assertThat(denied(ports.judge(attempt(web1.activeName(), web1, OTHER_HOST))))
                .isEqualTo(Denial.LOGGED_IN_ELSEWHERE);
        ports.left(again);
        assertThat(ports.judge(attempt(web1.activeName(), web1, OTHER_HOST))).isInstanceOf(LoginDecision.Granted.class);
    }

    @Test
    void shouldMapAndUnmapWhileOthersGoOn() {
        LunView mine = ports.viewOf(web1.activeName());
        LunView theirs = ports.viewOf(web2.activeName());
        login(web1.activeName(), web1, HOST);
        lu("more");
        map(web1, "more");
        assertThat(luns(mine)).containsExactly("0");

        apply();
        assertThat(luns(mine)).containsExactly("0", "1");
        assertThat(luns(theirs)).containsExactly("0");

        done(new LuCommand.Unmap(web1.id().client(), 0));
        apply();
        assertThat(luns(mine)).containsExactly("1");
        assertThat(ports.idle(Objects.requireNonNull(units.get("disk-web1")))).isCompleted();
        assertThat(ended).isEmpty();
    }

    @Test
    void shouldHandOverWithoutAGapAndWithoutTwoWriters() {
        Wwpn here = web1.activeName();
        Wwpn there = web1.pair().of(web1.active().other());
        assertThat(denied(ports.judge(attempt(there, web1, OTHER_HOST)))).isEqualTo(Denial.NOT_ACTIVE);
        SessionEvents.Session source = login(here, web1, HOST);

        done(new MigrationCommand.Prepare(web1.id().client()));
        apply();
        SessionEvents.Session destination = login(there, web1, OTHER_HOST);
        LunView sourceView = ports.viewOf(here);
        LunView destinationView = ports.viewOf(there);
        assertThat(luns(destinationView)).containsExactly("0");
        assertThat(sourceView.holdsWrites()).isFalse();
        assertThat(destinationView.holdsWrites()).as("stands by").isTrue();

        done(new MigrationCommand.HandOver(web1.id().client()));
        apply();
        assertThat(ended).containsExactly(source.id());
        assertThat(sourceView.holdsWrites()).isTrue();
        assertThat(destinationView.holdsWrites())
                .as("until the last write of the source has ended")
                .isTrue();

        ports.left(source);
        assertThat(destinationView.holdsWrites()).isFalse();
        assertThat(denied(ports.judge(attempt(here, web1, HOST)))).isEqualTo(Denial.NOT_ACTIVE);
        assertThat(ended).doesNotContain(destination.id());
    }

    @Test
    void shouldLeaveTheSourceAloneWhenAMigrationIsCalledOff() {
        SessionEvents.Session source = login(web1.activeName(), web1, HOST);
        done(new MigrationCommand.Prepare(web1.id().client()));
        apply();
        SessionEvents.Session destination = login(web1.pair().of(web1.active().other()), web1, OTHER_HOST);

        done(new MigrationCommand.Cancel(web1.id().client()));
        apply();

        assertThat(ended).containsExactly(destination.id()).doesNotContain(source.id());
        assertThat(ports.viewOf(web1.activeName()).holdsWrites()).isFalse();
    }

    @Test
    void shouldEndTheSessionsOfAClientThatIsRemoved() {
        SessionEvents.Session mine = login(web1.activeName(), web1, HOST);
        SessionEvents.Session theirs = login(web2.activeName(), web2, HOST);
        LunView view = ports.viewOf(web1.activeName());

        remove(web1);

        assertThat(ended).containsExactly(mine.id()).doesNotContain(theirs.id());
        assertThat(view.luns()).isEmpty();
        ports.left(mine);
        assertThat(ports.inside()).hasSize(1);
    }

    @Test
    void shouldRefuseWhatWasGrantedBeforeAChange() {
        LoginAttempt attempt = attempt(web1.activeName(), web1, HOST);
        assertThat(ports.judge(attempt)).isInstanceOf(LoginDecision.Granted.class);
        remove(web1);

        assertThat(denied(ports.enters(session(attempt), attempt))).isEqualTo(Denial.UNKNOWN_INITIATOR);
    }
}
