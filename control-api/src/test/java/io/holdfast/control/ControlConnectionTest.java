package io.holdfast.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class ControlConnectionTest {
    private static final ControlSettings QUICK = new ControlSettings(20, 200, 400, 2, 64 * 1024);
    private static final ExportedUnit UNIT =
            new ExportedUnit("iqn.2026-11.io.holdfast:disk", 0, "5f0c", 64 << 20, false);
    private static final IscsiSession SESSION =
            new IscsiSession("iqn.2008-11.org.linux-kvm:web1", 0x80_1234_0000_00L, UNIT.target(), "127.0.0.1:50000");

    private final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private ControlServer server;

    @BeforeEach
    void start() throws IOException {
        server = ControlServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                () -> new ServerDescription("vios1", List.of("127.0.0.1:3260"), List.of(7), List.of(UNIT)),
                QUICK);
    }

    @AfterEach
    void stop() {
        server.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void shouldWelcomeAnAgentWithUnitsAndOpenSessions() {
        server.sessionOpened(SESSION);

        Peer agent = connect("agent1");

        await().until(() -> !agent.welcomes.isEmpty());
        ServerMessage.Welcome welcome = agent.welcomes.get(0);
        assertThat(welcome.epoch()).isEqualTo(server.epoch()).isPositive();
        assertThat(welcome.server().units()).containsExactly(UNIT);
        assertThat(welcome.server().portals()).containsExactly("127.0.0.1:3260");
        assertThat(welcome.server().groupOf("127.0.0.1:3260")).isEqualTo(7);
        assertThat(welcome.server().groupOf("127.0.0.1:1")).isEqualTo(ServerDescription.USUAL_GROUP);
        assertThat(welcome.sessions()).containsExactly(SESSION);
        assertThat(server.agents()).containsExactly("agent1");
    }

    @Test
    void shouldTellAgentsWhatIsServedFromNowOn() {
        Peer agent = connect("agent1");
        await().until(() -> !agent.welcomes.isEmpty());
        ExportedUnit larger = new ExportedUnit(UNIT.target(), 0, UNIT.uuid(), UNIT.sizeBytes() * 2, true);
        ExportedUnit gone = new ExportedUnit(UNIT.target(), 7, "0000", 512, false);
        ServerMessage.UnitsChanged change = new ServerMessage.UnitsChanged(List.of(larger), List.of(gone));

        server.unitsChanged(change);

        await().untilAsserted(() -> assertThat(agent.received).contains(change));
        assertThat(agent.welcomes.get(0).server().after(change).units()).containsExactly(larger);
    }

    @Test
    void shouldCountHowOftenVmsHaveBeenFrozen() {
        Peer agent = connect("agent1");
        await().until(() -> !agent.welcomes.isEmpty());
        for (String state : List.of("RUNNING", "FREEZING", "FROZEN", "FROZEN", "RUNNING", "FROZEN")) {
            agent.client.send(new AgentMessage.VmStates(List.of(new VmState("web1", state, "because", 1))));
        }
        await().untilAsserted(() -> assertThat(server.freezes()).isEqualTo(2));
        assertThat(server.vmStates().get("agent1")).containsExactly(new VmState("web1", "FROZEN", "because", 1));
    }

    @Test
    void shouldWelcomeAnAgentOfAFullServer() throws IOException {
        List<ExportedUnit> units = IntStream.range(0, 1024)
                .mapToObj(i -> new ExportedUnit(
                        "iqn.2026-11.io.holdfast:a-vm-with-a-long-name-" + i,
                        0,
                        "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                        1L << 40,
                        false))
                .toList();
        server.close();
        server = ControlServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                () -> new ServerDescription("vios1", List.of("127.0.0.1:3260"), units),
                ControlSettings.DEFAULT);
        units.forEach(unit -> server.sessionOpened(new IscsiSession(
                "iqn.2008-11.org.linux-kvm:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
                0x80_1234_0000_00L,
                unit.target(),
                "192.0.2.100:50000")));

        Peer agent = welcomed("agent1");

        assertThat(agent.welcomes.get(0).sessions()).hasSize(1024);
        assertThat(agent.welcomes.get(0).server().units()).hasSize(1024);
    }

    @Test
    void shouldWelcomeAgentsThatCameBeforeThereWasAnythingToServe() throws IOException {
        openWithoutUnits();
        Peer agent = connect("early");
        await().until(() -> agent.client.understood());
        server.raise(new RaisedEvent("fire", "", "in the cellar"));
        assertThat(agent.welcomes).isEmpty();
        assertThat(server.agents()).isEmpty();

        server.serve(() -> new ServerDescription("vios1", List.of("127.0.0.1:3260"), List.of(UNIT)));

        await().until(() -> !agent.welcomes.isEmpty());
        assertThat(agent.welcomes.get(0).server().units()).containsExactly(UNIT);
        assertThat(agent.welcomes.get(0).raised())
                .extracting(RaisedEvent::event)
                .containsExactly("fire");
        assertThat(server.agents()).containsExactly("early");
    }

    @Test
    void shouldSayByeToAgentsThatWaitForAStartThatFails() throws IOException {
        openWithoutUnits();
        Peer agent = connect("early");
        await().until(() -> agent.client.understood());

        server.close();

        await().until(() -> !agent.closings.isEmpty());
        assertThat(agent.closings.get(0)).contains("bye");
        assertThat(agent.client.tookLeave()).isTrue();
    }

    @Test
    void shouldNotHoldMoreAgentsThanTheLimitBeforeItServes() throws IOException {
        openWithoutUnits();
        List<Peer> held = List.of(connect("one"), connect("two"));
        await().until(() -> held.stream().allMatch(agent -> agent.client.understood()));

        Peer three = connect("three");

        await().until(() -> !three.closings.isEmpty());
        assertThat(three.closings.get(0)).contains("refused", "2 agents wait");
    }

    private void openWithoutUnits() throws IOException {
        server.close();
        server = ControlServer.open(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory()),
                NioServerSocketChannel::new,
                QUICK);
    }

    @Test
    void shouldTellAgentsWhatIsRegisteredForTheirVmsBehindTheWelcomeAndWhenItChanges() {
        VmActions first = new VmActions("web1", 3, Map.of("server-crash", "leave"));
        server.registeredActions(vm -> vm.equals("web1") ? first : VmActions.none(vm));
        Peer agent = welcomed("agent1");
        await().until(() -> agent.registered.size() == 1);
        assertThat(agent.registered.get(0)).containsExactly(first);

        VmActions second = new VmActions("web1", 4, Map.of());
        server.registeredActions(vm -> second);
        server.actionsChanged(Set.of("db"));
        server.actionsChanged(Set.of("db", "web1"));
        server.sessionOpened(SESSION);

        await().until(() -> !agent.received.isEmpty());
        assertThat(agent.registered).hasSize(2);
        assertThat(agent.registered.get(1)).containsExactly(second);
    }

    @Test
    void shouldKnowWhatAnAgentMakesOfWhatIsRegistered() {
        Peer agent = welcomed("agent1");
        VmActionsTaken answer = new VmActionsTaken("web1", 3, "server-stop=hook: there is none", "server-crash");

        agent.client.send(
                new AgentMessage.ActionsTaken(List.of(new VmActionsTaken("somebody-elses", 3, "", ""), answer)));

        await().untilAsserted(() -> assertThat(server.actionsTaken()).containsEntry("agent1", List.of(answer)));
        assertThat(new VmActionsTaken("web1", 3, "x".repeat(100_000), "").refused())
                .hasSize(VmActionsTaken.MAX_TEXT);
        agent.client.close();
        await().until(() -> server.actionsTaken().isEmpty());
    }

    @Test
    void shouldTellOfAsManyActionsAsThereMayBeInOneLine() {
        Map<String, String> actions = IntStream.range(0, VmActions.MAX_EVENTS)
                .boxed()
                .collect(Collectors.toMap(i -> "x-" + i + "e".repeat(64 - 2 - ("" + i).length()), i -> "power-off"));
        List<VmActions> all = IntStream.range(0, VmActions.MAX_VMS)
                .mapToObj(i -> new VmActions("v".repeat(60) + i, Long.MAX_VALUE, actions))
                .toList();

        ByteBuf line = MessageCodec.line(new ServerMessage.ActionsRegistered(all));

        // Beside the longest welcome it must fit into what may wait for an agent.
        assertThat(line.readableBytes())
                .isLessThan(ControlProtocol.MAX_LINE_BYTES * 3 / 4)
                .isLessThan(ControlSettings.DEFAULT.maxUnsentBytes() - ControlProtocol.MAX_LINE_BYTES);
        line.release();
    }

    @Test
    void shouldTellOfNoMoreVmsThanTheLimit() throws Exception {
        String vms = IntStream.range(0, VmActions.MAX_VMS + 10)
                .mapToObj(i -> "\"v" + i + "\"")
                .collect(Collectors.joining(","));
        try (RawPeer peer = new RawPeer()) {
            peer.say("{\"type\":\"hello\",\"agentName\":\"raw\",\"protocol\":1,\"vms\":[" + vms + "]}");

            assertThat(peer.hear("actions-registered").split("\"vm\":", -1)).hasSize(VmActions.MAX_VMS + 1);
        }
    }

    @Test
    void shouldTellAgentsOfSessionsThatComeAndGo() {
        Peer agent = welcomed("agent1");

        server.sessionOpened(SESSION);
        server.sessionClosed(SESSION);

        await().until(() -> agent.received.size() == 2);
        assertThat(agent.received)
                .containsExactly(new ServerMessage.SessionOpened(SESSION), new ServerMessage.SessionClosed(SESSION));
    }

    @Test
    void shouldCompleteAnAnnouncementWhenEveryAgentIsFrozen() {
        Peer one = welcomed("one");
        Peer two = welcomed("two");

        var outcome = server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(20));
        for (Peer peer : List.of(one, two)) {
            await().until(() -> peer.goingAway() != null);
            assertThat(outcome).isNotDone();
            peer.client.send(new AgentMessage.Frozen(
                    peer.goingAway().announcementId(), List.of(new VmOutcome("web1", VmOutcome.State.FROZEN, ""))));
        }

        AnnouncementOutcome done = outcome.join();
        assertThat(done.complete()).isTrue();
        assertThat(done.answered()).containsOnlyKeys("one", "two");
        assertThat(done.answered().get("one").get(0).state()).isEqualTo(VmOutcome.State.FROZEN);
    }

    @Test
    void shouldNameAgentsThatDidNotAnswerInTime() {
        welcomed("slow");

        AnnouncementOutcome outcome = server.announce(ServerMessage.Reason.RESTART, Duration.ofMillis(60))
                .join();

        assertThat(outcome.complete()).isFalse();
        assertThat(outcome.unanswered()).containsExactly("slow");
    }

    @Test
    void shouldNotWaitForAnAgentThatDisconnects() {
        Peer agent = welcomed("gone");
        var outcome = server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(20));

        agent.client.abandon("killed");

        assertThat(outcome.join().complete()).isTrue();
        assertThat(outcome.join().answered()).isEmpty();
    }

    @Test
    void shouldTellAnAgentThatComesWhileTheServerGoesAndWaitForIt() {
        Peer first = welcomed("first");
        var outcome = server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(20));

        Peer late = welcomed("late");
        await().until(() -> late.goingAway() != null && first.goingAway() != null);
        assertThat(late.goingAway().deadlineMs()).isBetween(1L, 20_000L);
        first.client.send(new AgentMessage.Frozen(first.goingAway().announcementId(), List.of()));
        assertThat(outcome).isNotDone();
        late.client.send(new AgentMessage.Frozen(late.goingAway().announcementId(), List.of()));

        assertThat(outcome.join().answered()).containsOnlyKeys("first", "late");
    }

    @Test
    void shouldTellAnAgentThatComesAfterTheLastAnswer() {
        server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(20))
                .join();

        Peer late = welcomed("late");

        await().until(() -> late.goingAway() != null);
    }

    @Test
    void shouldCompleteAnAnnouncementAtOnceWithoutAgents() {
        assertThat(server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(20)))
                .succeedsWithin(Duration.ofSeconds(5));
    }

    @Test
    void shouldTellTheAgentAtOnceWhenTheServerGoes() {
        Peer agent = welcomed("agent1");

        server.close();

        await().until(() -> !agent.closings.isEmpty());
        assertThat(agent.closings.get(0)).contains("bye", "the server stops");
    }

    @Test
    void shouldRefuseMoreAgentsThanTheLimit() {
        welcomed("one");
        welcomed("two");

        Peer three = connect("three");

        await().until(() -> !three.closings.isEmpty());
        assertThat(three.closings.get(0)).contains("refused", "limit is 2");
    }

    @Test
    void shouldHearHeartbeatsFromTheServer() {
        Peer agent = welcomed("agent1");
        long first = agent.client.lastHeardNanos();

        await().until(() -> agent.client.lastHeardNanos() > first);
    }

    @Test
    void shouldKeepAnAgentThatOnlySendsHeartbeats() throws Exception {
        try (RawPeer peer = new RawPeer()) {
            peer.say("{\"type\":\"hello\",\"agentName\":\"raw\",\"protocol\":1,\"colour\":\"blue\",\"vms\":[\"a\"]}");
            assertThat(peer.hear("welcome")).contains("\"sizeBytes\":67108864");
            for (int i = 0; i < 5; i++) {
                peer.say("{\"type\":\"heartbeat\",\"seq\":" + i + "}");
                peer.hear("heartbeat");
            }
            assertThat(server.agents()).containsExactly("raw");
        }
    }

    @Test
    void shouldPassOverMessageTypesItDoesNotKnow() throws Exception {
        try (RawPeer peer = new RawPeer()) {
            peer.say("{\"type\":\"hello\",\"agentName\":\"raw\",\"protocol\":7,\"vms\":null}");
            peer.hear("welcome");
            peer.say("{\"type\":\"song\",\"verse\":1}");
            peer.hear("heartbeat");
            assertThat(server.agents()).containsExactly("raw");
        }
    }

    @Test
    void shouldAnswerGarbageWithAnErrorLineAndClose() throws Exception {
        // The last one looks like UTF-32 to a reader of JSON, and is none.
        for (String garbage :
                List.of("GET / HTTP/1.1", "{\"type\":\"hello\"", "[]", "42", "\u0000\u0001", "{\0\0\0!!!p")) {
            try (RawPeer peer = new RawPeer()) {
                peer.say(garbage);
                assertThat(peer.hear("refused")).contains("not a control message");
                assertThat(peer.in.readLine()).isNull();
            }
        }
    }

    @Test
    void shouldRefuseALineOverTheLimit() throws Exception {
        try (RawPeer peer = new RawPeer()) {
            peer.say("x".repeat(ControlProtocol.MAX_LINE_BYTES + 10));
            peer.hear("refused");
        }
    }

    @Test
    void shouldDropAPeerThatSaysNothing() throws Exception {
        try (RawPeer peer = new RawPeer()) {
            assertThat(peer.hear("refused")).contains("no hello within 200 ms");
        }
    }

    @Test
    void shouldDropAnAgentThatFallsSilent() throws Exception {
        try (RawPeer peer = new RawPeer()) {
            peer.say("{\"type\":\"hello\",\"agentName\":\"raw\",\"protocol\":1}");
            peer.hear("welcome");
            await().until(() -> server.agents().isEmpty());
        }
    }

    @Test
    void shouldNameTheAddressWhenThePortIsBusy() {
        InetSocketAddress busy = server.localAddress();

        assertThatThrownBy(() -> ControlServer.start(
                        busy, () -> new ServerDescription("", List.of(), List.of()), ControlSettings.DEFAULT))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(":" + busy.getPort());
    }

    @Test
    void shouldTellTheClientWhenNothingListens() {
        InetSocketAddress address = server.localAddress();
        server.close();

        Peer agent = connect(address, "agent1");

        await().until(() -> !agent.closings.isEmpty());
        assertThat(agent.closings.get(0)).containsIgnoringCase("refused");
    }

    // ------------------------------------------------------------------ proofs

    @Test
    void shouldProveTheUnitThatAnAgentAsksFor() {
        List<String> asked = new CopyOnWriteArrayList<>();
        server.provedBy((unit, initiators, answer) -> {
            asked.add(unit + " for " + initiators);
            answer.accept("it is reserved by iqn.foreign");
            return () -> {};
        });
        Peer agent = welcomed("agent1");
        assertThat(agent.welcomes.get(0).protocol()).isGreaterThanOrEqualTo(ControlProtocol.PROVES_UNITS);

        agent.client.send(new AgentMessage.ProveUnit(7, UNIT, List.of("iqn.vm")));

        await().untilAsserted(() -> assertThat(agent.received)
                .containsExactly(new ServerMessage.UnitProved(7, "it is reserved by iqn.foreign")));
        assertThat(asked).containsExactly(UNIT + " for [iqn.vm]");
    }

    @Test
    void shouldAnswerWhatHardlyIsAQuestionAndGoOn() throws IOException {
        server.provedBy((unit, initiators, answer) -> {
            answer.accept("no such unit: " + unit.name());
            return () -> {};
        });
        try (RawPeer peer = new RawPeer()) {
            peer.say("{\"type\":\"hello\",\"agentName\":\"raw\",\"protocol\":2,\"vms\":[]}");
            peer.hear("welcome");

            peer.say("{\"type\":\"prove-unit\"}");
            assertThat(peer.hear("unit-proved")).contains("\"id\":0", "no such unit: /0");
            peer.say("{\"type\":\"prove-unit\",\"id\":\"x\",\"unit\":[],\"initiators\":{\"a\":1}}");
            assertThat(peer.hear("unit-proved")).contains("no such unit: /0");
            peer.say("{\"type\":\"prove-unit\",\"id\":9,\"unit\":{\"target\":\"t\",\"lun\":-1}}");
            assertThat(peer.hear("unit-proved")).contains("\"id\":9", "no such unit: t/-1");
        }
    }

    // ------------------------------------------------------------------ peers

    private Peer welcomed(String name) {
        Peer peer = connect(name);
        await().until(() -> !peer.welcomes.isEmpty());
        return peer;
    }

    private Peer connect(String name) {
        return connect(server.localAddress(), name);
    }

    private Peer connect(InetSocketAddress address, String name) {
        Peer peer = new Peer();
        peer.client = ControlClient.connect(
                loops.next(),
                NioSocketChannel.class,
                address,
                1000,
                new AgentMessage.Hello(name, ControlProtocol.VERSION, List.of("web1")),
                QUICK,
                peer);
        return peer;
    }

    private static final class Peer implements ControlClient.Listener {
        final List<ServerMessage.Welcome> welcomes = new CopyOnWriteArrayList<>();
        final List<ServerMessage> received = new CopyOnWriteArrayList<>();
        final List<List<VmActions>> registered = new CopyOnWriteArrayList<>();
        final List<String> closings = new CopyOnWriteArrayList<>();
        ControlClient client;

        ServerMessage.GoingAway goingAway() {
            return received.stream()
                    .filter(ServerMessage.GoingAway.class::isInstance)
                    .map(ServerMessage.GoingAway.class::cast)
                    .findFirst()
                    .orElse(null);
        }

        @Override
        public void welcome(ServerMessage.Welcome welcome) {
            welcomes.add(welcome);
        }

        @Override
        public void received(ServerMessage message) {
            if (message instanceof ServerMessage.ActionsRegistered told) {
                registered.add(told.vms());
            } else {
                received.add(message);
            }
        }

        @Override
        public void closed(String why) {
            closings.add(why);
        }
    }

    private final class RawPeer implements AutoCloseable {
        final Socket socket = new Socket();
        final BufferedReader in;

        RawPeer() throws IOException {
            socket.connect(server.localAddress());
            socket.setSoTimeout(10_000);
            in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        }

        void say(String line) throws IOException {
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
        }

        String hear(String type) throws IOException {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.contains("\"type\":\"" + type + "\"")) {
                    return line;
                }
            }
            throw new IOException("closed before " + type);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
