package io.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.agent.freeze.FreezeAction;
import io.holdfast.agent.freeze.FreezeEvent;
import io.holdfast.agent.freeze.FreezeMachine;
import io.holdfast.agent.freeze.FreezeRecord;
import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.RecordBatch;
import io.holdfast.agent.freeze.ServerView;
import io.holdfast.agent.portal.Portal;
import io.holdfast.agent.portal.PortalLimits;
import io.holdfast.agent.portal.ServerProof;
import io.holdfast.agent.qmp.QmpClient;
import io.holdfast.agent.qmp.QmpEvent;
import io.holdfast.agent.qmp.QmpSession;
import io.holdfast.agent.qmp.QmpTransport;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.VmOutcome;
import io.holdfast.linux.FileFailure;
import io.holdfast.net.Addresses;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
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

        Logger log();

        /** Where things may block for milliseconds. */
        Executor besides();
    }

    private final VmConfig config;
    private final EventLoop loop;
    private final RecordBatch records;
    /** The QEMU that was last heard of, also from the record; 0 if none was. */
    private int lastPid;

    private final Home home;
    private final Logger log;
    private final Portal portal;
    private final FreezeMachine machine;
    private final Deque<FreezeEvent> events = new ArrayDeque<>();
    private final VmSessions sessions;
    private final VmDisks disks;

    /** What is to be done for events that were applied, in order. */
    private final Deque<FreezeAction> todo = new ArrayDeque<>();
    /** An action is being carried out. */
    private boolean busy;
    /** A record must be on disk before anything else is done. */
    private boolean saving;

    private @Nullable QmpClient qmp;
    private @Nullable QmpSession session;
    private @Nullable InetSocketAddress serverPortal;
    private List<String> serverTargets = List.of();
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
        this.config = config;
        this.loop = loop;
        this.records = records;
        this.home = home;
        log = home.log();
        FreezeRecord record = records.load(config.name()).orElse(null);
        portal = Portal.open(config.name(), portalAddress, loop, proof, this, limits, beginning(config, record));
        sessions = new VmSessions(loop, home.besides(), count -> apply(new FreezeEvent.SessionsAtServer(count)));
        disks = new VmDisks(this, config, portal, loop, home, sessions::targets);
        machine = new FreezeMachine(config.name(), Addresses.print(portal.address()), record);
        if (record != null) {
            lastPid = record.pid();
            log.info("vm {}: an earlier run of the agent left it {}: {}", name(), record.state(), record.reason());
        }
    }

    private static Portal.Beginning beginning(VmConfig config, @Nullable FreezeRecord record) {
        boolean relayed = config.relay() == VmConfig.RelayMode.AUTO && record != null && record.relay();
        return new Portal.Beginning(
                relayed || config.relay() == VmConfig.RelayMode.ON,
                record != null && mayLive(record.pid()) ? new HashSet<>(record.targets()) : Set.of());
    }

    /**
     * Whether the QEMU of a record may be there still. If not, the next login is the first of another process, which is to
     * be held: it would not start on the stand-in's errors.
     */
    static boolean mayLive(int pid) {
        return pid == 0 || ProcessHandle.of(pid).isPresent();
    }

    /** Begins to talk to QEMU. */
    void start() {
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

    VmStatus status() {
        return new VmStatus(
                name(),
                Addresses.print(portal.address()),
                machine.state(),
                machine.reason(),
                nowMs() - changedAtMs,
                pid(),
                sessions.atServer(),
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
        portal.close();
    }

    // ------------------------------------------------------------------ the server

    void serverServes(ServerView server, InetSocketAddress at, List<IscsiSession> open) {
        serverPortal = at;
        serverTargets = server.description().units().stream()
                .map(ExportedUnit::target)
                .distinct()
                .toList();
        if (session == null && !mayLive(lastPid)) {
            // Before the server is judged: a QEMU that is gone must not keep its successor from a new image.
            apply(new FreezeEvent.QemuEnded());
        }
        apply(new FreezeEvent.ServerServes(server));
        sessions.findIn(open, pid());
    }

    void serverLost(String why) {
        sessions.serverLost();
        serverPortal = null;
        apply(new FreezeEvent.ServerLost(why));
    }

    void serverGoingAway(long announcementId, String reason) {
        apply(new FreezeEvent.ServerGoingAway(announcementId, reason));
    }

    void sessionOpened(IscsiSession opened) {
        sessions.opened(opened);
    }

    void sessionClosed(IscsiSession closed) {
        if (sessions.closed(closed) && machine.state() == FreezeState.RUNNING) {
            // A disk that was unplugged: were it still counted, the next thaw would wait for its session in vain.
            disks.lookSoon();
        }
    }

    // ------------------------------------------------------------------ the portal

    @Override
    public void ledToServer(String initiator, long isid, String target) {
        sessions.led(initiator, isid, target);
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
        sessions.forget();
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
        if (action instanceof FreezeAction.PortalStandIn) {
            portal.standIn();
        } else if (action instanceof FreezeAction.PortalRedirect) {
            InetSocketAddress at = serverPortal;
            if (at != null) {
                portal.serve(at, serverTargets);
            }
        } else if (action instanceof FreezeAction.CloseStandIns) {
            events.add(new FreezeEvent.StandInsClosed(portal.closeStandIns()));
        } else if (action instanceof FreezeAction.SendStop) {
            send("stop", error -> new FreezeEvent.StopReplied(error));
        } else if (action instanceof FreezeAction.SendCont) {
            send("cont", error -> new FreezeEvent.ContReplied(error));
        } else if (action instanceof FreezeAction.AskStatus) {
            askStatus();
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

    private void askStatus() {
        QmpSession to = session;
        if (to != null) {
            to.execute("query-status", reply -> {
                if (session == to && !reply.failed()) {
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
            log.info("vm {}: {} ({}) after {} ms {}", name(), report.to(), report.why(), heldMs, report.from());
        }
        home.listener().vmChanged(name(), report.from(), report.to(), report.why(), heldMs);
    }

    void warn(String what) {
        log.warn("vm {}: {}", name(), what);
        home.listener().vmWarning(name(), what);
    }
}
