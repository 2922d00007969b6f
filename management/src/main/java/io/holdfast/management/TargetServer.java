package io.holdfast.management;

import io.holdfast.block.FileBackend;
import io.holdfast.block.FileWatch;
import io.holdfast.block.ImageClosing;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoPool;
import io.holdfast.control.AnnouncementOutcome;
import io.holdfast.control.ControlServer;
import io.holdfast.control.ControlSettings;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.ServerMessage;
import io.holdfast.control.VmOutcome;
import io.holdfast.iscsi.EventLoops;
import io.holdfast.iscsi.IoWay;
import io.holdfast.iscsi.IscsiServer;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.iscsi.SessionTraffic;
import io.holdfast.management.config.ConfigException;
import io.holdfast.management.config.Portal;
import io.holdfast.management.config.ServeConfig;
import io.holdfast.management.config.ServeRequest;
import io.holdfast.management.plane.PlaneState;
import io.holdfast.management.served.ClientSecrets;
import io.holdfast.management.served.ServedFabric;
import io.holdfast.management.served.ServedLus;
import io.holdfast.management.systemd.PassedPorts;
import io.holdfast.management.systemd.ServiceManager;
import io.holdfast.net.Addresses;
import io.holdfast.net.Spans;
import io.holdfast.npiv.Client;
import io.holdfast.scsi.LogicalUnit;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server put together: images, logical units, portals, the agents' connection. Starts in the order that lets it serve
 * soonest, and stops in the order that loses nothing.
 *
 * <pre>
 *   start:  control port listens ──► exports, state ──► portals listen ──► agents are welcomed ──► (later) images of LUs, native library
 *   stop:   tell agents ──► wait until they have frozen ──► portals ──► running commands end ──► flush ──► images
 * </pre>
 */
final class TargetServer implements ServiceManager.Service {
    private static final Logger log = LoggerFactory.getLogger(TargetServer.class);
    /** How long running commands may take to end when the server stops, or an export is removed. */
    static final Duration COMMANDS_LIMIT = Duration.ofSeconds(5);

    /** How long proofs of units, of which each is two commands, may take to end then. */
    private static final Duration PROOFS_LIMIT = Duration.ofSeconds(1);

    /** What else may take its time when the server stops. */
    private static final Duration STOP_RESERVE = Duration.ofSeconds(5);

    /** As the server was started, but for what {@link #reload} has changed since. */
    private final ServeConfig config;

    private volatile Duration stopLimit;
    private final PassedPorts passed;
    // Guarded by this, after the start.
    private ServeRequest request;
    /** How many sessions each target has. */
    private final Map<String, Integer> sessions = new ConcurrentHashMap<>();

    private final ServedExports exports;
    private final ServedLus lus;
    private final ServedFabric fabric;
    private final IoPool pool;
    private volatile @Nullable EventLoops loops;
    private @Nullable IscsiServer iscsi;
    private @Nullable DataPathPulse pulse;
    private @Nullable FileWatch watch;
    private volatile @Nullable ControlServer control;
    private final UnitWatch unitWatch = new UnitWatch(this::toldAgents, this::unitsResized);
    private final WatchedLus watchedLus;

    private final RaisedEvents raisedEvents = new RaisedEvents();
    private final RegisteredActions registeredActions = new RegisteredActions();
    private volatile @Nullable ControlSide operators;
    private final UnitsTold unitsTold = new UnitsTold(() -> control, this::exportedUnits);
    private final ServedProofs proofs = new ServedProofs(this::anyLane, this::unitAt);
    private final LiveServer live;
    private boolean startFailed;
    private final CountDownLatch stopped = new CountDownLatch(1);

    private TargetServer(ServeRequest request, PassedPorts passed) throws ConfigException {
        this.request = request;
        this.config = request.judged();
        this.stopLimit = config.stopLimit();
        this.passed = passed;
        this.pool = new IoPool(config.ioThreads(), IoPool.MAX_WAITING);
        this.exports = new ServedExports(config, unitWatch, pool);
        this.watchedLus = new WatchedLus(exports, unitWatch, pool, this::targetsOf, this::fileOf);
        this.lus = new ServedLus(watchedLus);
        this.live = new LiveServer(lus, this::agents, this::exportNames, this::boundPortals);
        this.fabric = new ServedFabric(
                config.namePrefix() + ":",
                lus,
                config.exports().isEmpty() ? ClientSecrets.Strangers.ASKED : ClientSecrets.Strangers.WELCOME,
                denied -> {});
    }

    /**
     * Opens everything and serves. When this returns, logins are answered.
     *
     * @throws ConfigException if a setting does not fit this machine
     * @throws IOException if an image cannot be opened or an address cannot be bound; nothing is left open then
     */
    static TargetServer start(ServeRequest request) throws ConfigException, IOException {
        return start(request, PassedPorts.none());
    }

    /** The same at sockets that listen already, where there are any. */
    static TargetServer start(ServeRequest request, PassedPorts passed) throws ConfigException, IOException {
        TargetServer server = new TargetServer(request, passed);
        IoWay way = way(server.config.io());
        try {
            server.listenEarly();
            server.openUnits();
            server.listen(way);
            return server;
        } catch (IOException | RuntimeException | LinkageError e) {
            server.startFailed = true;
            server.releaseAfter(e);
            throw e;
        }
    }

    /** What made the start fail may make the release fail too; the first failure is the one to tell. */
    private void releaseAfter(Throwable failure) {
        try {
            release();
        } catch (RuntimeException | LinkageError e) {
            failure.addSuppressed(e);
        }
    }

    private static IoWay way(String text) throws ConfigException {
        if (text.equals("auto")) {
            return IoWay.best();
        }
        for (IoWay way : IoWay.values()) {
            if (way.label().equals(text)) {
                if (!way.obstacle().isEmpty()) {
                    throw new ConfigException("io '" + text + "' cannot be used on this machine: " + way.obstacle());
                }
                return way;
            }
        }
        throw new ConfigException("io '" + text + "' is not auto, ring or portable");
    }

    private void openUnits() throws IOException {
        exports.open();
        if (config.state().isPresent()) {
            operators = ControlSide.open(
                    config,
                    config.state().get(),
                    fabric.alsoShowing(raisedEvents::show).alsoShowing(registeredActions::show));
        }
    }

    private void listen(IoWay way) throws IOException {
        EventLoops started = EventLoops.start(way, config.eventLoops(), config.spinMicros(), pool);
        loops = started;
        pulse = new DataPathPulse(started);
        IscsiServer server = IscsiServer.start(
                config.portals().stream()
                        .map(portal -> new IscsiServer.Portal(
                                portal.address(),
                                fabric.directory(exports.directory(portal.group())),
                                passed.take(portal.address())))
                        .toList(),
                started,
                new ToAgents(),
                config.iscsi());
        iscsi = server;
        fabric.sessionsEndBy(server::endSessions);
        fabric.portalsAt(boundPortals());
        ControlServer early = control;
        ControlServer port = early == null ? listenForAgents() : early;
        control = port;
        registeredActions.tellTo(port);
        port.provedBy(proofs);
        port.serve(() -> describe(server));
        raisedEvents.tellTo(UnitWatch.of(port));
        log.info("serving {}, {} I/O, {}", units(), way.label(), count(config.eventLoops(), "event loop"));
    }

    /**
     * Before anything else: agents are there already when there is something to tell them. An address that cannot be had is
     * told in its turn, after images and portals: one that is wrong for the portals is wrong here too.
     */
    private void listenEarly() {
        try {
            control = listenForAgents();
        } catch (IOException e) {
            log.debug("the control port does not listen yet: {}", e.getMessage());
        }
    }

    private ControlServer listenForAgents() throws IOException {
        // The transport of the portals: the JDK's own would have to be loaded beside it.
        EventLoopGroup own = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("control-server", true), EpollIoHandler.newFactory());
        OptionalInt socket = passed.take(config.control());
        return socket.isPresent()
                ? ControlServer.adopt(
                        own, () -> new EpollServerSocketChannel(socket.getAsInt()), ControlSettings.DEFAULT)
                : ControlServer.open(config.control(), own, EpollServerSocketChannel::new, ControlSettings.DEFAULT);
    }

    private ServerDescription describe(IscsiServer server) {
        return new ServerDescription(
                config.namePrefix(),
                server.portals().stream().map(Addresses::print).toList(),
                config.portals().stream().map(Portal::group).toList(),
                exportedUnits());
    }

    /** Where portals listen whose setting says any TCP port, by that setting. */
    private Map<String, String> boundPortals() {
        Map<String, String> bound = new HashMap<>();
        List<InetSocketAddress> listening = portals();
        for (int i = 0; i < listening.size(); i++) {
            InetSocketAddress asked = config.portals().get(i).address();
            if (asked.getPort() == 0) {
                bound.putIfAbsent(Addresses.print(asked), Addresses.print(listening.get(i)));
            }
        }
        return bound;
    }

    private List<ExportedUnit> exportedUnits() {
        List<ExportedUnit> exported = new ArrayList<>(fabric.exported());
        exports.units()
                .forEach(unit -> exported.add(new ExportedUnit(
                        unit.target().name(),
                        ServedUnit.LUN,
                        unit.uuid().toString(),
                        unit.backend().sizeBytes(),
                        unit.backend().readOnly())));
        return exported;
    }

    /** An image that was cut or made larger by hand: agents judge by the size whether it is still their VM's disk. */
    private void unitsResized() {
        unitsTold.changed();
    }

    /** What initiators see is something else than before. Not on an event loop. */
    private void servedChanged() {
        unitsTold.changed();
        PlaneState state = fabric.shown();
        if (state != null) {
            Set<UUID> there = new HashSet<>(exportNames().keySet());
            state.backings().values().forEach(lu -> there.add(lu.uuid()));
            Set<String> clients =
                    state.fabric().clients().stream().map(Client::name).collect(Collectors.toSet());
            live.forgetAllBut(there::contains, name -> name.isEmpty() || clients.contains(name));
        }
    }

    private Map<UUID, String> exportNames() {
        return exports.units().stream()
                .collect(
                        Collectors.toMap(ServedUnit::uuid, unit -> unit.target().name()));
    }

    private List<String> targetsOf(String lu) {
        return fabric.targetsOf(lu);
    }

    private @Nullable LogicalUnit unitAt(String target, int lun) {
        LogicalUnit exported = exports.unitAt(target, lun);
        return exported == null ? fabric.unitAt(target, lun) : exported;
    }

    private @Nullable IoLane anyLane() {
        EventLoops running = loops;
        return running == null ? null : running.anyLane();
    }

    private @Nullable FileBackend fileOf(String lu) {
        return lus.file(lu);
    }

    private UnitWatch.@Nullable Agents toldAgents() {
        ControlServer port = control;
        return port == null ? null : UnitWatch.of(port);
    }

    private Optional<ControlServer> agents() {
        return Optional.ofNullable(control);
    }

    /** On an event loop. */
    private void refused(SessionEvents.RefusedLogin login, int unheard) {
        live.refused(login.status());
        ControlSide people = operators;
        if (people != null && unheard >= 0) {
            String more = unheard == 0 ? "" : "; " + unheard + " more times since this was told last";
            people.plane().tell("login-refused", login.initiatorName(), login.text() + more);
        }
    }

    private void tell(String type, SessionEvents.Session session) {
        ControlSide people = operators;
        if (people != null) {
            String text = session.initiatorName() + " from " + session.peer() + " at " + session.targetName();
            people.plane().tell(type, session.initiatorName(), text);
        }
    }

    /** What need not stand between exec and serving: binding the native library, which makes file I/O quick. */
    void finishStart() {
        IoLane lane = Objects.requireNonNull(loops, "not serving").anyLane();
        exports.finishStart(lane);
        lus.bindNative();
        lus.openAnnounced();
        lus.resumeSanitizing(lane);
        fabric.tellChanges(() -> {
            watchedLus.forgetAllBut(lu -> lus.lu(lu) != null);
            servedChanged();
        });
        servedChanged();
        watch = FileWatch.start(this::files, pool);
        unitWatch.start();
    }

    /** Lets people in, if there is a control plane. */
    void openToOperators() {
        ControlSide people = operators;
        if (people != null) {
            people.startApi(live);
        }
    }

    private void closeToOperators() {
        ControlSide people = operators;
        operators = null;
        if (people != null) {
            people.close();
        }
    }

    private List<FileBackend> files() {
        List<FileBackend> files = new ArrayList<>(lus.files());
        exports.units().forEach(unit -> files.add(unit.backend()));
        return files;
    }

    // ------------------------------------------------------------------ reload

    /**
     * Takes over what can change while sessions run: exports that are new are served, those that are gone end with their
     * sessions. What cannot change is named in the log, and so is an export that cannot be opened. After
     * {@link #finishStart}; not on an event loop.
     *
     * @throws ConfigException if the server could not have started with it; nothing has changed then
     */
    synchronized void reload(ServeRequest next) throws ConfigException {
        ServeConfig judged = next.judged();
        ServeRequest.Change change = next.since(
                request, exports.units().stream().map(ServedUnit::export).toList());
        if (!change.needRestart().isEmpty()) {
            log.warn("needs a restart, and stays as it was: {}", String.join(", ", change.needRestart()));
        }
        stopLimit = judged.stopLimit();
        exports.accounts(judged.iscsi().chap());
        exports.remove(change.removed(), new SessionsAtTargets());
        change.added().forEach(exports::add);
        servedChanged();
        // What needs a restart is named again by the next reload, as long as it is asked for.
        request = new ServeRequest(request.values(), next.exports());
        log.info("the settings have been taken over: {}", status());
    }

    @Override
    public String status() {
        ControlServer agents = control;
        return "serving " + units() + " to "
                + count(sessions.values().stream().mapToInt(Integer::intValue).sum(), "session") + ", "
                + count(agents == null ? 0 : agents.agents().size(), "agent");
    }

    private String units() {
        return count(exports.units().size() + lus.names().size(), "logical unit");
    }

    private static String count(int number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    @Override
    public CompletableFuture<?> pulse() {
        return Objects.requireNonNull(pulse, "not serving").beat(files());
    }

    /** How long {@link #stop} may take at most. */
    Duration stopLimit() {
        return stopLimit
                .plus(COMMANDS_LIMIT.multipliedBy(2))
                .plus(ServedExports.CLOSING_LIMIT)
                .plus(STOP_RESERVE);
    }

    /** Where initiators log in. */
    List<InetSocketAddress> portals() {
        IscsiServer server = iscsi;
        return server == null ? List.of() : server.portals();
    }

    /** Where agents connect. */
    InetSocketAddress controlAddress() {
        return Objects.requireNonNull(control, "not serving").localAddress();
    }

    /** One line per logical unit, then how to use them. */
    void printTo(PrintWriter out) {
        IscsiServer server = iscsi;
        ControlServer agents = control;
        if (server == null || agents == null) {
            return;
        }
        new ServingNotice(exports.units(), server.portals(), agents.localAddress(), config.namePrefix()).printTo(out);
        out.flush();
    }

    /** A planned stop: no VM meets it unprepared, no acknowledged write is lost. */
    void stop() {
        // Before the guests stand still, because it can: each of its milliseconds would be one of theirs.
        closeToOperators();
        announce();
        release();
        log.info("stopped");
        stopped.countDown();
    }

    /** Waits until {@link #stop} is done: every thread of the server is a daemon, this one keeps the program alive. */
    void awaitStop() {
        awaitStop(Duration.ofMillis(Long.MAX_VALUE));
    }

    /** @return false if the limit passed first */
    boolean awaitStop(Duration limit) {
        try {
            return stopped.await(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Tells the agents that the server stops, and waits for their word. */
    void announce() {
        ControlServer agents = control;
        if (agents == null) {
            return;
        }
        try {
            Duration limit = stopLimit;
            AnnouncementOutcome outcome = agents.announce(ServerMessage.Reason.PLANNED_STOP, limit)
                    .get(limit.toMillis() + 1000, TimeUnit.MILLISECONDS);
            if (outcome.complete() && outcome.answered().isEmpty()) {
                log.debug("there are no agents to be told of the stop");
            } else if (outcome.complete()) {
                log.info(
                        "agents answered within {}: {}", Spans.print(outcome.elapsedMs()), inWords(outcome.answered()));
            } else {
                log.warn(
                        "going without the word of {} after {}",
                        outcome.unanswered(),
                        Spans.print(outcome.elapsedMs()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            log.warn("agents could not be told of the stop: {}", e.toString());
        }
    }

    /** {@code agent-17: web1 is frozen, db1 was paused before; agent-18: …}. */
    static String inWords(Map<String, List<VmOutcome>> answered) {
        return answered.entrySet().stream()
                .map(agent -> agent.getKey() + ": "
                        + agent.getValue().stream().map(TargetServer::inWords).collect(Collectors.joining(", ")))
                .collect(Collectors.joining("; "));
    }

    private static String inWords(VmOutcome vm) {
        return vm.vm()
                + switch (vm.state()) {
                    case FROZEN -> " is frozen";
                    case ALREADY_PAUSED -> " was paused before";
                    case ABSENT -> " does not run";
                    case FAILED -> " could not be frozen (" + vm.detail() + ")";
                };
    }

    /** Closes whatever is open, in the order that loses nothing. */
    private void release() {
        closeToOperators();
        proofs.close();
        lus.stopOpening();
        exports.stopSanitizing();
        lus.stopSanitizing();
        IscsiServer server = iscsi;
        boolean ended = server == null || server.stop(COMMANDS_LIMIT);
        if (!ended) {
            log.warn("some commands did not end within {} s", COMMANDS_LIMIT.toSeconds());
        }
        ended &= proofs.awaitEnd(PROOFS_LIMIT);
        ControlServer agents = control;
        if (agents != null) {
            agents.close();
        }
        unitWatch.close();
        FileWatch watching = watch;
        if (watching != null) {
            watching.close();
        }
        ended &= pool.close(COMMANDS_LIMIT);
        if (ended) {
            if (startFailed) {
                exports.removeCreated();
            }
            ImageClosing closing = new ImageClosing();
            exports.close(closing);
            lus.close(closing);
            // A disk that hangs must not keep the server from ending.
            closing.await(ServedExports.CLOSING_LIMIT);
            exports.closeIdentities();
        } else {
            // A write that the kernel still carries out must keep its lock until it has landed, or the next server
            // would
            // be overwritten by it. The kernel gives the lock back when the last thread of this process has ended.
            log.warn("images stay locked until what runs has ended");
        }
        EventLoops running = loops;
        if (running != null) {
            running.close();
        }
    }

    /** What is asked of sessions when their target goes. */
    private final class SessionsAtTargets implements ServedExports.Sessions {
        @Override
        public void end(Set<String> targets) {
            Objects.requireNonNull(iscsi, "not serving")
                    .endSessions(session -> targets.contains(session.targetName()), "its export was removed");
        }

        @Override
        public boolean areAt(String target) {
            return sessions.containsKey(target);
        }
    }

    /** Tells agents of sessions. */
    private final class ToAgents implements SessionEvents {
        @Override
        public void opened(Session session, SessionTraffic traffic) {
            sessions.merge(session.targetName(), 1, Integer::sum);
            live.opened(session, traffic);
            tell("session-opened", session);
            ControlServer agents = control;
            if (agents != null) {
                agents.sessionOpened(asAgentsSeeIt(session));
            }
        }

        @Override
        public void parted(Session session, UUID unit) {
            live.parted(session, unit);
        }

        @Override
        public void refused(RefusedLogin login, int unheard) {
            TargetServer.this.refused(login, unheard);
        }

        @Override
        public void closed(Session session) {
            sessions.computeIfPresent(session.targetName(), (target, count) -> count > 1 ? count - 1 : null);
            live.closed(session);
            tell("session-closed", session);
            ControlServer agents = control;
            if (agents != null) {
                agents.sessionClosed(asAgentsSeeIt(session));
            }
        }
    }

    private static IscsiSession asAgentsSeeIt(SessionEvents.Session session) {
        return new IscsiSession(session.initiatorName(), session.isid(), session.targetName(), session.peer());
    }
}
