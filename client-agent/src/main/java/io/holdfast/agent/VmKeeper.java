package io.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.agent.freeze.FreezeAction;
import io.holdfast.agent.freeze.FreezeEvent;
import io.holdfast.agent.freeze.FreezeMachine;
import io.holdfast.agent.freeze.FreezeRecord;
import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.RecordStore;
import io.holdfast.agent.freeze.ServerView;
import io.holdfast.agent.portal.Portal;
import io.holdfast.agent.portal.PortalLimits;
import io.holdfast.agent.portal.ServerProof;
import io.holdfast.agent.qmp.IscsiDisk;
import io.holdfast.agent.qmp.QemuDisks;
import io.holdfast.agent.qmp.QmpClient;
import io.holdfast.agent.qmp.QmpEvent;
import io.holdfast.agent.qmp.QmpSession;
import io.holdfast.agent.qmp.QmpTransport;
import io.holdfast.agent.watch.ProcessSockets;
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
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * One VM: turns what its monitor, its portal and the watch say into events for its {@link FreezeMachine}, and carries out
 * the machine's actions. Owned by the agent's loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Timers are cancelled by their owner, not waited for.
final class VmKeeper implements QmpClient.Listener, Portal.Listener, AutoCloseable {
    /** A new disk has logged in: QEMU is asked about it when it has settled. */
    private static final int LOOK_AGAIN_MS = 500;

    private static final int MAX_LED = 256;

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
    private final RecordStore records;
    /** The QEMU that was last heard of, also from the record; 0 if none was. */
    private int lastPid;

    private final Home home;
    private final Logger log;
    private final Portal portal;
    private final FreezeMachine machine;
    private final Deque<FreezeEvent> events = new ArrayDeque<>();
    private final Map<Led, Boolean> led = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Led, Boolean> eldest) {
            return size() > MAX_LED;
        }
    };
    private final Set<IscsiSession> atServer = new LinkedHashSet<>();

    private boolean applying;
    private boolean lookAgain;
    private int knownDisks;
    private Set<String> knownTargets = Set.of();
    private Set<String> elsewhere = Set.of();
    private boolean errorReachedGuest;
    private @Nullable QmpClient qmp;
    private @Nullable QmpSession session;
    private @Nullable InetSocketAddress serverPortal;
    private List<String> serverTargets = List.of();
    private @Nullable Future<?> timer;
    private long timerAtMs;
    private long changedAtMs = nowMs();

    /** A login that was led to the server. */
    private record Led(String initiator, long isid, String target) {}

    VmKeeper(
            VmConfig config,
            InetSocketAddress portalAddress,
            EventLoop loop,
            RecordStore records,
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
        portal = Portal.open(config.name(), portalAddress, loop, proof, this, limits);
        if (config.relay() == VmConfig.RelayMode.ON
                || config.relay() == VmConfig.RelayMode.AUTO && record != null && record.relay()) {
            portal.relayData();
        }
        machine = new FreezeMachine(config.name(), Addresses.print(portal.address()), record);
        if (record != null) {
            lastPid = record.pid();
            if (mayLive(record.pid())) {
                portal.targetsInUse(new HashSet<>(record.targets()));
            }
            log.info("vm {}: an earlier run of the agent left it {}: {}", name(), record.state(), record.reason());
        }
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
                atServer.size(),
                (int) portal.standIns());
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

    void serverServes(ServerView server, InetSocketAddress at, List<IscsiSession> sessions) {
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
        int pid = pid();
        if (sessions.isEmpty() || pid == 0) {
            return;
        }
        // A server that was merely silent still lists sessions whose connections were broken; and after a restart of
        // the
        // agent only QEMU's own sockets tell which sessions are its.
        home.besides().execute(() -> {
            Set<InetSocketAddress> alive = new HashSet<>();
            ProcessSockets.established(pid).forEach(socket -> alive.add(socket.local()));
            loop.execute(() -> {
                if (at.equals(serverPortal)) {
                    sessions.stream()
                            .filter(known -> Addresses.parseNumeric(known.peer())
                                    .filter(alive::contains)
                                    .isPresent())
                            .forEach(atServer::add);
                    sessionsChanged();
                }
            });
        });
    }

    void serverLost(String why) {
        atServer.clear();
        serverPortal = null;
        apply(new FreezeEvent.ServerLost(why));
    }

    void serverGoingAway(long announcementId, String reason) {
        apply(new FreezeEvent.ServerGoingAway(announcementId, reason));
    }

    void sessionOpened(IscsiSession opened) {
        if (led.containsKey(new Led(opened.initiator(), opened.isid(), opened.target()))) {
            atServer.add(opened);
            sessionsChanged();
        }
    }

    void sessionClosed(IscsiSession closed) {
        if (atServer.remove(closed)) {
            sessionsChanged();
            if (machine.state() == FreezeState.RUNNING) {
                // A disk that was unplugged: were it still counted, the next thaw would wait for its session in vain.
                lookAtDisksSoon();
            }
        }
    }

    private void sessionsChanged() {
        apply(new FreezeEvent.SessionsAtServer(atServer.size()));
    }

    // ------------------------------------------------------------------ the portal

    @Override
    public void ledToServer(String initiator, long isid, String target) {
        led.put(new Led(initiator, isid, target), true);
        if (!target.isEmpty() && !knownTargets.contains(target)) {
            // QEMU is asked about it in a moment, but the server may be lost before.
            Set<String> more = new TreeSet<>(knownTargets);
            more.add(target);
            disksKnown(more);
        }
        lookAtDisksSoon();
    }

    private void lookAtDisksSoon() {
        if (!lookAgain) {
            lookAgain = true;
            loop.schedule(
                    () -> {
                        lookAgain = false;
                        if (machine.state() == FreezeState.RUNNING) {
                            lookAtDisks();
                        }
                    },
                    LOOK_AGAIN_MS,
                    TimeUnit.MILLISECONDS);
        }
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
                lookAtDisks();
            }
        });
    }

    @Override
    public void disconnected(String why) {
        session = null;
        knownDisks = 0;
        knownTargets = Set.of();
        elsewhere = Set.of();
        errorReachedGuest = false;
        // A process of QEMU's that comes next logs in for the first time.
        portal.forgetInitiators();
        led.clear();
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
            case "BLOCK_IO_ERROR" -> {
                if (mayBeOurs(event.data(), elsewhere)) {
                    ioError(event.data());
                }
            }
            case "DEVICE_DELETED" -> lookAtDisks();
            default -> log.debug("vm {}: QEMU event {}", name(), event.name());
        }
    }

    /**
     * Whether an I/O error may be one of a disk at this portal. Only what is certainly another's is passed over: a disk that
     * got a snapshot has a new name, and if its pause were taken for somebody else's, nobody would ever resume the VM.
     */
    static boolean mayBeOurs(JsonNode error, Set<String> elsewhere) {
        // The stand-in never says that there is no space left.
        return !error.path("nospace").asBoolean(false)
                && Stream.of("device", "qdev", "node-name")
                        .noneMatch(name -> elsewhere.contains(error.path(name).asText("")));
    }

    private void ioError(JsonNode error) {
        if ("stop".equals(error.path("action").asText())) {
            apply(new FreezeEvent.StoppingOnIoError());
        } else {
            // A -drive without werror says "auto" when it is asked, and does this.
            errorReachedGuest = true;
            portal.errorsReachGuest(true);
            warn("I/O error on " + error.path("device").asText("a disk")
                    + " was handed to the guest: start QEMU with werror=stop,rerror=stop");
        }
    }

    /** Learns what the VM has at this portal, and whether it may be redirected. */
    private void lookAtDisks() {
        QmpSession asked = session;
        if (asked == null) {
            return;
        }
        QemuDisks.ask(asked, answer -> {
            if (session != asked) {
                return;
            }
            List<IscsiDisk> disks = answer.disks();
            elsewhere = answer.elsewhere();
            List<IscsiDisk> here = disks.stream().filter(this::isHere).toList();
            Set<String> targets = new TreeSet<>();
            here.forEach(disk -> targets.add(disk.target()));
            if (here.isEmpty()) {
                // QEMU does not say it in words that are understood here; who logged in knows better.
                led.keySet().forEach(login -> targets.add(login.target()));
            }
            if (here.size() != knownDisks) {
                knownDisks = here.size();
                tellDisks(disks, here);
            }
            portal.targetsInUse(targets);
            portal.errorsReachGuest(errorReachedGuest || here.stream().anyMatch(VmKeeper::handsErrorsToGuest));
            disksKnown(targets);
            if (config.relay() == VmConfig.RelayMode.AUTO) {
                home.besides().execute(() -> {
                    RedirectSafety safety = RedirectSafety.judge(here, RedirectSafety.mappedFiles(asked.pid()));
                    loop.execute(() -> relayIfUnsafe(safety));
                });
            }
        });
    }

    private void disksKnown(Set<String> targets) {
        knownTargets = targets;
        apply(new FreezeEvent.DisksKnown(targets, knownDisks));
    }

    private void relayIfUnsafe(RedirectSafety safety) {
        if (safety.relay() && !portal.relays()) {
            portal.relayData();
            apply(new FreezeEvent.RelayChosen(true));
            log.warn("vm {}: its data is relayed from the next login on: {}", name(), safety.why());
        } else if (!safety.relay() && portal.relays()) {
            portal.redirectLogins();
            apply(new FreezeEvent.RelayChosen(false));
            log.info("vm {}: its logins are redirected from now on: {}", name(), safety.why());
        }
    }

    private boolean isHere(IscsiDisk disk) {
        return leadsTo(disk.portal(), portal.address());
    }

    /**
     * Whether QEMU's words for a portal mean this address. Names are not resolved: this is the agent's loop, and a name
     * server that does not answer would keep it from freezing anybody.
     */
    static boolean leadsTo(String portal, InetSocketAddress mine) {
        if (!portal.endsWith(":" + mine.getPort())) {
            return false;
        }
        boolean localhost = portal.startsWith("localhost:") && mine.getAddress().isLoopbackAddress();
        return localhost
                || mine.getAddress().isAnyLocalAddress()
                || Addresses.parseNumeric(portal).filter(mine::equals).isPresent();
    }

    private static boolean handsErrorsToGuest(IscsiDisk disk) {
        return disk.reportsErrors()
                || disk.device().equals("scsi-block")
                || disk.device().equals("scsi-generic");
    }

    private void tellDisks(List<IscsiDisk> all, List<IscsiDisk> here) {
        if (here.isEmpty() && !all.isEmpty()) {
            warn("none of its iSCSI disks uses its portal " + Addresses.print(portal.address()) + "; they log in at "
                    + all.get(0).portal() + ". The VM is not frozen when the server is lost");
        }
        for (IscsiDisk disk : here) {
            log.info(
                    "vm {}: disk {}/{} ({}, thread {})",
                    name(),
                    disk.target(),
                    disk.lun(),
                    disk.device().isEmpty() ? "no device" : disk.device(),
                    disk.thread());
            if (disk.reportsErrors()) {
                warn("disk " + disk.target() + "/" + disk.lun()
                        + " hands errors to the guest: start QEMU with werror=stop,rerror=stop on its device");
            }
            if (disk.device().equals("scsi-block") || disk.device().equals("scsi-generic")) {
                warn("disk " + disk.target() + "/" + disk.lun() + " is a " + disk.device()
                        + ", which QEMU cannot stop on an error safely: use scsi-hd");
            }
        }
    }

    // ------------------------------------------------------------------ the machine

    private static long nowMs() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
    }

    /** An action may cause an event at once; it waits until the actions before it are done. */
    private void apply(FreezeEvent event) {
        events.add(event);
        if (applying) {
            return;
        }
        applying = true;
        try {
            for (FreezeEvent next = events.poll(); next != null; next = events.poll()) {
                machine.apply(next, nowMs()).forEach(this::perform);
            }
        } finally {
            applying = false;
        }
        setTimer();
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

    private void save(FreezeRecord record) {
        try {
            records.save(record);
        } catch (IOException e) {
            // The VM is frozen all the same: a guest that goes on writing into nothing is worse than a lost record.
            warn("cannot write its record: " + FileFailure.inWords(e));
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

    private void warn(String what) {
        log.warn("vm {}: {}", name(), what);
        home.listener().vmWarning(name(), what);
    }
}
