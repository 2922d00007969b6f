package io.holdfast.management;

import io.holdfast.block.BackendException;
import io.holdfast.block.BlockBackend;
import io.holdfast.block.FileBackend;
import io.holdfast.block.FileOptions;
import io.holdfast.block.FileWatch;
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
import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.management.config.ConfigException;
import io.holdfast.management.config.Export;
import io.holdfast.management.config.Portal;
import io.holdfast.management.config.ServeConfig;
import io.holdfast.management.config.ServeRequest;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.management.served.ClientSecrets;
import io.holdfast.management.served.ServedFabric;
import io.holdfast.management.served.ServedLus;
import io.holdfast.management.systemd.PassedPorts;
import io.holdfast.management.systemd.ServiceManager;
import io.holdfast.net.Addresses;
import io.holdfast.npiv.LoginDecision;
import io.holdfast.scsi.FileReservationStore;
import io.holdfast.scsi.FixedLunView;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import io.holdfast.scsi.Lun;
import io.holdfast.scsi.ReservationStore;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server put together: images, logical units, portals, the agents' connection. Starts in the order that lets it serve
 * soonest, and stops in the order that loses nothing.
 *
 * <pre>
 *   start:  images ──► logical units ──► portals listen ──► agents' connection ──► (later) native library
 *   stop:   tell agents ──► wait until they have frozen ──► portals ──► running commands end ──► flush ──► images
 * </pre>
 */
final class TargetServer implements ServiceManager.Service {
    private static final Logger log = LoggerFactory.getLogger(TargetServer.class);
    /** Where in the state directory. */
    private static final String RESERVATIONS = "reservations";
    /** How long running commands may take to end when the server stops. */
    private static final Duration COMMANDS_LIMIT = Duration.ofSeconds(5);

    private static final int SESSIONS_LOOK_MS = 20;
    /** For flushing and closing images when the server stops. */
    private static final Duration STOP_RESERVE = Duration.ofSeconds(15);

    /** As the server was started, but for what {@link #reload} has changed since. */
    private final ServeConfig config;

    private volatile Duration stopLimit;
    private final PassedPorts passed;
    // Guarded by this, after the start.
    private ServeRequest request;
    /** How many sessions each target has. */
    private final Map<String, Integer> sessions = new ConcurrentHashMap<>();

    private final List<ServedUnit> units = new CopyOnWriteArrayList<>();
    private final List<ExportDirectory> directories = new ArrayList<>();
    /** Removed while commands of theirs were running, which have not ended yet. */
    private final List<ServedUnit> leaving = new CopyOnWriteArrayList<>();

    private final ServedLus lus = new ServedLus(this::unitOf);
    private final ServedFabric fabric;
    /** Every initiator sees every export, so it may copy between all of them. */
    private final List<LogicalUnit> copyable = new CopyOnWriteArrayList<>();

    private final IoPool pool;
    private @Nullable UnitIdentities identities;
    private @Nullable EventLoops loops;
    private @Nullable IscsiServer iscsi;
    private @Nullable DataPathPulse pulse;
    private @Nullable FileWatch watch;
    private volatile @Nullable ControlServer control;
    private final UnitWatch unitWatch = new UnitWatch(() -> control);
    private volatile @Nullable ControlSide operators;
    private final LiveServer live = new LiveServer(lus, this::agents);
    private boolean startFailed;
    private final CountDownLatch stopped = new CountDownLatch(1);

    private TargetServer(ServeRequest request, PassedPorts passed) throws ConfigException {
        this.request = request;
        this.config = request.judged();
        this.stopLimit = config.stopLimit();
        this.passed = passed;
        this.pool = new IoPool(config.ioThreads(), IoPool.MAX_WAITING);
        this.fabric = new ServedFabric(
                config.namePrefix() + ":",
                lus,
                config.exports().isEmpty() ? ClientSecrets.Strangers.ASKED : ClientSecrets.Strangers.WELCOME,
                this::refused);
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
        UnitIdentities loaded = UnitIdentities.load(config.state());
        identities = loaded;
        for (Export export : config.exports()) {
            units.add(open(export, loaded));
        }
        loaded.save();
        if (config.state().isPresent()) {
            operators = ControlSide.open(config, config.state().get(), fabric);
        }
    }

    private ServedUnit open(Export export, UnitIdentities identities) throws IOException {
        try {
            FileBackend backend = FileBackend.open(
                    export.path(),
                    new FileOptions(export.readOnly(), export.sizeBytes(), export.direct(), export.preallocate()));
            String name = config.namePrefix() + ":" + export.name();
            UUID uuid = identify(backend, identities, name, export);
            LogicalUnit.Builder builder = builder(uuid, backend, reservations(backend, uuid), export.blockBytes())
                    .storageListener(unitWatch.watch(name, backend, pool));
            if (export.writeThrough()) {
                builder.writeThrough();
            }
            if (export.removable()) {
                builder.removable();
            }
            LogicalUnit unit = builder.build();
            copyable.add(unit);
            IscsiTarget target = new IscsiTarget(
                    name, config.portals().get(0).group(), new FixedLunView(Map.of(ServedUnit.LUN, unit), copyable));
            return new ServedUnit(export, target, uuid, backend);
        } catch (BackendException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private LogicalUnit.Builder builder(
            UUID uuid, BlockBackend backend, ReservationStore reservations, int blockBytes) {
        return LogicalUnit.builder(LogicalUnitIdentity.of(uuid), backend)
                .reservations(reservations)
                .targetPorts(config.portals().stream().map(Portal::group).toList())
                .taskManagement(IscsiServer.TASK_MANAGEMENT)
                .blockBytes(blockBytes);
    }

    /** The logical unit of an LU that the control plane knows. */
    private LogicalUnit unitOf(LuBacking lu, BlockBackend backend) {
        try {
            LogicalUnit.Builder builder = builder(lu.uuid(), backend, reservations(lu.uuid()), lu.blockBytes());
            if (lu.writeThrough()) {
                builder.writeThrough();
            }
            return builder.build();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static UUID identify(FileBackend backend, UnitIdentities identities, String name, Export export)
            throws IOException {
        Path path = export.path();
        try {
            return identities.of(
                    name,
                    path,
                    backend.created() ? UnitIdentities.Image.CREATED : UnitIdentities.Image.FOUND,
                    export.blockBytes());
        } catch (IOException e) {
            CreatedImage.remove(path, backend);
            backend.close();
            throw e;
        }
    }

    /** With a state directory reservations outlive the server; without one nothing is written anywhere. */
    private ReservationStore reservations(FileBackend backend, UUID uuid) throws IOException {
        try {
            return reservations(uuid);
        } catch (IOException e) {
            backend.close();
            throw e;
        }
    }

    private ReservationStore reservations(UUID uuid) throws IOException {
        return config.state().isEmpty()
                ? ReservationStore.inMemory()
                : FileReservationStore.open(config.state().get().resolve(RESERVATIONS), uuid);
    }

    private void listen(IoWay way) throws IOException {
        EventLoops started = EventLoops.start(way, config.eventLoops(), config.spinMicros(), pool);
        loops = started;
        pulse = new DataPathPulse(started);
        IscsiServer server = IscsiServer.start(
                config.portals().stream()
                        .map(portal -> new IscsiServer.Portal(
                                portal.address(),
                                fabric.directory(directory(portal.group())),
                                passed.take(portal.address())))
                        .toList(),
                started,
                new ToAgents(),
                config.iscsi());
        iscsi = server;
        fabric.sessionsEndBy(server::endSessions);
        control = listenForAgents(() -> describe(server));
        log.info("serving {} logical unit(s), {} I/O, {} event loops", units.size(), way.label(), config.eventLoops());
    }

    private ExportDirectory directory(int group) {
        ExportDirectory directory = new ExportDirectory(units, group);
        directories.add(directory);
        return directory;
    }

    private ControlServer listenForAgents(Supplier<ServerDescription> description) throws IOException {
        OptionalInt socket = passed.take(config.control());
        if (socket.isEmpty()) {
            return ControlServer.start(config.control(), description, ControlSettings.DEFAULT);
        }
        return ControlServer.adopt(
                new MultiThreadIoEventLoopGroup(
                        1, new DefaultThreadFactory("control-server", true), EpollIoHandler.newFactory()),
                () -> new EpollServerSocketChannel(socket.getAsInt()),
                description,
                ControlSettings.DEFAULT);
    }

    private ServerDescription describe(IscsiServer server) {
        List<ExportedUnit> exported = new ArrayList<>(fabric.exported());
        units.forEach(unit -> exported.add(new ExportedUnit(
                unit.target().name(),
                ServedUnit.LUN,
                unit.uuid().toString(),
                unit.backend().sizeBytes(),
                unit.backend().readOnly())));
        return new ServerDescription(
                config.namePrefix(),
                server.portals().stream().map(Addresses::print).toList(),
                exported);
    }

    private Optional<ControlServer> agents() {
        return Optional.ofNullable(control);
    }

    /** On an event loop. */
    private void refused(LoginDecision.Denied denied) {
        live.refused();
        ControlSide people = operators;
        if (people != null) {
            people.plane().tell("login-refused", denied.attempt().initiator(), denied.message());
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
        units.forEach(TargetServer::bindNative);
        lus.bindNative();
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

    private static void bindNative(ServedUnit unit) {
        try {
            unit.backend().bindNative();
        } catch (IOException | LinkageError e) {
            log.warn(
                    "{}: native I/O cannot be used, slower ways are: {}",
                    unit.export().path(),
                    e.getMessage());
        }
    }

    private List<FileBackend> files() {
        List<FileBackend> files = new ArrayList<>(lus.files());
        units.forEach(unit -> files.add(unit.backend()));
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
        ServeRequest.Change change =
                next.since(request, units.stream().map(ServedUnit::export).toList());
        if (!change.needRestart().isEmpty()) {
            log.warn("needs a restart, and stays as it was: {}", String.join(", ", change.needRestart()));
        }
        stopLimit = judged.stopLimit();
        directories.forEach(directory -> directory.accounts(judged.iscsi().chap()));
        remove(units.stream()
                .filter(unit -> change.removed().contains(unit.export().name()))
                .toList());
        change.added().forEach(this::add);
        // What needs a restart is named again by the next reload, as long as it is asked for.
        request = new ServeRequest(request.values(), next.exports());
        log.info("the settings have been taken over: {}", status());
    }

    private void add(Export export) {
        try {
            UnitIdentities known = Objects.requireNonNull(identities, "not started");
            ServedUnit unit = open(export, known);
            try {
                known.save();
            } catch (IOException e) {
                CreatedImage.remove(export.path(), unit.backend());
                unit.backend().close();
                throw e;
            }
            bindNative(unit);
            units.add(unit);
            directories.forEach(directory -> directory.show(units));
            log.info("{}: served from now on", unit.target().name());
        } catch (IOException e) {
            log.error("export {} cannot be served: {}", export.name(), e.getMessage());
        }
    }

    private void remove(List<ServedUnit> gone) {
        if (gone.isEmpty()) {
            return;
        }
        Set<String> names = gone.stream().map(unit -> unit.target().name()).collect(Collectors.toSet());
        units.removeAll(gone);
        directories.forEach(directory -> directory.show(units));
        copyable.removeAll(gone.stream().map(TargetServer::logicalUnit).toList());
        IscsiServer server = Objects.requireNonNull(iscsi, "not serving");
        long deadline = System.nanoTime() + COMMANDS_LIMIT.toNanos();
        do {
            // Again and again: one that is just beginning is met by the next look.
            server.endSessions(session -> names.contains(session.targetName()), "its export was removed");
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(SESSIONS_LOOK_MS));
        } while (sessions.keySet().stream().anyMatch(names::contains) && System.nanoTime() - deadline < 0);
        for (ServedUnit unit : gone) {
            if (sessions.containsKey(unit.target().name()) || !copiesEnded(unit, deadline)) {
                leaving.add(unit);
                log.warn(
                        "{}: not served any more; its image stays open and locked until the server stops, because commands"
                                + " have not ended within {} s",
                        unit.target().name(),
                        COMMANDS_LIMIT.toSeconds());
            } else {
                closeBackend(unit);
                log.info(
                        "{}: not served any more, its image is closed",
                        unit.target().name());
            }
        }
    }

    private static LogicalUnit logicalUnit(ServedUnit unit) {
        return (LogicalUnit) unit.target().luns().at(Lun.ofNumber(ServedUnit.LUN));
    }

    /** Copies for initiators of other exports. */
    private static boolean copiesEnded(ServedUnit unit, long deadlineNanos) {
        CountDownLatch ended = new CountDownLatch(1);
        logicalUnit(unit).awaitCopies(ended::countDown);
        try {
            return ended.await(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public String status() {
        ControlServer agents = control;
        return "serving " + count(files().size(), "logical unit") + " to "
                + count(sessions.values().stream().mapToInt(Integer::intValue).sum(), "session") + ", "
                + count(agents == null ? 0 : agents.agents().size(), "agent");
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
        return stopLimit.plus(COMMANDS_LIMIT.multipliedBy(2)).plus(STOP_RESERVE);
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
        new ServingNotice(List.copyOf(units), server.portals(), agents.localAddress(), config.namePrefix())
                .printTo(out);
        out.flush();
    }

    /** A planned stop: no VM meets it unprepared, no acknowledged write is lost. */
    void stop() {
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
                log.info("agents answered within {} ms: {}", outcome.elapsedMs(), inWords(outcome.answered()));
            } else {
                log.warn("going without the word of {} after {} ms", outcome.unanswered(), outcome.elapsedMs());
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
        ControlSide people = operators;
        if (people != null) {
            people.close();
        }
        lus.stopOpening();
        IscsiServer server = iscsi;
        boolean ended = server == null || server.stop(COMMANDS_LIMIT);
        if (!ended) {
            log.warn("some commands did not end within {} s", COMMANDS_LIMIT.toSeconds());
        }
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
            UnitIdentities locked = identities;
            if (startFailed && locked != null) {
                removeCreated(locked);
            }
            units.forEach(TargetServer::closeBackend);
            lus.close();
            leaving.forEach(TargetServer::closeBackend);
            if (locked != null) {
                locked.close();
            }
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

    private void removeCreated(UnitIdentities known) {
        units.stream()
                .filter(unit -> CreatedImage.remove(unit.export().path(), unit.backend()))
                .forEach(unit -> known.revert(unit.target().name()));
        try {
            known.save();
        } catch (IOException e) {
            log.warn("the identities of images that were removed again stay on record: {}", e.getMessage());
        }
    }

    private static void closeBackend(ServedUnit unit) {
        try {
            if (!unit.backend().readOnly()) {
                unit.backend().file().channel().force(false);
            }
            unit.backend().close();
        } catch (IOException e) {
            log.error("{}: closing it failed: {}", unit.export().path(), e.getMessage());
        }
    }

    /** Tells agents of sessions. */
    private final class ToAgents implements SessionEvents {
        @Override
        public void opened(Session session) {
            sessions.merge(session.targetName(), 1, Integer::sum);
            live.opened(session);
            tell("session-opened", session);
            ControlServer agents = control;
            if (agents != null) {
                agents.sessionOpened(asAgentsSeeIt(session));
            }
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
