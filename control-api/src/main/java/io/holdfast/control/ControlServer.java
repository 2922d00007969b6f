package io.holdfast.control;

import io.holdfast.net.NetworkFailure;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's end: tells agents what is served, which sessions are open, and when it is going away.
 *
 * <p>Thread-safe. What is shared (agents, sessions, the announcement under way) is guarded by {@code lock}, which is held
 * for no longer than it takes to queue a line to each agent. The mapper and everything else that is slow is loaded with
 * the first agent, not by {@link #start}.
 */
public final class ControlServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlServer.class);
    private static final int BACKLOG = 128;
    /** How long a closing server waits until its last line is on the way to an agent. */
    private static final int GOODBYE_LIMIT_MS = 200;

    private final Object lock = new Object();
    private final ControlSettings settings;
    private final long epoch = System.currentTimeMillis();
    private final EventLoopGroup group;
    private final boolean ownsGroup;

    // Guarded by lock.
    /** Null until {@link #serve}. */
    private @Nullable Supplier<ServerDescription> description;
    /** Those that have said hello before there was anything to tell them. */
    private final Set<AgentConnection> early = new LinkedHashSet<>();

    private final Set<AgentConnection> agents = new LinkedHashSet<>();
    private final Map<IscsiSession, Integer> sessions = new LinkedHashMap<>();
    private final List<RaisedEvent> raised = new ArrayList<>();
    private final Map<AgentConnection, Map<String, VmState>> vmStates = new LinkedHashMap<>();
    private final Map<AgentConnection, Map<String, VmActionsTaken>> actionsTaken = new LinkedHashMap<>();
    /** What operators have registered for a VM, by its name. */
    private Function<String, VmActions> registered = VmActions::none;

    private final List<Announcement> announcements = new ArrayList<>();
    private long lastAnnouncementId;
    private long freezes;
    /** Goes up with each change of what is served, or registered. */
    private long changes;
    /** The last one, which agents that come later are told too. */
    private @Nullable Announcement departure;

    private boolean closed;

    private volatile UnitProver prover = UnitProver.NONE;

    private @Nullable Channel listener;

    private ControlServer(EventLoopGroup group, boolean ownsGroup, ControlSettings settings) {
        this.group = group;
        this.ownsGroup = ownsGroup;
        this.settings = settings;
    }

    /**
     * Listens, on a thread of its own.
     *
     * @param description asked anew for every agent; called on the server's thread
     * @throws IOException if the address cannot be bound
     */
    public static ControlServer start(
            InetSocketAddress address, Supplier<ServerDescription> description, ControlSettings settings)
            throws IOException {
        EventLoopGroup own = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("control-server", true), NioIoHandler.newFactory());
        ControlServer server = new ControlServer(own, true, settings);
        server.serve(description);
        server.listen(address, NioServerSocketChannel::new);
        return server;
    }

    /**
     * Listens on the caller's event loops, which stay the caller's.
     *
     * @param channelType the kind of listening channel that fits the group
     * @throws IOException if the address cannot be bound
     */
    public static ControlServer start(
            InetSocketAddress address,
            EventLoopGroup group,
            Class<? extends ServerChannel> channelType,
            Supplier<ServerDescription> description,
            ControlSettings settings)
            throws IOException {
        ControlServer server = new ControlServer(group, false, settings);
        server.serve(description);
        server.listen(address, new ReflectiveChannelFactory<>(channelType));
        return server;
    }

    /**
     * Listens before there is anything to serve: agents connect and say hello, and are welcomed by {@link #serve}.
     *
     * @param own a group of one thread, which becomes the server's
     * @param listening makes a channel of the kind that fits the group
     * @throws IOException if the address cannot be bound
     */
    public static ControlServer open(
            InetSocketAddress address,
            EventLoopGroup own,
            ChannelFactory<? extends ServerChannel> listening,
            ControlSettings settings)
            throws IOException {
        ControlServer server = new ControlServer(own, true, settings);
        server.listen(address, listening);
        return server;
    }

    /**
     * The same at a socket that listens already.
     *
     * @param own a group of one thread, which becomes the server's
     * @param listening makes the socket's channel, of the kind that fits the group
     * @throws IOException if the socket cannot be used
     */
    public static ControlServer adopt(
            EventLoopGroup own, ChannelFactory<? extends ServerChannel> listening, ControlSettings settings)
            throws IOException {
        ControlServer server = new ControlServer(own, true, settings);
        var registered = server.bootstrap().channelFactory(listening).register().awaitUninterruptibly();
        if (!registered.isSuccess()) {
            server.close();
            throw new IOException(
                    "control port: the socket that was passed cannot be used: "
                            + registered.cause().getMessage(),
                    registered.cause());
        }
        server.listener = registered.channel();
        return server;
    }

    private void listen(InetSocketAddress address, ChannelFactory<? extends ServerChannel> listening)
            throws IOException {
        var bound = bootstrap().channelFactory(listening).bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            close();
            throw new IOException("control port: " + NetworkFailure.ofListening(address, bound.cause()), bound.cause());
        }
        listener = bound.channel();
    }

    private ServerBootstrap bootstrap() {
        return new ServerBootstrap()
                .group(group)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(settings.maxUnsentBytes() / 2, settings.maxUnsentBytes()))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(new LineBasedFrameDecoder(ControlProtocol.MAX_LINE_BYTES))
                                .addLast(new AgentConnection(ControlServer.this, settings));
                    }
                });
    }

    /**
     * Welcomes the agents that are there, and all that come.
     *
     * @param served asked anew for every agent; called on the server's thread
     */
    public void serve(Supplier<ServerDescription> served) {
        List<AgentConnection> waiting;
        synchronized (lock) {
            description = served;
            waiting = List.copyOf(early);
            early.clear();
        }
        waiting.forEach(AgentConnection::beAdmitted);
    }

    /** Where agents find this server. */
    public InetSocketAddress localAddress() {
        Channel channel = listener;
        if (channel == null) {
            throw new IllegalStateException("not listening");
        }
        return (InetSocketAddress) channel.localAddress();
    }

    /** Identifies this life of the server. */
    public long epoch() {
        return epoch;
    }

    /** Names of the agents that are connected now. */
    public List<String> agents() {
        synchronized (lock) {
            return agents.stream().map(AgentConnection::name).toList();
        }
    }

    /** An agent that is connected. */
    public record Connected(String name, String peer, Instant since, List<String> vms) {}

    /** The agents that are connected now. */
    public List<Connected> connected() {
        synchronized (lock) {
            return agents.stream()
                    .map(agent -> new Connected(agent.name(), agent.peer(), agent.since(), agent.vms()))
                    .toList();
        }
    }

    public void sessionOpened(IscsiSession session) {
        synchronized (lock) {
            sessions.merge(session, 1, Integer::sum);
            broadcast(new ServerMessage.SessionOpened(session));
        }
    }

    public void sessionClosed(IscsiSession session) {
        synchronized (lock) {
            sessions.computeIfPresent(session, (s, count) -> count > 1 ? count - 1 : null);
            broadcast(new ServerMessage.SessionClosed(session));
        }
    }

    /** Tells all agents that what is served has changed; those that come later hear it from the description. */
    public void unitsChanged(ServerMessage.UnitsChanged change) {
        synchronized (lock) {
            changes++;
            broadcast(change);
        }
    }

    /**
     * Where to ask what operators have registered for VMs. Before {@link #serve}, or agents that come in between are told that
     * nothing is.
     *
     * @param source asked for each VM of each agent, by name; on any thread, and must answer from memory
     */
    public void registeredActions(Function<String, VmActions> source) {
        synchronized (lock) {
            registered = source;
        }
    }

    /** Who proves units for agents that these do not let in. */
    public void provedBy(UnitProver units) {
        prover = units;
    }

    UnitProver prover() {
        return prover;
    }

    /** Tells the agents of these VMs what is registered for them now; those that come later ask anew. */
    public void actionsChanged(Collection<String> vms) {
        synchronized (lock) {
            changes++;
            for (AgentConnection agent : agents) {
                List<String> its = agent.vms().stream().filter(vms::contains).toList();
                if (!its.isEmpty()) {
                    agent.send(MessageCodec.line(actionsOf(its, registered)));
                }
            }
        }
    }

    private static ServerMessage.ActionsRegistered actionsOf(List<String> vms, Function<String, VmActions> source) {
        return new ServerMessage.ActionsRegistered(
                vms.stream().limit(VmActions.MAX_VMS).map(source).toList());
    }

    /** What each agent has made of what is registered for its VMs, as far as it has said, by the agent's name. */
    public Map<String, List<VmActionsTaken>> actionsTaken() {
        synchronized (lock) {
            Map<String, List<VmActionsTaken>> taken = new LinkedHashMap<>();
            actionsTaken.forEach((agent, vms) -> taken.put(agent.name(), List.copyOf(vms.values())));
            return taken;
        }
    }

    /**
     * Tells all agents, now and when they come, that something is wrong. Raised again, it only gets another detail.
     *
     * @return false if it was raised already
     */
    public boolean raise(RaisedEvent event) {
        synchronized (lock) {
            boolean known = raised.removeIf(other -> other.is(event.event(), event.target()));
            raised.add(event);
            broadcast(new ServerMessage.Raised(event));
            return !known;
        }
    }

    /**
     * Tells all agents that it is well again.
     *
     * @param event its detail says how it came to be well
     * @return false if it was not raised
     */
    public boolean clear(RaisedEvent event) {
        synchronized (lock) {
            boolean known = raised.removeIf(other -> other.is(event.event(), event.target()));
            if (known) {
                broadcast(new ServerMessage.Cleared(event));
            }
            return known;
        }
    }

    /** Where the VMs of each agent that is connected stand, as far as it has said, by the agent's name. */
    public Map<String, List<VmState>> vmStates() {
        synchronized (lock) {
            Map<String, List<VmState>> states = new LinkedHashMap<>();
            for (AgentConnection agent : agents) {
                states.put(
                        agent.name(),
                        List.copyOf(vmStates.getOrDefault(agent, Map.of()).values()));
            }
            return states;
        }
    }

    /** How often agents have said that a VM is frozen now, also those that were when they came. */
    public long freezes() {
        synchronized (lock) {
            return freezes;
        }
    }

    private static boolean isFrozen(VmState vm) {
        return vm.state().equals("FROZEN");
    }

    /** What is wrong now. */
    public List<RaisedEvent> raised() {
        synchronized (lock) {
            return List.copyOf(raised);
        }
    }

    /**
     * Tells all agents that the server is about to go; those that come later are told with their welcome.
     *
     * @param limit how long to wait for them
     * @return completes, never exceptionally, when every agent that is still connected has said that its VMs are frozen,
     *     or the limit has passed. An agent that disconnects does not hold it up
     */
    public CompletableFuture<AnnouncementOutcome> announce(ServerMessage.Reason reason, Duration limit) {
        Announcement announcement;
        synchronized (lock) {
            announcement = new Announcement(++lastAnnouncementId, reason, limit, agents);
            departure = announcement;
            announcements.add(announcement);
            broadcast(announcement.message());
            finishIfAnswered(announcement);
        }
        var timer = group.schedule(() -> finish(announcement), limit.toMillis(), TimeUnit.MILLISECONDS);
        return announcement.future.whenComplete((outcome, error) -> timer.cancel(false));
    }

    /** Says bye to every agent. Not to be called on an event loop. */
    @Override
    public void close() {
        Channel channel = listener;
        if (channel != null) {
            channel.close().awaitUninterruptibly();
        }
        List<AgentConnection> leaving;
        synchronized (lock) {
            closed = true;
            leaving = new ArrayList<>(agents);
            leaving.addAll(early);
        }
        List<ChannelFuture> goodbyes = leaving.stream()
                .map(agent -> agent.sendAndClose(new ServerMessage.Bye("the server stops")))
                .flatMap(Optional::stream)
                .toList();
        goodbyes.forEach(goodbye -> goodbye.awaitUninterruptibly(GOODBYE_LIMIT_MS));
        if (ownsGroup) {
            group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(3, TimeUnit.SECONDS);
        }
    }

    // ------------------------------------------------------------------ called by connections, on their event loop

    /** @return why the agent is not wanted, or null if it is welcomed, now or when there is something to tell it */
    @Nullable
    String admit(AgentConnection agent) {
        while (true) {
            long before;
            Supplier<ServerDescription> served;
            synchronized (lock) {
                before = changes;
                served = description;
                if (served == null) {
                    return hold(agent);
                }
            }
            // Not under the lock: it may be long.
            ServerDescription server = served.get();
            synchronized (lock) {
                if (changes == before) {
                    String objection = admit(agent, server);
                    if (objection != null) {
                        return objection;
                    }
                    break;
                }
            }
        }
        // Behind the welcome, which frozen guests wait for, and not under the lock: it may be long.
        tellAllActions(agent);
        return null;
    }

    private void tellAllActions(AgentConnection agent) {
        while (true) {
            long before;
            Function<String, VmActions> source;
            synchronized (lock) {
                before = changes;
                source = registered;
            }
            ByteBuf line = MessageCodec.line(actionsOf(agent.vms(), source));
            synchronized (lock) {
                if (changes == before) {
                    agent.send(line);
                    return;
                }
            }
            line.release();
        }
    }

    /** Under lock. */
    private @Nullable String admit(AgentConnection agent, ServerDescription server) {
        if (closed) {
            return "the server stops";
        }
        if (agents.size() >= settings.maxAgents()) {
            return "this server has " + agents.size() + " agents already, the limit is " + settings.maxAgents();
        }
        List<IscsiSession> open = new ArrayList<>();
        sessions.forEach((session, count) -> {
            for (int i = 0; i < count; i++) {
                open.add(session);
            }
        });
        ByteBuf welcome = MessageCodec.line(new ServerMessage.Welcome(
                ControlProtocol.VERSION, epoch, settings.heartbeatMs(), server, open, List.copyOf(raised)));
        if (welcome.readableBytes() > ControlProtocol.MAX_LINE_BYTES) {
            int bytes = welcome.readableBytes();
            welcome.release();
            return "the welcome would have " + bytes + " bytes, the limit is " + ControlProtocol.MAX_LINE_BYTES;
        }
        agents.add(agent);
        agent.send(welcome);
        Announcement announced = departure;
        if (announced != null) {
            // Also when it is answered already: the server goes all the same, and nothing is to be thawed for it.
            if (announcements.contains(announced)) {
                announced.asked.add(agent);
            }
            agent.send(MessageCodec.line(announced.message()));
        }
        LOG.info("agent {} connected, VMs {}", agent.name(), agent.vms());
        return null;
    }

    /** Under lock. */
    private @Nullable String hold(AgentConnection agent) {
        if (closed) {
            return "the server stops";
        }
        if (early.size() >= settings.maxAgents()) {
            return early.size() + " agents wait for this server's start already, the limit is " + settings.maxAgents();
        }
        early.add(agent);
        return null;
    }

    void frozen(AgentConnection agent, AgentMessage.Frozen message) {
        synchronized (lock) {
            for (Announcement announcement : List.copyOf(announcements)) {
                if (announcement.id == message.announcementId()) {
                    announcement.answered.put(agent, message.vms());
                    finishIfAnswered(announcement);
                }
            }
        }
    }

    void vmStates(AgentConnection agent, AgentMessage.VmStates message) {
        synchronized (lock) {
            if (!agents.contains(agent)) {
                return;
            }
            Map<String, VmState> known = vmStates.computeIfAbsent(agent, a -> new LinkedHashMap<>());
            for (VmState vm : message.vms()) {
                // No more than it said it looks after: what a peer sends must not grow without limit.
                if (agent.vms().contains(vm.vm())) {
                    VmState before = known.put(vm.vm(), vm);
                    freezes += isFrozen(vm) && (before == null || !isFrozen(before)) ? 1 : 0;
                }
            }
        }
    }

    void actionsTaken(AgentConnection agent, AgentMessage.ActionsTaken message) {
        synchronized (lock) {
            if (!agents.contains(agent)) {
                return;
            }
            Map<String, VmActionsTaken> known = actionsTaken.computeIfAbsent(agent, a -> new LinkedHashMap<>());
            for (VmActionsTaken vm : message.vms()) {
                // As with states: no more than it looks after.
                if (agent.vms().contains(vm.vm())
                        && !vm.equals(known.put(vm.vm(), vm))
                        && !vm.refused().isEmpty()) {
                    LOG.warn("agent {} refuses actions of VM {}: {}", agent.name(), vm.vm(), vm.refused());
                }
            }
        }
    }

    void left(AgentConnection agent, String why) {
        synchronized (lock) {
            vmStates.remove(agent);
            actionsTaken.remove(agent);
            early.remove(agent);
            if (!agents.remove(agent)) {
                return;
            }
            List.copyOf(announcements).forEach(this::finishIfAnswered);
        }
        LOG.info("agent {} left: {}", agent.name(), why);
    }

    // ------------------------------------------------------------------ under lock

    private void broadcast(ServerMessage message) {
        for (AgentConnection agent : agents) {
            agent.send(MessageCodec.line(message));
        }
    }

    private void finishIfAnswered(Announcement announcement) {
        boolean open = announcement.asked.stream()
                .anyMatch(agent -> agents.contains(agent) && !announcement.answered.containsKey(agent));
        if (!open) {
            finish(announcement);
        }
    }

    private void finish(Announcement announcement) {
        Map<String, List<VmOutcome>> answered = new LinkedHashMap<>();
        List<String> unanswered = new ArrayList<>();
        synchronized (lock) {
            if (!announcements.remove(announcement)) {
                return;
            }
            for (AgentConnection agent : announcement.asked) {
                List<VmOutcome> vms = announcement.answered.get(agent);
                if (vms != null) {
                    answered.put(agent.name(), vms);
                } else if (agents.contains(agent)) {
                    unanswered.add(agent.name());
                }
            }
        }
        long elapsedMs = (System.nanoTime() - announcement.beganNanos) / 1_000_000;
        // Not on this thread: whoever waits may do long things, and this may be an event loop that holds the lock.
        announcement.future.completeAsync(() -> new AnnouncementOutcome(answered, unanswered, elapsedMs));
    }

    /** One call of {@link #announce}. Guarded by lock. */
    private static final class Announcement {
        final long id;
        final ServerMessage.Reason reason;
        final Duration limit;
        final Set<AgentConnection> asked;
        final Map<AgentConnection, List<VmOutcome>> answered = new LinkedHashMap<>();
        final long beganNanos = System.nanoTime();
        final CompletableFuture<AnnouncementOutcome> future = new CompletableFuture<>();

        Announcement(long id, ServerMessage.Reason reason, Duration limit, Set<AgentConnection> asked) {
            this.id = id;
            this.reason = reason;
            this.limit = limit;
            this.asked = new LinkedHashSet<>(asked);
        }

        /** As it is to be told now: the time that is left is the same for all. */
        ServerMessage.GoingAway message() {
            long elapsedMs = (System.nanoTime() - beganNanos) / 1_000_000;
            return new ServerMessage.GoingAway(id, reason, Math.max(0, limit.toMillis() - elapsedMs));
        }
    }
}
