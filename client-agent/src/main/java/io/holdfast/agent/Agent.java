package io.holdfast.agent;

import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.RecordBatch;
import io.holdfast.agent.freeze.RecordStore;
import io.holdfast.agent.freeze.ServerView;
import io.holdfast.agent.watch.ConnectionBreaker;
import io.holdfast.agent.watch.ServerWatch;
import io.holdfast.control.AgentMessage;
import io.holdfast.control.ControlProtocol;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.ServerMessage;
import io.holdfast.control.VmOutcome;
import io.holdfast.net.Addresses;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent of one client host: one server, any number of VMs. One event loop owns the watch, the portals and the freeze
 * machines, so that between the kernel's word that the server is dead and {@code stop} there is no other thread.
 */
@SuppressWarnings("FutureReturnValueIgnored") // What is handed to the loop is not waited for.
public final class Agent implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Agent.class);
    private static final Logger VM_LOG = LoggerFactory.getLogger(VmKeeper.class);
    /** So many VMs are led back to the server at once; the others follow in groups, so that it is not trampled. */
    private static final int THAW_GROUP = 8;

    private static final int THAW_GROUP_GAP_MS = 50;
    private static final int STOP_LIMIT_MS = 3_000;

    private final AgentConfig config;
    private final AgentListener listener;
    private final EventLoopGroup group;
    private final EventLoop loop;
    private final ExecutorService besides =
            Executors.newSingleThreadExecutor(new DefaultThreadFactory("agent-besides", true));
    private final AtomicBoolean closed = new AtomicBoolean();
    private final RecordStore records;
    private final RecordBatch batch;
    private volatile @Nullable Thread rehearsal;
    private final List<VmKeeper> vms = new ArrayList<>();
    private final ServerWatch watch;

    // Owned by the loop.
    private @Nullable InetSocketAddress lastPortal;
    private int outage;
    private long announcement;
    private final Map<VmKeeper, VmOutcome> outcomes = new LinkedHashMap<>();

    private Agent(AgentConfig config, AgentListener listener, RecordStore records) {
        this.config = config;
        this.listener = listener;
        this.records = records;
        batch = new RecordBatch(records);
        group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("agent", false), EpollIoHandler.newFactory());
        loop = group.next();
        watch = new ServerWatch(
                loop,
                config.server(),
                new AgentMessage.Hello(
                        config.name(),
                        ControlProtocol.VERSION,
                        config.vms().stream().map(VmConfig::name).toList()),
                config.probe(),
                config.watch(),
                config.control(),
                new Server());
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
            agent = new Agent(config, listener, records);
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
        agent.watch.start();
        agent.vms.forEach(VmKeeper::start);
        agent.rehearsal = Rehearsal.begin(config.stateDirectory(), listener);
        return agent;
    }

    private void openPortals() throws IOException {
        int port = AgentConfig.FIRST_PORTAL_PORT;
        for (VmConfig vm : config.vms()) {
            InetSocketAddress address =
                    vm.portal().orElse(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            port++;
            VmKeeper keeper = new VmKeeper(vm, address, loop, batch, watch, config.portals(), new KeeperHome());
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

    /** Whether the server serves, as far as the agent knows. Not to be called on the agent's loop. */
    public boolean serverServes() {
        return onLoop(watch::serving, false);
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
        watch.close();
        vms.forEach(VmKeeper::close);
        awaitRehearsal();
        besides.shutdownNow();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(STOP_LIMIT_MS);
        try {
            records.close();
        } catch (IOException e) {
            LOG.warn("cannot close the state directory: {}", e.getMessage());
        }
    }

    /** It uses the state directory, which is given back. */
    private void awaitRehearsal() {
        Thread running = rehearsal;
        if (running != null) {
            try {
                running.join(STOP_LIMIT_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    // ------------------------------------------------------------------ what the watch says

    private final class Server implements ServerWatch.Listener {
        @Override
        public void serves(ServerView server, InetSocketAddress portal, List<IscsiSession> sessions) {
            lastPortal = portal;
            LOG.info(
                    "server {}: serves at its portal {} (epoch {})",
                    Addresses.print(config.server()),
                    server.address(),
                    server.epoch());
            listener.serverServes(server.address(), server.epoch());
            int current = outage;
            int frozen = 0;
            for (VmKeeper vm : vms) {
                int waitMs = 0;
                if (vm.state() == FreezeState.FROZEN || vm.state() == FreezeState.FREEZING) {
                    waitMs = frozen / THAW_GROUP * THAW_GROUP_GAP_MS;
                    frozen++;
                }
                if (waitMs == 0) {
                    vm.serverServes(server, portal, sessions);
                } else {
                    loop.schedule(
                            () -> {
                                if (current == outage) {
                                    vm.serverServes(server, portal, sessions);
                                }
                            },
                            waitMs,
                            TimeUnit.MILLISECONDS);
                }
            }
        }

        @Override
        public void lost(String why, boolean silent) {
            outage++;
            announcement = 0;
            String reason = "server " + Addresses.print(config.server()) + " lost: " + why;
            batch.together(() -> vms.forEach(vm -> vm.serverLost(reason)));
            LOG.warn("{}", reason);
            listener.serverLost(why);
            InetSocketAddress portal = lastPortal;
            if (silent && portal != null) {
                besides.execute(() -> breakConnections(portal));
            }
        }

        private void breakConnections(InetSocketAddress portal) {
            for (VmKeeper vm : vms) {
                int pid = onLoop(vm::pid, 0);
                if (pid != 0) {
                    int broken = ConnectionBreaker.breakConnections(pid, portal);
                    LOG.info("vm {}: {} connections to the silent server broken", vm.name(), broken);
                }
            }
        }

        @Override
        public void goingAway(ServerMessage.GoingAway going) {
            LOG.info(
                    "server {}: announces {} within {} ms",
                    Addresses.print(config.server()),
                    going.reason(),
                    going.deadlineMs());
            announcement = going.announcementId();
            outcomes.clear();
            batch.together(() -> vms.forEach(vm ->
                    vm.serverGoingAway(going.announcementId(), going.reason().name())));
        }

        @Override
        public void sessionOpened(IscsiSession session) {
            vms.forEach(vm -> vm.sessionOpened(session));
        }

        @Override
        public void sessionClosed(IscsiSession session) {
            vms.forEach(vm -> vm.sessionClosed(session));
        }
    }

    // ------------------------------------------------------------------ what VMs say

    private final class KeeperHome implements VmKeeper.Home {
        @Override
        public void announcementAnswered(VmKeeper vm, long announcementId, VmOutcome outcome) {
            if (announcementId != announcement) {
                return;
            }
            outcomes.put(vm, outcome);
            if (outcomes.size() == vms.size()) {
                watch.answer(new AgentMessage.Frozen(announcementId, List.copyOf(outcomes.values())));
                announcement = 0;
            }
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
        public Executor besides() {
            return task -> {
                if (!besides.isShutdown()) {
                    besides.execute(task);
                }
            };
        }
    }
}
