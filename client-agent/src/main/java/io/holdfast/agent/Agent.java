package io.holdfast.agent;

import io.holdfast.agent.freeze.EventTable;
import io.holdfast.agent.freeze.FreezeEvent;
import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.RecordBatch;
import io.holdfast.agent.freeze.RecordStore;
import io.holdfast.agent.freeze.ServerView;
import io.holdfast.agent.portal.ServerProof;
import io.holdfast.agent.watch.ConnectionBreaker;
import io.holdfast.agent.watch.ServerLoss;
import io.holdfast.agent.watch.ServerWatch;
import io.holdfast.control.AgentMessage;
import io.holdfast.control.ControlProtocol;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.RaisedEvent;
import io.holdfast.control.ServerMessage;
import io.holdfast.control.VmActions;
import io.holdfast.control.VmActionsTaken;
import io.holdfast.control.VmOutcome;
import io.holdfast.net.Addresses;
import io.holdfast.net.Spans;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent of one client host: its servers, any number of VMs. One event loop owns the watch, the portals and the freeze
 * machines, so that between the kernel's word that the server is dead and {@code stop} there is no other thread.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What is handed to the loop is not waited for.
public final class Agent implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final Logger VM_LOG = LoggerFactory.getLogger(VmKeeper.class);
    /** So many VMs are led back to the server at once; the others follow in groups, so that it is not trampled. */
    private static final int THAW_GROUP = 16;

    private static final int THAW_GROUP_GAP_MS = 50;
    private static final int STOP_LIMIT_MS = 3_000;
    private static final int REHEARSE_LATER_MS = 5_000;

    private final AgentConfig config;
    private final AgentListener listener;
    private final Function<InetSocketAddress, OptionalInt> passed;
    private final EventLoopGroup group;
    private final EventLoop loop;
    private final ExecutorService besides =
            Executors.newSingleThreadExecutor(new DefaultThreadFactory("agent-besides", true));
    private final AtomicBoolean closed = new AtomicBoolean();
    private final RecordStore records;
    private final RecordBatch batch;
    private final KeeperHome home = new KeeperHome();
    private @Nullable Thread rehearsal;
    private final List<VmKeeper> vms = new ArrayList<>();
    private final ExecutorService slowly =
            Executors.newCachedThreadPool(new DefaultThreadFactory("agent-slowly", true));
    private final Map<String, Server> servers = new LinkedHashMap<>();

    // Owned by the loop.
    /** Numbers announcements of all servers, whose own numbers are the same. */
    private long announcements;
    /** VMs whose change has not been told yet. */
    private final Set<VmKeeper> changed = new LinkedHashSet<>();

    private Agent(
            AgentConfig config,
            AgentListener listener,
            Function<InetSocketAddress, OptionalInt> passed,
            RecordStore records) {
        this.config = config;
        this.listener = listener;
        this.passed = passed;
        this.records = records;
        batch = new RecordBatch(records);
        group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("agent", false), EpollIoHandler.newFactory());
        loop = group.next();
        for (InetSocketAddress address : config.servers()) {
            // One alone has no name: records are the same as when there could be one only.
            String name = config.servers().size() == 1 ? FreezeEvent.ONLY_SERVER : Addresses.print(address);
            servers.put(name, new Server(name, address));
        }
    }

    /** The same as {@link #start(AgentConfig, AgentListener)}, with nobody listening. */
    public static Agent start(AgentConfig config) throws AgentConfigException, IOException {
        return start(config, AgentListener.NONE);
    }

    /**
     * Opens the portals, and begins to watch the server and to look for the VMs. Neither need be there yet. Returns when
     * the portals listen.
     *
     * @throws AgentConfigException if the configuration contradicts itself
     * @throws IOException if a portal's address or the state directory cannot be had
     */
    public static Agent start(AgentConfig config, AgentListener listener) throws AgentConfigException, IOException {
        return start(config, listener, address -> OptionalInt.empty());
    }

    /**
     * The same with sockets that listen already.
     *
     * @param passed the descriptor of the one at an address, if there is one
     */
    public static Agent start(
            AgentConfig config, AgentListener listener, Function<InetSocketAddress, OptionalInt> passed)
            throws AgentConfigException, IOException {
        config.check();
        RecordStore records;
        try {
            records = RecordStore.open(config.stateDirectory());
        } catch (IOException e) {
            throw new IOException(
                    "cannot use the state directory " + config.stateDirectory() + ": " + e.getMessage(), e);
        }
        Agent agent = null;
        try {
            agent = new Agent(config, listener, passed, records);
            agent.openPortals();
        } catch (IOException | RuntimeException | LinkageError e) {
            // A native library that cannot be loaded is a LinkageError; another attempt must find everything free.
            if (agent == null) {
                records.close();
            } else {
                agent.close();
            }
            throw e;
        }
        agent.servers.values().forEach(server -> server.watch.start());
        agent.vms.forEach(VmKeeper::start);
        agent.rehearse();
        return agent;
    }

    /** Not beside VMs that an earlier run left frozen: they wait for the same processors, and their thaw is the best rehearsal. */
    private void rehearse() {
        if (vms.stream().anyMatch(VmKeeper::wasLeftFrozen)) {
            loop.schedule(this::beginRehearsal, REHEARSE_LATER_MS, TimeUnit.MILLISECONDS);
        } else {
            beginRehearsal();
        }
    }

    private synchronized void beginRehearsal() {
        if (!closed.get()) {
            rehearsal = Rehearsal.begin(config.stateDirectory(), listener);
        }
    }

    private void openPortals() throws IOException {
        int port = AgentConfig.FIRST_PORTAL_PORT;
        for (VmConfig vm : config.vms()) {
            InetSocketAddress address =
                    vm.portal().orElse(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            port++;
            VmKeeper keeper =
                    new VmKeeper(vm, address, loop, batch, new Proof(), config.portals(), home, servers.keySet());
            vms.add(keeper);
            LOG.info(
                    "vm {}: portal {}",
                    vm.name(),
                    Addresses.print(keeper.portal().address()));
        }
    }

    /** The portal of each VM, {@code ip:port}, by the VM's name: what QEMU is to be given. */
    public Map<String, InetSocketAddress> portals() {
        Map<String, InetSocketAddress> portals = new LinkedHashMap<>();
        vms.forEach(vm -> portals.put(vm.name(), vm.portal().address()));
        return portals;
    }

    /** How each VM stands. Not to be called on the agent's loop. */
    public List<VmStatus> status() {
        return onLoop(() -> vms.stream().map(VmKeeper::status).toList(), List.of());
    }

    /** Whether every server serves, as far as the agent knows. Not to be called on the agent's loop. */
    public boolean serverServes() {
        return onLoop(() -> servers.values().stream().allMatch(server -> server.watch.serving()), false);
    }

    /**
     * Has the units of all servers read, and written what was read, as before a thaw.
     *
     * @return completes with what is wrong with them; empty if nothing is
     */
    public CompletableFuture<String> proveUnits() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        loop.execute(() -> home.proveUnits(
                servers.values().stream()
                        .flatMap(server -> server.units.stream())
                        .toList(),
                Set.of(),
                answer::complete));
        return answer;
    }

    /** Completes when the loop that everything hangs on has got round to it. */
    public CompletableFuture<Void> pulse() {
        CompletableFuture<Void> beat = new CompletableFuture<>();
        if (!closed.get()) {
            loop.execute(() -> beat.complete(null));
        }
        return beat;
    }

    private <T> T onLoop(Callable<T> question, T otherwise) {
        if (closed.get()) {
            return otherwise;
        }
        var answer = loop.submit(question);
        return answer.awaitUninterruptibly(STOP_LIMIT_MS) && answer.isSuccess() ? answer.getNow() : otherwise;
    }

    /**
     * Stops watching and releases the ports. VMs stay as they are: those that run go on, unprotected, and those that are
     * frozen stay frozen, to be thawed by the next agent with the same state directory. Not to be called on the agent's
     * loop.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            // The shutdown hook was first; the command's own close comes when the loop takes no tasks any more.
            return;
        }
        servers.values().forEach(server -> server.watch.close());
        vms.forEach(VmKeeper::close);
        awaitRehearsal();
        besides.shutdownNow();
        slowly.shutdownNow();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(STOP_LIMIT_MS);
        try {
            records.close();
        } catch (IOException e) {
            LOG.warn("cannot close the state directory: {}", e.getMessage());
        }
    }

    /** It uses the state directory, which is given back. */
    private void awaitRehearsal() {
        Thread running;
        synchronized (this) {
            running = rehearsal;
        }
        if (running != null) {
            try {
                running.join(STOP_LIMIT_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    // ------------------------------------------------------------------ what the watch says

    /** One server. Owned by the loop. */
    private final class Server implements ServerWatch.Listener {
        private final String name;
        private final InetSocketAddress address;
        private final ServerWatch watch;
        private @Nullable InetSocketAddress lastPortal;
        private List<ExportedUnit> units = List.of();
        private int outage;
        /** The server's own number of its announcement, 0 if there is none. */
        private long announcement;
        /** The same as VMs are told it. */
        private long numbered;

        private final Map<VmKeeper, VmOutcome> outcomes = new LinkedHashMap<>();

        Server(String name, InetSocketAddress address) {
            this.name = name;
            this.address = address;
            watch = new ServerWatch(
                    loop,
                    address,
                    new AgentMessage.Hello(
                            config.name(),
                            ControlProtocol.VERSION,
                            config.vms().stream().map(VmConfig::name).toList()),
                    config.probe(),
                    config.watch(),
                    config.control(),
                    this);
        }

        boolean has(String target) {
            return units.stream().anyMatch(unit -> unit.target().equals(target));
        }

        @Override
        public void serves(ServerView server, InetSocketAddress portal, List<IscsiSession> sessions) {
            lastPortal = portal;
            units = server.description().units();
            LOG.info(
                    "server {}: serves at its portal {} (epoch {})",
                    Addresses.print(address),
                    server.address(),
                    server.epoch());
            listener.serverServes(server.address(), server.epoch());
            loop.execute(() -> watch.tell(new AgentMessage.VmStates(
                    vms.stream().map(VmKeeper::reported).toList())));
            int current = outage;
            int frozen = 0;
            for (VmKeeper vm : byPriority()) {
                int waitMs = 0;
                if (vm.state() == FreezeState.FROZEN || vm.state() == FreezeState.FREEZING) {
                    waitMs = frozen / THAW_GROUP * THAW_GROUP_GAP_MS;
                    frozen++;
                }
                if (waitMs == 0) {
                    vm.serverServes(name, server, portal, sessions);
                } else {
                    loop.schedule(
                            () -> {
                                if (current == outage) {
                                    vm.serverServes(name, server, portal, sessions);
                                }
                            },
                            waitMs,
                            TimeUnit.MILLISECONDS);
                }
            }
        }

        @Override
        public void lost(String why, ServerLoss how) {
            outage++;
            announcement = 0;
            String reason = "server " + Addresses.print(address) + " lost: " + why;
            String event = how == ServerLoss.SILENT ? EventTable.SERVER_SILENT : EventTable.SERVER_CRASH;
            batch.together(() -> vms.forEach(vm -> vm.serverLost(name, event, reason)));
            LOG.warn("{}", reason);
            listener.serverLost(why);
            InetSocketAddress portal = lastPortal;
            if (how != ServerLoss.ENDED && portal != null) {
                besides.execute(() -> breakConnections(portal));
            }
        }

        private void breakConnections(InetSocketAddress portal) {
            for (VmKeeper vm : vms) {
                int pid = onLoop(vm::pid, 0);
                if (pid != 0) {
                    int broken = ConnectionBreaker.breakConnections(pid, portal);
                    LOG.info("vm {}: {} connections to the server that is away broken", vm.name(), broken);
                }
            }
        }

        @Override
        public void goingAway(ServerMessage.GoingAway going) {
            LOG.info(
                    "server {}: announces {} within {}",
                    Addresses.print(address),
                    going.reason(),
                    Spans.print(going.deadlineMs()));
            // Those that are still to be led back to it are not.
            outage++;
            announcement = going.announcementId();
            numbered = ++announcements;
            outcomes.clear();
            long number = numbered;
            batch.together(() -> vms.forEach(
                    vm -> vm.serverGoingAway(name, number, going.reason().name())));
        }

        /** It serves what it served before, until it says otherwise. */
        @Override
        public List<ExportedUnit> unitsWaitedFor() {
            return byPriority().stream()
                    .flatMap(vm -> vm.unitsWaitedFor().stream())
                    .filter(unit -> has(unit.target()))
                    .toList();
        }

        /** A VM's answer to an announcement that may be this server's. */
        void answered(VmKeeper vm, long number, VmOutcome outcome) {
            if (announcement == 0 || number != numbered) {
                return;
            }
            outcomes.put(vm, outcome);
            if (outcomes.size() == vms.size()) {
                watch.answer(new AgentMessage.Frozen(announcement, List.copyOf(outcomes.values())));
                announcement = 0;
            }
        }

        /** The event, and the target that it concerns if it is one alone. */
        private static String inWords(RaisedEvent event) {
            return event.target().isEmpty() ? event.event() : event.event() + " " + event.target();
        }

        @Override
        public void raised(RaisedEvent event) {
            LOG.warn("server {}: {}: {}", Addresses.print(address), inWords(event), event.detail());
            batch.together(() -> vms.forEach(vm -> vm.eventRaised(name, event)));
        }

        @Override
        public void cleared(RaisedEvent event) {
            LOG.info("server {}: {} is over: {}", Addresses.print(address), inWords(event), event.detail());
            byPriority().forEach(vm -> vm.eventCleared(name, event));
        }

        @Override
        public void unitsChanged(ServerView server, ServerMessage.UnitsChanged change) {
            units = server.description().units();
            vms.forEach(vm -> vm.unitsChanged(name, server, change));
        }

        @Override
        public void actionsRegistered(ServerMessage.ActionsRegistered registered) {
            Map<String, VmKeeper> byName = new HashMap<>();
            vms.forEach(vm -> byName.put(vm.name(), vm));
            List<VmActionsTaken> taken = new ArrayList<>();
            batch.together(() -> {
                for (VmActions told : registered.vms()) {
                    VmKeeper vm = byName.get(told.vm());
                    if (vm != null) {
                        vm.actionsRegistered(name, told, answer -> {
                            if (!told.actions().isEmpty()) {
                                taken.add(answer);
                            }
                        });
                    }
                }
            });
            if (!taken.isEmpty()) {
                watch.tell(new AgentMessage.ActionsTaken(taken));
            }
        }

        @Override
        public void sessionOpened(IscsiSession session) {
            vms.forEach(vm -> vm.sessionOpened(name, session));
        }

        @Override
        public void sessionClosed(IscsiSession session) {
            vms.forEach(vm -> vm.sessionClosed(name, session));
        }
    }

    private void tellChanged() {
        AgentMessage.VmStates states = new AgentMessage.VmStates(
                changed.stream().map(VmKeeper::reported).toList());
        changed.clear();
        servers.values().forEach(server -> server.watch.tell(states));
    }

    /** The most important first. */
    private List<VmKeeper> byPriority() {
        return vms.stream()
                .sorted(Comparator.comparingInt(VmKeeper::priority).reversed())
                .toList();
    }

    /** Asks the server that a login is meant for. */
    private final class Proof implements ServerProof {
        @Override
        public void prove(Consumer<Boolean> answer) {
            prove(FreezeEvent.ONLY_SERVER, answer);
        }

        @Override
        public void prove(String server, Consumer<Boolean> answer) {
            Server asked = servers.get(server);
            if (asked == null) {
                answer.accept(false);
            } else {
                asked.watch.prove(answer);
            }
        }
    }

    // ------------------------------------------------------------------ what VMs say

    private final class KeeperHome implements VmKeeper.Home {
        @Override
        public void announcementAnswered(VmKeeper vm, long announcementId, VmOutcome outcome) {
            servers.values().forEach(server -> server.answered(vm, announcementId, outcome));
        }

        /** Told in one line for all that change in one turn of the loop, and after what they have to do. */
        @Override
        public void changed(VmKeeper vm) {
            if (changed.isEmpty()) {
                loop.execute(Agent.this::tellChanged);
            }
            changed.add(vm);
        }

        @Override
        public void actionsAnswered(String name, VmActionsTaken answer) {
            Server server = servers.get(name);
            if (server != null) {
                server.watch.tell(new AgentMessage.ActionsTaken(List.of(answer)));
            }
        }

        @Override
        public void proveUnits(List<ExportedUnit> units, Set<String> initiators, Consumer<String> answer) {
            List<Server> waiting = new ArrayList<>();
            Map<Server, List<ExportedUnit>> asked = new LinkedHashMap<>();
            for (Server server : servers.values()) {
                List<ExportedUnit> there =
                        units.stream().filter(unit -> server.has(unit.target())).toList();
                if (!there.isEmpty()) {
                    waiting.add(server);
                    asked.put(server, there);
                }
            }
            if (waiting.isEmpty()) {
                answer.accept("");
            }
            List<String> objections = new ArrayList<>();
            asked.forEach((server, there) -> server.watch.proveUnits(there, initiators, objection -> {
                waiting.remove(server);
                if (!objection.isEmpty()) {
                    objections.add(objection);
                }
                if (waiting.isEmpty()) {
                    answer.accept(String.join("; ", objections));
                }
            }));
        }

        @Override
        public Executor slowly() {
            return task -> {
                if (!slowly.isShutdown()) {
                    slowly.execute(task);
                }
            };
        }

        @Override
        public AgentListener listener() {
            return listener;
        }

        @Override
        public Logger log() {
            return VM_LOG;
        }

        @Override
        public OptionalInt passed(InetSocketAddress address) {
            return passed.apply(address);
        }

        @Override
        public Executor besides() {
            return task -> {
                if (!besides.isShutdown()) {
                    besides.execute(task);
                }
            };
        }
    }
}
