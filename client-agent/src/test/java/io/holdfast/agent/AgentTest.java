package io.holdfast.agent;

import static io.holdfast.agent.portal.WireInitiator.LIBISCSI_ISID;
import static io.holdfast.agent.portal.WireInitiator.TARGET;
import static io.holdfast.agent.portal.WireInitiator.libiscsiKeys;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.RecordStore;
import io.holdfast.agent.portal.FakeTarget;
import io.holdfast.agent.portal.WireInitiator;
import io.holdfast.agent.qmp.FakeQemu;
import io.holdfast.control.AnnouncementOutcome;
import io.holdfast.control.ControlServer;
import io.holdfast.control.ControlSettings;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.RaisedEvent;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.ServerMessage;
import io.holdfast.control.VmActions;
import io.holdfast.control.VmActionsTaken;
import io.holdfast.control.VmOutcome;
import io.holdfast.iscsi.wire.Opcode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole agent between a monitor without a VM, an initiator on the wire, and a server without disks. */
@Timeout(90)
class AgentTest implements AgentListener {
    private static final String QEMU = "iqn.2008-11.org.linux-kvm:web1";
    private static final ExportedUnit DISK = new ExportedUnit(TARGET, 0, "uuid-1", 1 << 30, false);

    @TempDir
    private Path directory;

    private final List<String> changes = new CopyOnWriteArrayList<>();
    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private final AtomicBoolean rehearsed = new AtomicBoolean();
    private FakeTarget target;
    private ControlServer server;
    private FakeQemu qemu;
    private Agent agent;
    private int controlPort;
    private int targetPort;
    private ExportedUnit exported = DISK;
    private long revision;

    @BeforeEach
    void begin() throws Exception {
        startServer();
        controlPort = server.localAddress().getPort();
        targetPort = target.address().getPort();
        qemu = new FakeQemu(directory.resolve("qmp"));
        startAgent();
    }

    @AfterEach
    void end() throws Exception {
        if (agent != null) {
            agent.close();
        }
        qemu.close();
        killServer();
    }

    @Test
    void shouldFreezeStandInAndThawAVmWhoseServerDies() throws Exception {
        runningWithASession();

        killServer();
        await().until(() -> qemu.count("stop") == 1);
        awaitState(FreezeState.FROZEN);
        try (WireInitiator standIn = new WireInitiator(portal())) {
            standIn.login(LIBISCSI_ISID + 1, libiscsiKeys(QEMU));
            assertThat(standIn.receive().header().opcode()).isEqualTo(Opcode.ASYNC_MESSAGE);
            standIn.read10();
            assertThat(standIn.receive().header().scsiStatus()).isEqualTo(2);
            assertThat(qemu.count("cont")).isZero();

            startServer();

            assertThat(standIn.receive().header().opcode()).isEqualTo(Opcode.ASYNC_MESSAGE);
            assertThat(standIn.hungUp()).isTrue();
        }
        redirectedSession(LIBISCSI_ISID + 2);

        awaitState(FreezeState.RUNNING);
        assertThat(qemu.count("cont")).isEqualTo(1);
        assertThat(qemu.count("stop")).isEqualTo(1);
        assertThat(qemu.running).isTrue();
        assertThat(changes)
                .containsExactly(
                        "ABSENT>RUNNING",
                        "RUNNING>FREEZING",
                        "FREEZING>FROZEN",
                        "FROZEN>PROVING",
                        "PROVING>THAWING",
                        "THAWING>RUNNING");
    }

    @Test
    void shouldAskAQemuThatDoesNotAnswerOneQuestionAtATime() throws Exception {
        runningWithASession();
        killServer();
        awaitState(FreezeState.FROZEN);
        qemu.answersStatus = false;
        long before = qemu.count("query-status");
        startServer();
        awaitState(FreezeState.PROVING);
        redirectedSession(LIBISCSI_ISID + 2);

        await().during(Duration.ofMillis(2_500)).until(() -> qemu.count("query-status") <= before + 1);

        assertThat(qemu.count("cont")).isZero();
    }

    @Test
    void shouldTellTheServerWhereItsVmStands() throws Exception {
        runningWithASession();
        await().until(() -> toldState("RUNNING"));

        qemu.running = false;
        qemu.event("STOP", "{}");
        await().until(() -> toldState("HELD_BY_OTHER"));

        killServer();
        await().until(() -> !agent.serverServes());
        startServer();
        await().until(() -> toldState("HELD_BY_OTHER"));
    }

    @Test
    void shouldDoWhatOperatorsRegisteredAndSayWhatItDoesNot() throws Exception {
        runningWithASession();

        register("server-crash", "leave", "server-stop", "hook");

        await().until(() -> takenRevision() == revision);
        VmActionsTaken taken = server.actionsTaken().values().iterator().next().get(0);
        assertThat(taken.refused()).isEqualTo("server-stop=hook: its agent's settings give it no hook=PROGRAM");
        assertThat(warnings).anyMatch(what -> what.contains(taken.refused()));
        killServer();
        await().until(() -> !agent.serverServes());
        await().until(() -> warnings.stream().anyMatch(what -> what.contains("it is left running")));
        startServer();
        await().until(() -> agent.serverServes());
        assertThat(qemu.count("stop")).isZero();

        // The new server has nothing registered: what its welcome is followed by says so.
        await().until(() -> told().isEmpty());
        killServer();
        awaitState(FreezeState.FROZEN);
    }

    @Test
    void shouldKeepWhatItWasToldWhileServerAndAgentAreAway() throws Exception {
        runningWithASession();
        register("server-crash", "leave");
        await().until(() -> takenRevision() == revision);
        agent.close();
        killServer();

        startAgent();

        await().until(() -> warnings.stream().anyMatch(what -> what.contains("it is left running")));
        awaitState(FreezeState.RUNNING);
        assertThat(told()).containsExactly("server-crash=leave");
        assertThat(qemu.count("stop")).isZero();
    }

    private void register(String... eventsAndActions) {
        Map<String, String> actions = new TreeMap<>();
        for (int i = 0; i < eventsAndActions.length; i += 2) {
            actions.put(eventsAndActions[i], eventsAndActions[i + 1]);
        }
        revision++;
        VmActions registered = new VmActions("web1", revision, actions);
        server.registeredActions(vm -> registered);
        server.actionsChanged(Set.of("web1"));
    }

    private long takenRevision() {
        return server.actionsTaken().values().stream()
                .flatMap(List::stream)
                .mapToLong(VmActionsTaken::revision)
                .max()
                .orElse(0);
    }

    /** What is on record of what operators registered. */
    private List<String> told() {
        return RecordStore.peek(directory.resolve("state")).stream()
                .flatMap(record -> record.operators().values().stream())
                .flatMap(List::stream)
                .toList();
    }

    private boolean toldState(String state) {
        return server.vmStates().values().stream()
                .flatMap(List::stream)
                .anyMatch(vm -> vm.vm().equals("web1") && vm.state().equals(state) && vm.sinceEpochMs() > 0);
    }

    @Test
    void shouldFreezeForItsStorageAndForNoOthers() throws Exception {
        runningWithASession();

        server.raise(new RaisedEvent(RaisedEvent.STORAGE_FULL, "iqn.t:other", "full"));
        server.raise(new RaisedEvent("flood-in-the-cellar", "iqn.t:other", "wet"));
        server.raise(new RaisedEvent(RaisedEvent.STORAGE_FULL, TARGET, "full"));
        awaitState(FreezeState.FROZEN);
        assertThat(qemu.count("stop")).isEqualTo(1);

        server.clear(new RaisedEvent(RaisedEvent.STORAGE_FULL, TARGET, "space again"));

        awaitState(FreezeState.RUNNING);
        assertThat(changes).containsSubsequence("RUNNING>FREEZING", "FROZEN>PROVING", "THAWING>RUNNING");
    }

    @Test
    void shouldFailNoMoreRequestsOnceAnErrorReachedTheGuest() throws Exception {
        runningWithASession();
        killServer();
        awaitState(FreezeState.FROZEN);

        qemu.event("BLOCK_IO_ERROR", "{\"device\": \"d1\", \"operation\": \"write\", \"action\": \"report\"}");
        await().until(() -> warnings.stream().anyMatch(what -> what.contains("handed to the guest")));

        try (WireInitiator held = new WireInitiator(portal())) {
            held.sendLogin(LIBISCSI_ISID + 1, libiscsiKeys(QEMU));
            assertThat(held.unanswered(300)).isTrue();
        }
    }

    @Test
    void shouldLookAtTheDisksAgainWhenASessionEndsWhileTheVmRuns() throws Exception {
        runningWithASession();
        await().until(() -> qemu.count("query-named-block-nodes") == 2);

        server.sessionClosed(new IscsiSession(QEMU, LIBISCSI_ISID, TARGET, "127.0.0.1:1"));

        await().until(() -> qemu.count("query-named-block-nodes") == 3);
    }

    @Test
    void shouldAnswerAnAnnouncedStopWhenTheVmIsFrozen() throws Exception {
        runningWithASession();

        AnnouncementOutcome outcome = server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(10))
                .get(15, TimeUnit.SECONDS);

        assertThat(outcome.complete()).isTrue();
        assertThat(outcome.answered().values().iterator().next())
                .singleElement()
                .satisfies(vm -> assertThat(vm.state()).isEqualTo(VmOutcome.State.FROZEN));
        assertThat(qemu.running).isFalse();
    }

    @Test
    void shouldThawWhatAnEarlierRunFroze() throws Exception {
        runningWithASession();
        killServer();
        awaitState(FreezeState.FROZEN);
        agent.close();
        assertThat(qemu.running).as("closing the agent thaws nothing").isFalse();

        startAgent();
        awaitState(FreezeState.FROZEN);
        startServer();
        await().until(() -> agent.serverServes());
        redirectedSession(LIBISCSI_ISID + 3);

        awaitState(FreezeState.RUNNING);
        assertThat(qemu.count("cont")).isEqualTo(1);
    }

    @Test
    void shouldNotThawAVmThatSomebodyElsePaused() throws Exception {
        runningWithASession();
        qemu.running = false;
        qemu.event("STOP", "{}");
        awaitState(FreezeState.HELD_BY_OTHER);

        killServer();
        await().until(() -> !agent.serverServes());
        startServer();
        await().until(() -> agent.serverServes());

        await().during(Duration.ofMillis(300)).until(() -> qemu.count("cont") == 0);
        awaitState(FreezeState.HELD_BY_OTHER);
    }

    @Test
    void shouldStayFrozenWhenTheServerComesBackWithAnotherDisk() throws Exception {
        runningWithASession();
        killServer();
        awaitState(FreezeState.FROZEN);

        exported = new ExportedUnit(TARGET, 0, "uuid-2", 1 << 30, false);
        startServer();
        await().until(() -> agent.serverServes());

        await().during(Duration.ofMillis(300)).until(() -> qemu.count("cont") == 0);
        assertThat(agent.status().get(0).why()).contains("another disk");
    }

    @Test
    void shouldClearAwayWhatAKilledAgentsRehearsalLeft() throws Exception {
        agent.close();
        rehearsed.set(false);
        Path left = Files.createDirectories(directory.resolve("state").resolve("_rehearsal"));
        Files.writeString(left.resolve("rehearsal.json"), "{}");

        startAgent();

        await().until(rehearsed::get);
        assertThat(left).doesNotExist();
    }

    @Test
    void shouldCloseTwiceAsItDoesWhenASignalEndsIt() {
        agent.close();

        agent.close();

        assertThat(agent.status()).isEmpty();
    }

    @Test
    void shouldTellHowItsVmsStand() throws Exception {
        runningWithASession();

        VmStatus status = agent.status().get(0);

        assertThat(status.vm()).isEqualTo("web1");
        assertThat(status.state()).isEqualTo(FreezeState.RUNNING);
        assertThat(status.sessionsAtServer()).isEqualTo(1);
        assertThat(status.portal()).isEqualTo("127.0.0.1:" + portal().getPort());
    }

    @Test
    void shouldNameThePortThatIsBusy() throws Exception {
        VmConfig clash = VmConfig.parse("web2=" + directory.resolve("q2") + ",portal=127.0.0.1:" + portal().getPort());

        assertThatThrownBy(() ->
                        Agent.start(AgentConfig.of(server.localAddress(), List.of(clash), directory.resolve("other"))))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("web2")
                .hasMessageContaining(":" + portal().getPort());
    }

    @Test
    void shouldRefuseAStateDirectoryThatIsInUse() {
        assertThatThrownBy(() -> startSecondAgent())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("another agent uses");
    }

    // ------------------------------------------------------------------ builders

    private void runningWithASession() throws Exception {
        await().until(() -> agent.serverServes());
        awaitState(FreezeState.RUNNING);
        redirectedSession(LIBISCSI_ISID);
        await().until(() -> agent.status().get(0).sessionsAtServer() == 1);
    }

    /** Logs in as libiscsi does, is redirected, and turns up at the server. */
    private void redirectedSession(long isid) throws Exception {
        try (WireInitiator initiator = new WireInitiator(portal())) {
            initiator.sendLogin(isid, libiscsiKeys(QEMU));
            WireInitiator.Pdu answer = initiator.receive();
            assertThat(answer.keys()).containsEntry("TargetAddress", "127.0.0.1:" + targetPort);
        }
        server.sessionOpened(new IscsiSession(QEMU, isid, TARGET, "127.0.0.1:1"));
    }

    private InetSocketAddress portal() {
        return agent.portals().get("web1");
    }

    private void startServer() throws IOException {
        target = new FakeTarget(targetPort);
        server = ControlServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), controlPort),
                () -> new ServerDescription(
                        "vios1", List.of("127.0.0.1:" + target.address().getPort()), List.of(exported)),
                ControlSettings.DEFAULT);
    }

    private void killServer() throws IOException {
        server.close();
        target.close();
    }

    private void startAgent() throws Exception {
        agent = Agent.start(config(), this);
    }

    private void startSecondAgent() throws Exception {
        Agent.start(config()).close();
    }

    private AgentConfig config() throws AgentConfigException {
        return AgentConfig.of(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), controlPort),
                List.of(VmConfig.parse("web1=" + directory.resolve("qmp") + ",portal=127.0.0.1:0")),
                directory.resolve("state"));
    }

    private void awaitState(FreezeState state) {
        await("state " + state)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> agent.status().get(0).state() == state);
    }

    @Override
    public void vmChanged(String vm, FreezeState from, FreezeState to, String why, long heldMs) {
        changes.add(from + ">" + to);
    }

    @Override
    public void rehearsed(long tookMs) {
        rehearsed.set(true);
    }

    @Override
    public void vmWarning(String vm, String what) {
        warnings.add(what);
    }
}
