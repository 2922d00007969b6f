package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.holdfast.agent.freeze.ServerView;
import io.holdfast.agent.portal.FakeTarget;
import io.holdfast.control.AgentMessage;
import io.holdfast.control.ControlProtocol;
import io.holdfast.control.ControlServer;
import io.holdfast.control.ControlSettings;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.ServerMessage;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ServerWatchTest implements ServerWatch.Listener {
    private static final WatchSettings SETTINGS = new WatchSettings(400, 300, 300, 400, 10, 20, 100, 200);
    /** For what must be answered: a busy machine may take its time. */
    private static final WatchSettings PATIENT = new WatchSettings(20_000, 20_000, 20_000, 20_000, 10, 20, 100, 200);
    /** A login has a second for its answer, a read two. */
    private static final WatchSettings READING =
            new WatchSettings(20_000, 2_000, 20_000, 20_000, 10, 20, 100, 200).readEvery(50);
    /** A server that never sends a heart-beat: a process that hangs looks like that. */
    private static final ControlSettings MUTE = new ControlSettings(3_600_000, 5_000, 3_600_000, 8, 64 * 1024);

    private static final ControlSettings BEATING = new ControlSettings(50, 5_000, 3_600_000, 8, 64 * 1024);
    private static final ExportedUnit DISK = new ExportedUnit("iqn.t:disk", 0, "u", 1, false);
    private static final int READ = 0x88;
    private static final int COMPARE_AND_WRITE = 0x89;
    private static final int INQUIRY = 0x12;
    private static final IscsiSession SESSION = new IscsiSession("iqn.i:vm", 5, "iqn.t:disk", "127.0.0.1:4");

    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoop loop = group.next();
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private volatile ExportedUnit disk = DISK;
    private volatile List<ExportedUnit> waitedFor = List.of();
    private volatile List<String> portals = List.of();
    /** On the server's thread. */
    private volatile Runnable beforeWelcome = () -> {};

    private FakeTarget target;
    private ControlServer server;
    private ServerWatch watch;

    @AfterEach
    void stop() throws IOException {
        watch.close();
        if (server != null) {
            server.close();
        }
        target.close();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void shouldTellThatTheServerServesWhenItsDataPathAnswers() throws Exception {
        start(BEATING);

        awaitHeard("serves vios1 " + target.address().getPort());
        assertThat(target.logins.get(0)).containsEntry("SessionType", "Discovery");
    }

    @Test
    void shouldNotBelieveAServerWhosePortalIsSilent() throws Exception {
        target = new FakeTarget();
        target.answersLogins = false;
        serve(BEATING, 0);
        watch();

        await().during(Duration.ofMillis(500)).until(heard::isEmpty);
        target.answersLogins = true;
        awaitHeard("serves vios1 " + target.address().getPort());
    }

    @Test
    void shouldTellWhatTheServerServesWhenThatChanges() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());
        ExportedUnit more = new ExportedUnit("iqn.t:disk", 1, "v", 1, false);

        server.unitsChanged(new ServerMessage.UnitsChanged(List.of(more), List.of(DISK)));

        awaitHeard("units [iqn.t:disk/1]");
    }

    @Test
    void shouldTellTheDeathOfTheServerAtOnce() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());

        long began = System.nanoTime();
        server.close();

        awaitHeard("lost ENDED");
        assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(3));
    }

    @Test
    void shouldTellTheReturnOfTheServer() throws Exception {
        int port = startAndLose();

        serve(BEATING, port);

        awaitHeard("serves vios1 " + target.address().getPort());
    }

    @Test
    void shouldLogInAtThePortalItKnowsWhileTheNextServerIntroducesItself() throws Exception {
        int port = startAndLose();

        beforeWelcome = () -> await().until(() -> target.logins.size() == 2);
        serve(BEATING, port);

        awaitHeard("serves vios1 " + target.address().getPort());
        assertThat(target.logins).hasSize(2);
    }

    @Test
    void shouldProveTheUnitsThatAreWaitedForWhileTheNextServerIntroducesItself() throws Exception {
        UUID own = UUID.randomUUID();
        disk = new ExportedUnit(DISK.target(), 0, own.toString(), 1, false);
        int port = startAndLose(PATIENT);
        waitedFor = List.of(disk);
        target.unit = Optional.of(own);
        target.answers.put(READ, new ArrayDeque<>(List.of(FakeTarget.Answer.of(0, new byte[512]))));

        beforeWelcome = () -> await().until(() -> target.operations.contains(COMPARE_AND_WRITE));
        serve(BEATING, port);

        awaitHeard("serves vios1 " + target.address().getPort());
        assertThat(proveUnit(disk)).isEmpty();
        assertThat(target.operations).containsExactly(INQUIRY, READ, COMPARE_AND_WRITE);
    }

    @Test
    void shouldAskAgainWhenThePortalItKnowsDidNotServeYet() throws Exception {
        int port = startAndLose();
        target.hangsUp = true;
        int before = target.accepted.get();

        beforeWelcome = () -> {
            await().until(() -> target.accepted.get() > before);
            target.hangsUp = false;
        };
        try (LogLines log = LogLines.of(ServerWatch.class)) {
            serve(BEATING, port);

            awaitHeard("serves vios1 " + target.address().getPort());
            assertThat(log.lines()).noneMatch(line -> line.contains("does not serve"));
        }
    }

    @Test
    void shouldNotTireOfAServerThatStartsAndFailsAndSaysSo() throws Exception {
        int port = startAndLose();

        // So often that one without manners would be asked every two seconds only.
        try (StartingServer starting = new StartingServer(port, 0)) {
            await().atMost(Duration.ofSeconds(5)).until(() -> starting.accepted.get() > 10);
        }
        serve(BEATING, port);

        awaitHeard("serves vios1 " + target.address().getPort());
    }

    @Test
    void shouldWaitForAServerThatTakesLongToStart() throws Exception {
        int port = startAndLose();

        try (StartingServer starting = new StartingServer(port, Integer.MAX_VALUE)) {
            await().until(() -> starting.accepted.get() == 1);
            // Longer than a welcome may take.
            await().during(Duration.ofMillis(1_500)).until(() -> starting.accepted.get() == 1);
        }
        serve(BEATING, port);

        awaitHeard("serves vios1 " + target.address().getPort());
    }

    @Test
    void shouldBelieveSilenceOnlyWhenTheDataPathIsSilentToo() throws Exception {
        start(MUTE);
        awaitHeard("serves vios1 " + target.address().getPort());

        await().during(Duration.ofMillis(1_500)).until(() -> heard.size() == 1);
        target.answersLogins = false;

        awaitHeard("lost SILENT");
    }

    @Test
    void shouldTellALossWhenTheHeartBeatsAndNeitherAReadNorALoginIsAnswered() throws Exception {
        startReading();

        target.answersCommands = false;
        target.answersLogins = false;

        awaitHeard("lost SILENT");
    }

    @Test
    void shouldNotTakeAServerForLostThatDoesNotAnswerAReadAlone() throws Exception {
        try (LogLines log = LogLines.of(DataPathReads.class)) {
            startReading();

            target.answersCommands = false;

            await().until(() -> log.contain("but logins are; nothing is frozen for that"));
            assertThat(heard).noneMatch(line -> line.startsWith("lost"));
        }
    }

    /** Until a disk that somebody uses has been read once. */
    private void startReading() throws Exception {
        target = new FakeTarget();
        serve(BEATING, 0);
        watch(server.localAddress(), READING);
        awaitHeard("serves vios1 " + target.address().getPort());
        server.sessionOpened(SESSION);
        await().until(() -> target.operations.size() > 0);
    }

    @Test
    void shouldTellALossWhenAPortalDoubtsAndTheServerDoesNotAnswer() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());

        assertThat(prove()).isTrue();
        target.answersLogins = false;
        assertThat(prove()).isFalse();

        assertThat(heard).contains("lost SILENT");
    }

    @Test
    void shouldTakeAServerForLostWhosePortalIsClosedWhileItsHeartBeats() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());

        target.die();

        assertThat(prove()).isFalse();
        assertThat(heard).contains("lost ENDING");
    }

    @Test
    void shouldTakeAServerThatGoesAtItsWordWhenItHangsUp() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());
        server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(20));
        awaitHeard("going PLANNED_STOP");

        target.hangsUp = true;

        assertThat(prove()).isFalse();
    }

    @Test
    void shouldTryEveryPortalInTurn() throws Exception {
        target = new FakeTarget();
        try (FakeTarget closed = new FakeTarget()) {
            closed.die();
            portals = List.of(
                    "127.0.0.1:" + closed.address().getPort(),
                    "127.0.0.1:" + target.address().getPort());
            serve(BEATING, 0);
            watch();

            awaitHeard("serves vios1 " + target.address().getPort());
        }
    }

    @Test
    void shouldNotGoToAnotherServerThatHasAnExportOfTheSameName() throws Exception {
        UUID own = UUID.fromString("11111111-2222-4333-8444-555555555555");
        disk = new ExportedUnit(DISK.target(), 0, own.toString(), 1, false);
        target = new FakeTarget();
        target.unit = Optional.of(own);
        try (FakeTarget other = new FakeTarget(new InetSocketAddress("127.0.0.2", 0))) {
            other.unit = Optional.of(UUID.randomUUID());
            portals = List.of(
                    "127.0.0.2:" + other.address().getPort(),
                    "127.0.0.1:" + target.address().getPort());
            serve(BEATING, 0);
            watch(server.localAddress(), PATIENT);

            awaitHeard("serves vios1 " + target.address().getPort());
            assertThat(other.operations).as("nothing was read or written").containsOnly(INQUIRY);
            assertThat(heard).doesNotContain("serves vios1 " + other.address().getPort());
        }
    }

    @Test
    void shouldNotGoToAPortalThatDoesNotSayWhoseItIs() throws Exception {
        UUID own = UUID.fromString("11111111-2222-4333-8444-555555555555");
        disk = new ExportedUnit(DISK.target(), 0, own.toString(), 1, false);
        target = new FakeTarget();
        target.unit = Optional.of(own);
        try (FakeTarget other = new FakeTarget(new InetSocketAddress("127.0.0.2", 0))) {
            other.unit = Optional.of(own);
            other.answersCommands = false;
            portals = List.of(
                    "127.0.0.2:" + other.address().getPort(),
                    "127.0.0.1:" + target.address().getPort());
            serve(BEATING, 0);
            watch();

            awaitHeard("serves vios1 " + target.address().getPort());
            assertThat(heard).doesNotContain("serves vios1 " + other.address().getPort());
        }
    }

    @Test
    void shouldNotProveAUnitThatIsAnother() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());
        ExportedUnit known =
                new ExportedUnit(DISK.target(), 0, UUID.randomUUID().toString(), 1, false);
        target.unit = Optional.of(UUID.randomUUID());
        assertThat(proveUnit(known)).contains("another unit").contains(known.uuid());
        assertThat(target.commands).as("nothing was read or written").hasValue(1);

        target.unit = Optional.of(UUID.fromString(known.uuid()));
        assertThat(proveUnit(known)).isEmpty();
        target.unit = Optional.empty();
        assertThat(proveUnit(known)).as("one that does not tell").isEmpty();
    }

    private String proveUnit(ExportedUnit unit) throws Exception {
        CompletableFuture<String> answer = new CompletableFuture<>();
        loop.execute(() -> watch.proveUnits(List.of(unit), Set.of(), answer::complete));
        return answer.get(5, TimeUnit.SECONDS);
    }

    @Test
    void shouldNotGoToALoopbackPortalOfAnotherHost() throws Exception {
        InetAddress own = NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(candidate -> candidate instanceof Inet4Address && !candidate.isLoopbackAddress())
                .findFirst()
                .orElse(null);
        assumeThat(own).as("an address beside loopback").isNotNull();
        target = new FakeTarget();
        try (LogLines log = LogLines.of(ServerWatch.class)) {
            portals = List.of("127.0.0.1:" + target.address().getPort());
            server = ControlServer.start(new InetSocketAddress(own, 0), this::description, BEATING);
            watch();

            await().until(() -> log.contain("it names no iSCSI portal that can be reached from here"));
            assertThat(target.accepted).hasValue(0);
        }
    }

    @Test
    void shouldNotTakeAServerForLostThatHangsUpWhileItsHeartBeats() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());

        target.hangsUp = true;

        assertThat(prove()).isTrue();
        assertThat(heard).doesNotContain("lost SILENT", "lost ENDING");
    }

    @Test
    void shouldLetALoginWaitWhileTheServerMayBeDying() throws Exception {
        start(new ControlSettings(300, 5_000, 3_600_000, 8, 64 * 1024));
        awaitHeard("serves vios1 " + target.address().getPort());
        target.hangsUp = true;
        int before = target.accepted.get();

        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        loop.execute(() -> watch.prove(answer::complete));
        await().pollInterval(Duration.ofMillis(1)).until(() -> target.accepted.get() > before);
        // The listening socket of a dying process is closed before its control connection: what follows is the death.
        server.close();

        assertThat(answer.get(5, TimeUnit.SECONDS)).isFalse();
        assertThat(heard).contains("lost ENDED").doesNotContain("lost SILENT");
    }

    @Test
    void shouldAskTheServerOnceForPortalsThatDoubtAtTheSameTime() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());
        int before = target.logins.size();

        CompletableFuture<Boolean> one = new CompletableFuture<>();
        CompletableFuture<Boolean> two = new CompletableFuture<>();
        loop.execute(() -> {
            watch.prove(one::complete);
            watch.prove(two::complete);
        });

        assertThat(one.get(5, TimeUnit.SECONDS)).isTrue();
        assertThat(two.get(5, TimeUnit.SECONDS)).isTrue();
        assertThat(target.logins).hasSize(before + 1);
    }

    @Test
    void shouldNotHoldTheSilenceOfALostServerAgainstTheNextOne() throws Exception {
        start(BEATING);
        String serves = "serves vios1 " + target.address().getPort();
        awaitHeard(serves);
        int port = server.localAddress().getPort();
        target.answersLogins = false;
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        loop.execute(() -> watch.prove(answer::complete));

        server.close();
        awaitHeard("lost ENDED");
        target.answersLogins = true;
        serve(BEATING, port);
        await().pollInterval(Duration.ofMillis(5))
                .until(() -> heard.stream().filter(serves::equals).count() == 2);
        assertThat(answer).as("told with the loss").isCompletedWithValue(false);

        await().during(Duration.ofMillis(SETTINGS.probeLimitMs() + 200L))
                .until(() ->
                        heard.stream().filter(what -> what.startsWith("lost")).count() == 1);
    }

    @Test
    void shouldTellSessionsAndDepartures() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());

        server.sessionOpened(SESSION);
        server.sessionClosed(SESSION);
        var outcome = server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofMillis(300));

        awaitHeard("going PLANNED_STOP");
        assertThat(heard).containsSubsequence("opened iqn.i:vm", "closed iqn.i:vm", "going PLANNED_STOP");
        assertThat(outcome.get(5, TimeUnit.SECONDS).complete()).isFalse();
    }

    @Test
    void shouldTellADepartureThatWasAnnouncedBeforeThePortalAnswered() throws Exception {
        target = new FakeTarget();
        target.answersLogins = false;
        serve(BEATING, 0);
        server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(20));
        watch();

        awaitHeard("going PLANNED_STOP");
        target.answersLogins = true;
        await().during(Duration.ofMillis(500)).until(() -> heard.size() == 1);
    }

    @Test
    void shouldTellADepartureAfterTheServerThatGoes() throws Exception {
        target = new FakeTarget();
        serve(BEATING, 0);
        server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofSeconds(20));
        watch();

        awaitHeard("going PLANNED_STOP");
        assertThat(heard).containsExactly("serves vios1 " + target.address().getPort(), "going PLANNED_STOP");
    }

    @Test
    void shouldTellThatAServerServesWhichAnnouncedToGoAndStayed() throws Exception {
        start(BEATING);
        awaitHeard("serves vios1 " + target.address().getPort());
        heard.clear();

        assertThat(server.announce(ServerMessage.Reason.PLANNED_STOP, Duration.ofMillis(50)))
                .succeedsWithin(Duration.ofSeconds(5));

        awaitHeard("serves vios1 " + target.address().getPort());
    }

    @Test
    void shouldTryOnWhenNothingListens() throws Exception {
        start(BEATING);
        int port = server.localAddress().getPort();
        awaitHeard("serves vios1 " + target.address().getPort());
        server.close();
        awaitHeard("lost ENDED");
        heard.clear();

        await().during(Duration.ofMillis(400)).until(heard::isEmpty);
        serve(BEATING, port);

        awaitHeard("serves vios1 " + target.address().getPort());
    }

    @Test
    void shouldSayThatItWasGivenAnIscsiPortalAndAskItSeldom() throws Exception {
        try (LogLines log = LogLines.of(ServerWatch.class)) {
            target = new FakeTarget();
            watch(target.address());

            await().until(() -> log.contain("that is an iSCSI portal"));
            assertThat(log.lines())
                    .filteredOn(line -> line.contains("trying on"))
                    .hasSizeLessThanOrEqualTo(2);
            int before = target.accepted.get();
            await().during(Duration.ofMillis(1_500)).until(() -> target.accepted.get() - before < 6);
        }
    }

    @Test
    void shouldFindTheServerThatTakesThePlaceOfAnIscsiPortal() throws Exception {
        try (LogLines log = LogLines.of(ServerWatch.class);
                FakeTarget wrong = new FakeTarget()) {
            target = new FakeTarget();
            watch(wrong.address());
            await().until(() -> log.contain("that is an iSCSI portal"));
            wrong.die();

            serve(BEATING, wrong.address().getPort());

            awaitHeard("serves vios1 " + target.address().getPort());
        }
    }

    @Test
    void shouldSayInWordsThatNothingListens() throws Exception {
        try (LogLines log = LogLines.of(ServerWatch.class)) {
            target = new FakeTarget();
            target.die();
            watch(target.address());

            await().until(() -> log.contain("connection refused: nothing listens there; trying on"));
        }
    }

    @Test
    void shouldBreakTheConnectionsOfAProcessToAnAddress() throws Exception {
        start(BEATING);
        int pid = (int) ProcessHandle.current().pid();
        try (java.net.Socket victim = new java.net.Socket(
                        target.address().getAddress(), target.address().getPort());
                java.net.Socket other = new java.net.Socket(
                        server.localAddress().getAddress(),
                        server.localAddress().getPort())) {
            assertThat(ProcessSockets.established(pid))
                    .anyMatch(socket -> socket.local().getPort() == victim.getLocalPort());

            int broken = ConnectionBreaker.breakConnections(pid, target.address());

            assertThat(broken).isPositive();
            victim.setSoTimeout(5_000);
            assertThat(victim.getInputStream().read()).isEqualTo(-1);
            assertThat(other.getInputStream().available()).isNotNegative();
            other.getOutputStream().write('\n');
        }
    }

    @Test
    void shouldNotBreakAnotherSocketThatHasTheNumberByNow() throws Exception {
        start(BEATING);
        int pid = (int) ProcessHandle.current().pid();
        try (java.net.Socket other = new java.net.Socket(
                target.address().getAddress(), target.address().getPort())) {
            ProcessSockets.TcpSocket now = ProcessSockets.established(pid).stream()
                    .filter(socket -> socket.local().getPort() == other.getLocalPort())
                    .findFirst()
                    .orElseThrow();
            ProcessSockets.TcpSocket listed =
                    new ProcessSockets.TcpSocket(now.descriptor(), "1", now.local(), now.remote());

            assertThat(ConnectionBreaker.shutDown(pid, listed)).isEqualTo(ConnectionBreaker.Outcome.GONE);

            other.getOutputStream().write(0);
            assertThat(ConnectionBreaker.shutDown(pid, now)).isEqualTo(ConnectionBreaker.Outcome.BROKEN);
        }
    }

    @Test
    void shouldAskTheServerAboutAUnitThatDoesNotLetItIn() throws Exception {
        start(BEATING, PATIENT);
        server.provedBy((unit, initiators, answer) -> {
            answer.accept(unit.name() + " is reserved, and not by " + initiators);
            return () -> {};
        });
        awaitHeard("serves vios1 " + target.address().getPort());
        target.answers.put(READ, new ArrayDeque<>(List.of(FakeTarget.Answer.sense(5, 0x25, 0))));

        CompletableFuture<String> answer = new CompletableFuture<>();
        loop.execute(() -> watch.proveUnits(List.of(DISK), Set.of("iqn.vm"), answer::complete));

        assertThat(answer.get(40, TimeUnit.SECONDS))
                .isEqualTo("iqn.t:disk/0: iqn.t:disk/0 is reserved, and not by [iqn.vm]");
    }

    // ------------------------------------------------------------------ builders

    private void start(ControlSettings settings) throws IOException {
        start(settings, SETTINGS);
    }

    private void start(ControlSettings settings, WatchSettings watched) throws IOException {
        target = new FakeTarget();
        serve(settings, 0);
        watch(server.localAddress(), watched);
    }

    /**
     * A server that was seen to serve, and is gone.
     *
     * @return the control port at which the watch awaits the next one
     */
    private int startAndLose() throws IOException {
        return startAndLose(SETTINGS);
    }

    private int startAndLose(WatchSettings watched) throws IOException {
        start(BEATING, watched);
        awaitHeard("serves vios1 " + target.address().getPort());
        int port = server.localAddress().getPort();
        server.close();
        awaitHeard("lost ENDED");
        heard.clear();
        return port;
    }

    private void serve(ControlSettings settings, int port) throws IOException {
        server = ControlServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port), this::description, settings);
    }

    private ServerDescription description() {
        beforeWelcome.run();
        List<String> named =
                portals.isEmpty() ? List.of("0.0.0.0:" + target.address().getPort()) : portals;
        return new ServerDescription("vios1", named, List.of(disk));
    }

    private void watch() {
        watch(server.localAddress());
    }

    private void watch(InetSocketAddress control) {
        watch(control, SETTINGS);
    }

    private void watch(InetSocketAddress control, WatchSettings settings) {
        watch = new ServerWatch(
                loop,
                control,
                new AgentMessage.Hello("test", ControlProtocol.VERSION, List.of()),
                new ProbeIdentity("iqn.t:agent", Optional.empty()),
                settings,
                BEATING,
                this);
        watch.start();
    }

    private boolean prove() throws Exception {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        loop.execute(() -> watch.prove(answer::complete));
        return answer.get(5, TimeUnit.SECONDS);
    }

    private void awaitHeard(String what) {
        await(what).atMost(Duration.ofSeconds(40)).until(() -> heard.contains(what));
    }

    @Override
    public void serves(ServerView view, InetSocketAddress portal, List<IscsiSession> sessions) {
        heard.add("serves " + view.description().name() + " " + portal.getPort());
    }

    @Override
    public void lost(String why, ServerLoss how) {
        heard.add("lost " + how);
    }

    @Override
    public List<ExportedUnit> unitsWaitedFor() {
        return waitedFor;
    }

    @Override
    public void goingAway(ServerMessage.GoingAway announcement) {
        heard.add("going " + announcement.reason());
    }

    @Override
    public void unitsChanged(ServerView now, ServerMessage.UnitsChanged change) {
        heard.add("units "
                + now.description().units().stream().map(ExportedUnit::name).toList());
    }

    @Override
    public void sessionOpened(IscsiSession session) {
        heard.add("opened " + session.initiator());
    }

    @Override
    public void sessionClosed(IscsiSession session) {
        heard.add("closed " + session.initiator());
    }
}
