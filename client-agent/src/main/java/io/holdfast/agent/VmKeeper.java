package io.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.agent.freeze.EventAction;
import io.holdfast.agent.freeze.EventTable;
import io.holdfast.agent.freeze.FreezeAction;
import io.holdfast.agent.freeze.FreezeEvent;
import io.holdfast.agent.freeze.FreezeMachine;
import io.holdfast.agent.freeze.FreezeRecord;
import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.KnownEvent;
import io.holdfast.agent.freeze.RecordBatch;
import io.holdfast.agent.freeze.ServerView;
import io.holdfast.agent.freeze.VmPolicy;
import io.holdfast.agent.portal.Portal;
import io.holdfast.agent.portal.PortalLimits;
import io.holdfast.agent.portal.ServerProof;
import io.holdfast.agent.qmp.QmpClient;
import io.holdfast.agent.qmp.QmpEvent;
import io.holdfast.agent.qmp.QmpSession;
import io.holdfast.agent.qmp.QmpTransport;
import io.holdfast.agent.watch.ConnectionBreaker;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.RaisedEvent;
import io.holdfast.control.ServerMessage;
import io.holdfast.control.VmActions;
import io.holdfast.control.VmActionsTaken;
import io.holdfast.control.VmOutcome;
import io.holdfast.control.VmState;
import io.holdfast.linux.FileFailure;
import io.holdfast.net.Addresses;
import io.holdfast.net.Spans;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * One VM: turns what its monitor, its portal and the watch say into events for its {@link FreezeMachine}, and carries out
 * the machine's actions. Owned by the agent's loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Timers are cancelled by their owner, not waited for.
final class VmKeeper implements QmpClient.Listener, Portal.Listener, AutoCloseable {
    /** What a VM's keeper tells and asks the agent. */
    interface Home {
        void announcementAnswered(VmKeeper vm, long announcementId, VmOutcome outcome);

        AgentListener listener();

        /** The VM stands elsewhere now. */
        default void changed(VmKeeper vm) {}

        /** What operators of a server want for it is answered differently now. */
        default void actionsAnswered(String server, VmActionsTaken answer) {}

        Logger log();

        /** A socket that listens at an address already, which the service manager has passed on. */
        OptionalInt passed(InetSocketAddress address);

        /** Where things may block for milliseconds. */
        Executor besides();

        /** Where things may block for seconds: hooks, guests that are asked, memory that is written out. */
        default Executor slowly() {
            return besides();
        }

        /**
         * Asks logical units whether they read and write.
         *
         * @param initiators names of the VM's initiators
         * @param answer called on the loop, once: why the VM must not be resumed on them, or empty
         */
        default void proveUnits(List<ExportedUnit> units, Set<String> initiators, Consumer<String> answer) {
            answer.accept("");
        }
    }

    /** Between the answer to a guest that wants to be stopped, and the stop. */
    private static final int ANSWER_FIRST_MS = 50;

    private final VmConfig config;
    private final EventLoop loop;
    private final RecordBatch records;
    /** The QEMU that was last heard of, also from the record; 0 if none was. */
    private int lastPid;

    private final Home home;
    private final Logger log;
    private final Portal portal;
    private final FreezeMachine machine;
    private final boolean leftFrozen;
    private final Deque<FreezeEvent> events = new ArrayDeque<>();
    private final Map<String, VmSessions> sessions = new LinkedHashMap<>();
    private final VmDisks disks;
    private final EventTable table;
    private final OperatorWishes operators;

    /** What is to be done for events that were applied, in order. */
    private final Deque<FreezeAction> todo = new ArrayDeque<>();
    /** An action is being carried out. */
    private boolean busy;
    /** A record must be on disk before anything else is done. */
    private boolean saving;

    private @Nullable GuestPort guestPort;
    private @Nullable QmpClient qmp;
    private @Nullable QmpSession session;
    /** Where {@code query-status} has not been answered yet. */
    private @Nullable QmpSession statusAsked;

    private boolean statusWanted;
    private final Map<String, InetSocketAddress> serverPortals = new LinkedHashMap<>();
    private final Map<String, List<String>> serverTargets = new LinkedHashMap<>();
    private final GuestHelp guest;
    private @Nullable Future<?> timer;
    private long timerAtMs;
    private long changedAtMs = nowMs();

    VmKeeper(
            VmConfig config,
            InetSocketAddress portalAddress,
            EventLoop loop,
            RecordBatch records,
            ServerProof proof,
            PortalLimits limits,
            Home home)
            throws IOException {
        this(config, portalAddress, loop, records, proof, limits, home, Set.of(FreezeEvent.ONLY_SERVER));
    }

    /** @param servers the names of the servers its disks may be at */
    VmKeeper(
            VmConfig config,
            InetSocketAddress portalAddress,
            EventLoop loop,
            RecordBatch records,
            ServerProof proof,
            PortalLimits limits,
            Home home,
            Set<String> servers)
            throws IOException {
        this.config = config;
        this.loop = loop;
        this.records = records;
        this.home = home;
        log = home.log();
        FreezeRecord record = records.load(config.name()).orElse(null);
        table = EventTable.of(config.events(), record);
        operators = new OperatorWishes(config, table, log, this::warn);
        portal = Portal.open(
                config.name(),
                portalAddress,
                home.passed(portalAddress),
                loop,
                proof,
                this,
                limits,
                beginning(record, servers));
        for (String server : servers) {
            sessions.put(server, new VmSessions(loop, home.besides(), count -> sessionsChanged()));
        }
        disks = new VmDisks(this, config, portal, loop, home, this::ledTargets);
        guest = new GuestHelp(config, home);
        machine = new FreezeMachine(
                config.name(),
                Addresses.print(portal.address()),
                record,
                new VmPolicy(servers, VmPolicy.Units.PROVED, config.limitMs(), config.then()),
                table);
        leftFrozen = record != null && record.state().holds();
        if (record != null) {
            lastPid = record.pid();
            log.info("vm {}: an earlier run of the agent left it {}: {}", name(), record.state(), record.reason());
        }
    }

    private int sessionsAtServers() {
        return sessions.values().stream().mapToInt(VmSessions::atServer).sum();
    }

    private void sessionsChanged() {
        apply(new FreezeEvent.SessionsAtServer(sessionsAtServers()));
    }

    private Set<String> ledTargets() {
        Set<String> targets = new HashSet<>();
        sessions.values().forEach(at -> targets.addAll(at.targets()));
        return targets;
    }

    /** Names of the initiators that its portal led to a server. */
    private Set<String> initiators() {
        Set<String> names = new HashSet<>();
        sessions.values().forEach(at -> names.addAll(at.initiators()));
        return names;
    }

    private Portal.Beginning beginning(@Nullable FreezeRecord record, Set<String> servers) {
        boolean relayed = config.relay() == VmConfig.RelayMode.AUTO && record != null && record.relay();
        return new Portal.Beginning(
                relayed || config.relay() == VmConfig.RelayMode.ON,
                record != null && mayLive(record.pid()) && !leftRunning(record)
                        ? new HashSet<>(record.targets())
                        : Set.of(),
                servers);
    }

    /** Whether it runs on without its servers, should they be away: a stand-in would pause it. */
    private boolean leftRunning(FreezeRecord record) {
        return record.state() == FreezeState.RUNNING
                && !record.servers().isEmpty()
                && record.servers().stream()
                        .allMatch(server -> table.actionFor(server, EventTable.SERVER_CRASH) == EventAction.LEAVE);
    }

    int priority() {
        return config.priority();
    }

    EventTable table() {
        return table;
    }

    /**
     * Whether the QEMU of a record may be there still. If not, the next login is the first of another process, which is to
     * be held: it would not start on the stand-in's errors.
     */
    static boolean mayLive(int pid) {
        return pid == 0 || ProcessHandle.of(pid).isPresent();
    }

    /** Begins to talk to QEMU, and to its guest. */
    void start() {
        guestPort = config.guestPort()
                .map(socket -> GuestPort.open(name(), socket, loop, new GuestWishes(new Wishes())))
                .orElse(null);
        qmp = QmpClient.start(name(), config.qmpSocket(), loop, this);
    }

    /** The same over any transport, for rehearsals and tests. */
    void start(QmpTransport.Connector connector) {
        qmp = QmpClient.start(name(), config.qmpSocket(), connector, loop, this);
    }

    String name() {
        return config.name();
    }

    Portal portal() {
        return portal;
    }

    FreezeState state() {
        return machine.state();
    }

    /** An earlier run of the agent has frozen it, as far as its record says. */
    boolean wasLeftFrozen() {
        return leftFrozen;
    }

    /** What is to be proved before it is resumed. */
    List<ExportedUnit> unitsWaitedFor() {
        return machine.unitsWaitedFor();
    }

    /** The same as servers are told it. */
    VmState reported() {
        return new VmState(
                name(), machine.state().name(), machine.reason(), System.currentTimeMillis() - (nowMs() - changedAtMs));
    }

    VmStatus status() {
        return new VmStatus(
                name(),
                Addresses.print(portal.address()),
                machine.state(),
                machine.reason(),
                nowMs() - changedAtMs,
                pid(),
                sessionsAtServers(),
                (int) portal.standIns());
    }

    /** The monitor connection, if there is one. */
    @Nullable
    QmpSession session() {
        return session;
    }

    /** QEMU's process, or 0. */
    int pid() {
        QmpSession open = session;
        return open == null ? 0 : open.pid();
    }

    @Override
    public void close() {
        QmpClient client = qmp;
        if (client != null) {
            client.close();
        }
        GuestPort port = guestPort;
        if (port != null) {
            port.close();
        }
        portal.close();
    }

    // ------------------------------------------------------------------ the guest

    /** What the guest says of itself. */
    private final class Wishes implements GuestWishes.Vm {
        @Override
        public EventTable table() {
            return table;
        }

        @Override
        public String standing() {
            return machine.state() + " " + machine.reason();
        }

        @Override
        public void registrationsChanged() {
            log.info("vm {}: its guest wants {}", name(), table.registered());
            apply(new FreezeEvent.RegistrationsChanged());
            operators.answeredAnew().forEach(home::actionsAnswered);
        }

        @Override
        public void quiesce(int seconds) {
            RaisedEvent wish = new RaisedEvent(
                    KnownEvent.GUEST_REQUEST.event(), "", "the guest asks to be stopped for " + seconds + " s");
            String server = sessions.keySet().iterator().next();
            // Answered first: a guest that stands still cannot read.
            loop.schedule(() -> eventRaised(server, wish), ANSWER_FIRST_MS, TimeUnit.MILLISECONDS);
            loop.schedule(() -> eventCleared(server, wish), seconds, TimeUnit.SECONDS);
        }
    }

    // ------------------------------------------------------------------ the server

    /** The only server serves. */
    void serverServes(ServerView server, InetSocketAddress at, List<IscsiSession> open) {
        serverServes(FreezeEvent.ONLY_SERVER, server, at, open);
    }

    void serverServes(String name, ServerView server, InetSocketAddress at, List<IscsiSession> open) {
        serverPortals.put(name, at);
        serverTargets.put(name, List.copyOf(server.targets()));
        portal.group(name, server.description().groupOf(Addresses.print(at)));
        if (session == null && !mayLive(lastPid)) {
            // Before the server is judged: a QEMU that is gone must not keep its successor from a new image.
            apply(new FreezeEvent.QemuEnded());
        }
        apply(new FreezeEvent.ServerServes(name, server));
        at(name).findIn(open, pid());
    }

    private VmSessions at(String server) {
        return java.util.Objects.requireNonNull(sessions.get(server), server);
    }

    /** The only server is lost. */
    void serverLost(String why) {
        serverLost(FreezeEvent.ONLY_SERVER, EventTable.SERVER_CRASH, why);
    }

    /** A server serves other units than before. */
    void unitsChanged(String name, ServerView server, ServerMessage.UnitsChanged change) {
        List<String> targets = List.copyOf(server.targets());
        serverTargets.put(name, targets);
        portal.targets(name, targets);
        apply(new FreezeEvent.UnitsChanged(name, server, change));
    }

    void serverLost(String name, String event, String why) {
        at(name).serverLost();
        serverPortals.remove(name);
        apply(new FreezeEvent.ServerLost(name, event, why));
        if (sessions.size() > 1) {
            sessionsChanged();
        }
    }

    void serverGoingAway(String name, long announcementId, String reason) {
        apply(new FreezeEvent.ServerGoingAway(name, announcementId, reason));
    }

    void eventRaised(String name, RaisedEvent event) {
        apply(new FreezeEvent.EventRaised(name, event));
    }

    void eventCleared(String name, RaisedEvent event) {
        apply(new FreezeEvent.EventCleared(name, event));
    }

    /**
     * Operators of a server want this done for it.
     *
     * @param answer gets the answer for them
     */
    void actionsRegistered(String name, VmActions told, Consumer<VmActionsTaken> answer) {
        if (operators.registered(name, told, answer)) {
            apply(new FreezeEvent.RegistrationsChanged());
        }
    }

    /** The only server has a new session. */
    void sessionOpened(IscsiSession opened) {
        sessionOpened(FreezeEvent.ONLY_SERVER, opened);
    }

    void sessionOpened(String name, IscsiSession opened) {
        at(name).opened(opened);
    }

    void sessionClosed(String name, IscsiSession closed) {
        if (at(name).closed(closed) && machine.state() == FreezeState.RUNNING) {
            // A disk that was unplugged: were it still counted, the next thaw would wait for its session in vain.
            disks.lookSoon();
        }
    }

    // ------------------------------------------------------------------ the portal

    @Override
    public void ledToServer(String initiator, long isid, String target) {
        // Whichever of them tells of the session: the name of a target is one server's only.
        sessions.values().forEach(at -> at.led(initiator, isid, target));
        disks.ledTo(target);
    }

    @Override
    public void standInAnswered() {
        apply(new FreezeEvent.StandInAnswered());
    }

    // ------------------------------------------------------------------ QEMU

    @Override
    public void connected(QmpSession opened) {
        session = opened;
        lastPid = opened.pid();
        log.info("vm {}: QEMU {} (process {}) at {}", name(), opened.version(), opened.pid(), config.qmpSocket());
        opened.execute("query-status", reply -> {
            if (session == opened) {
                JsonNode value = reply.value();
                apply(new FreezeEvent.Attached(
                        opened.pid(),
                        value.path("running").asBoolean(false),
                        value.path("status").asText("unknown")));
                sessions.values().forEach(at -> at.attached(opened.pid()));
                disks.look();
            }
        });
    }

    @Override
    public void disconnected(String why) {
        session = null;
        disks.forget();
        // A process of QEMU's that comes next logs in for the first time.
        portal.forgetInitiators();
        sessions.values().forEach(VmSessions::forget);
        guest.forget();
        apply(new FreezeEvent.Detached(why));
    }

    @Override
    public void unreachable(String why) {
        warn(why);
    }

    @Override
    public void event(QmpEvent event) {
        switch (event.name()) {
            case "STOP" -> apply(new FreezeEvent.Stopped());
            case "RESUME" -> apply(new FreezeEvent.Resumed());
            case "WAKEUP" -> apply(new FreezeEvent.WokeUp());
            case "BLOCK_IO_ERROR" -> disks.ioError(event.data());
            case "DEVICE_DELETED" -> disks.look();
            default -> log.debug("vm {}: QEMU event {}", name(), event.name());
        }
    }

    // ------------------------------------------------------------------ the machine

    private static long nowMs() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    /** An action may cause an event at once; it waits until the actions before it are done. */
    void apply(FreezeEvent event) {
        events.add(event);
        if (!busy && !saving) {
            goOn();
        }
    }

    /** Carries out what is to be done and takes the next event, until there is none, or a record must be on disk first. */
    private void goOn() {
        busy = true;
        try {
            while (!saving && (!todo.isEmpty() || !events.isEmpty())) {
                if (todo.isEmpty()) {
                    todo.addAll(machine.apply(events.remove(), nowMs()));
                } else {
                    perform(todo.remove());
                }
            }
        } finally {
            busy = false;
        }
        setTimer();
    }

    private void save(FreezeRecord record) {
        saving = true;
        records.save(record, failure -> {
            saving = false;
            if (failure != null) {
                // The VM is frozen all the same: a guest that goes on writing into nothing is worse than a lost record.
                warn("cannot write its record: " + FileFailure.inWords(failure));
            }
            if (!busy) {
                goOn();
            }
        });
    }

    private void setTimer() {
        long at = machine.deadlineMs().orElse(0);
        Future<?> running = timer;
        if (running != null && (at != timerAtMs || running.isDone())) {
            running.cancel(false);
            running = null;
        }
        timerAtMs = at;
        if (at == 0) {
            timer = null;
        } else if (running == null) {
            timer = loop.schedule(
                    () -> {
                        timerAtMs = 0;
                        apply(new FreezeEvent.Tick());
                    },
                    Math.max(1, at - nowMs()),
                    TimeUnit.MILLISECONDS);
        }
    }

    private void perform(FreezeAction action) {
        if (action instanceof FreezeAction.PortalStandIn away) {
            portal.standIn(away.server());
        } else if (action instanceof FreezeAction.PortalRedirect back) {
            InetSocketAddress at = serverPortals.get(back.server());
            if (at != null) {
                portal.serve(back.server(), at, serverTargets.getOrDefault(back.server(), List.of()));
            }
        } else if (action instanceof FreezeAction.CloseStandIns back) {
            events.add(new FreezeEvent.StandInsClosed(portal.closeStandIns(back.server())));
        } else if (action instanceof FreezeAction.SendStop) {
            send("stop", error -> new FreezeEvent.StopReplied(error));
        } else if (action instanceof FreezeAction.SendCont) {
            send("cont", error -> new FreezeEvent.ContReplied(error));
        } else if (action instanceof FreezeAction.AskStatus) {
            askStatus();
        } else if (action instanceof FreezeAction.AskIo ask) {
            askIo(ask.sinceMs());
        } else if (action instanceof FreezeAction.ProveUnits prove) {
            home.proveUnits(prove.units(), initiators(), objection -> apply(new FreezeEvent.UnitsProved(objection)));
        } else if (action instanceof FreezeAction.PortalHold hold) {
            portal.hold(hold.server());
        } else if (action instanceof FreezeAction.BreakConnections broken) {
            breakConnections(broken.server());
        } else if (action instanceof FreezeAction.QuiesceAndStop) {
            guest.quiesce(() -> loop.execute(() -> send("stop", error -> new FreezeEvent.StopReplied(error))));
        } else if (action instanceof FreezeAction.ReclaimMemory) {
            reclaimMemory();
        } else if (action instanceof FreezeAction.PowerOff) {
            send("quit", error -> new FreezeEvent.Tick());
        } else if (action instanceof FreezeAction.RunHook run) {
            guest.runHook(run.event(), run.detail());
        } else if (action instanceof FreezeAction.Save save) {
            save(save.record());
        } else if (action instanceof FreezeAction.AnswerAnnouncement answer) {
            home.announcementAnswered(
                    this, answer.announcementId(), new VmOutcome(name(), answer.outcome(), answer.detail()));
        } else if (action instanceof FreezeAction.Report report) {
            report(report);
        } else if (action instanceof FreezeAction.Warn warning) {
            warn(warning.what());
        }
    }

    private void send(String command, java.util.function.Function<String, FreezeEvent> toEvent) {
        QmpSession to = session;
        if (to != null) {
            to.execute(command, reply -> {
                if (session == to) {
                    apply(toEvent.apply(reply.error()));
                }
            });
        }
    }

    private void askIo(long sinceMs) {
        QmpSession to = session;
        if (to != null) {
            to.execute("query-blockstats", reply -> {
                if (session == to && !reply.failed()) {
                    apply(new FreezeEvent.IoSeen(endedWithin(nowMs() - sinceMs, reply.value())));
                }
            });
        }
    }

    /** Whether a request of a guest's disk has ended within so long (QMP: {@code idle_time_ns}, absent if none ever has). */
    static boolean endedWithin(long ms, JsonNode blockStatistics) {
        for (JsonNode disk : blockStatistics) {
            JsonNode idleNs = disk.path("stats").path("idle_time_ns");
            if (disk.hasNonNull("qdev") && idleNs.isNumber() && TimeUnit.NANOSECONDS.toMillis(idleNs.asLong()) < ms) {
                return true;
            }
        }
        return false;
    }

    private void breakConnections(String server) {
        InetSocketAddress at = serverPortals.get(server);
        int process = pid();
        if (at != null && process != 0) {
            home.besides().execute(() -> {
                int broken = ConnectionBreaker.breakConnections(process, at);
                log.info("vm {}: {} connections to its server broken", name(), broken);
            });
        }
    }

    private void reclaimMemory() {
        int process = pid();
        if (process != 0) {
            home.slowly().execute(() -> {
                MemoryReclaim.Outcome outcome = new MemoryReclaim().of(process);
                log.info(
                        "vm {}: memory given back: {} MiB resident before, {} MiB after{}",
                        name(),
                        outcome.residentBeforeBytes() >> 20,
                        outcome.residentAfterBytes() >> 20,
                        outcome.problem().isEmpty() ? "" : "; " + outcome.problem());
            });
        }
    }

    /** One question at a time: a QEMU that answers none would otherwise be asked every second for as long as it hangs. */
    private void askStatus() {
        QmpSession to = session;
        if (to != null && to == statusAsked) {
            // What was asked before something happened may be answered with how it was before.
            statusWanted = true;
        } else if (to != null) {
            statusAsked = to;
            statusWanted = false;
            to.execute("query-status", reply -> {
                if (session != to) {
                    return;
                }
                statusAsked = null;
                if (statusWanted) {
                    askStatus();
                }
                if (!reply.failed()) {
                    apply(new FreezeEvent.StatusReported(
                            reply.value().path("running").asBoolean(false),
                            reply.value().path("status").asText("unknown")));
                }
            });
        }
    }

    private void report(FreezeAction.Report report) {
        long now = nowMs();
        long heldMs = now - changedAtMs;
        changedAtMs = now;
        if (report.from() == FreezeState.ABSENT) {
            log.info("vm {}: {} ({})", name(), report.to(), report.why());
        } else {
            log.info(
                    "vm {}: {} ({}) after {} {}",
                    name(),
                    report.to(),
                    report.why(),
                    Spans.print(heldMs),
                    report.from());
        }
        if (report.to() == FreezeState.RUNNING && report.from() != FreezeState.ABSENT) {
            guest.runsAgain();
        }
        home.changed(this);
        home.listener().vmChanged(name(), report.from(), report.to(), report.why(), heldMs);
    }

    void warn(String what) {
        log.warn("vm {}: {}", name(), what);
        home.listener().vmWarning(name(), what);
    }
}
