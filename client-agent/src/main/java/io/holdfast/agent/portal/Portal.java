package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.net.NetworkFailure;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollServerSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The listening side of one VM's portal. A listener of its own per VM tells whose session a login is, without guessing.
 *
 * <p>Owned by one event loop, on which everything but {@link #open} is called.
 *
 * <pre>
 *   login ─► server serves, and answers a probe? ─yes─► redirect (or relay) to it
 *                 │ no
 *                 ├─ libiscsi, and was here before ──► stand-in: the VM's requests are failed and kept by QEMU
 *                 └─ anybody else ───────────────────► held unanswered until it serves
 * </pre>
 *
 * <p>A first login must be held, because a QEMU that starts gives up on an error; a kernel initiator's too, because its
 * guests would see the stand-in's errors.
 */
public final class Portal implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Portal.class);
    private static final int BACKLOG = 128;
    private static final int MAX_KNOWN = 256;

    /** Hears what the portal learns, on its loop. */
    public interface Listener {
        /** An initiator was led to the server, or is relayed to it. */
        void ledToServer(String initiator, long isid, String target);

        /** The first command since the server went has been failed; told before the answer is sent. */
        void standInAnswered();
    }

    /**
     * What an earlier run of the agent knew of the VM.
     *
     * @param relay see {@link #relayData}
     * @param targetsInUse see {@link #targetsInUse}
     * @param servers the names of the servers it may lead to
     */
    public record Beginning(boolean relay, Set<String> targetsInUse, Set<String> servers) {
        /** Nothing. */
        public static final Beginning NEW = new Beginning(false, Set.of());

        public Beginning {
            targetsInUse = Set.copyOf(targetsInUse);
            servers = Set.copyOf(servers);
        }

        /** Of a portal that leads to one server. */
        public Beginning(boolean relay, Set<String> targetsInUse) {
            this(relay, targetsInUse, Set.of(ONLY_SERVER));
        }
    }

    private static final String ONLY_SERVER = "";

    /** One of the servers it leads to. */
    private static final class Route {
        final String server;
        /** Null while it is away. */
        @Nullable
        InetSocketAddress address;

        List<String> targets = List.of();
        /** Tag of the portal group it is in at the server; what this portal says of itself, so that both agree. */
        int group = 1;
        /** Nothing is answered in its place. */
        boolean holds;

        Route(String server) {
            this.server = server;
        }
    }

    private final String vm;
    private final EventLoop loop;
    private final ServerProof proof;
    private final Listener listener;
    private final PortalLimits limits;
    private final Set<PortalConnection> connections = new LinkedHashSet<>();
    private final Set<String> known = new LinkedHashSet<>();

    private Set<String> knownTargets = Set.of();
    private final Map<String, Route> routes = new LinkedHashMap<>();
    private boolean relay;
    private boolean errorsReachGuest;
    private boolean answered;
    private @Nullable Channel listening;

    private Portal(String vm, EventLoop loop, ServerProof proof, Listener listener, PortalLimits limits) {
        this.vm = vm;
        this.loop = loop;
        this.proof = proof;
        this.listener = listener;
        this.limits = limits;
    }

    /**
     * Begins to listen. Until {@link #serve} it stands in.
     *
     * @param vm the VM's name, for the log
     * @param passed descriptor of a socket that listens there already; empty for one to be made
     * @param loop an epoll loop
     * @throws IOException if the address cannot be bound
     */
    public static Portal open(
            String vm,
            InetSocketAddress address,
            OptionalInt passed,
            EventLoop loop,
            ServerProof proof,
            Listener listener,
            PortalLimits limits,
            Beginning beginning)
            throws IOException {
        Portal portal = new Portal(vm, loop, proof, listener, limits);
        // Before anybody can log in: QEMU comes back to a new agent within milliseconds.
        portal.relay = beginning.relay();
        portal.knownTargets = beginning.targetsInUse();
        beginning.servers().stream().sorted().forEach(server -> portal.routes.put(server, new Route(server)));
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(loop)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(limits.unsentBytes() / 2, limits.unsentBytes()))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new PortalConnection(portal));
                    }
                });
        var bound = (passed.isEmpty()
                        ? bootstrap.channel(EpollServerSocketChannel.class).bind(address)
                        : bootstrap
                                .channelFactory(() -> new EpollServerSocketChannel(passed.getAsInt()))
                                .register())
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "VM " + vm + ": " + NetworkFailure.ofListening(address, bound.cause()), bound.cause());
        }
        portal.listening = bound.channel();
        return portal;
    }

    /** Where QEMU is to log in. */
    public InetSocketAddress address() {
        Channel channel = listening;
        if (channel == null) {
            throw new IllegalStateException("not listening");
        }
        return (InetSocketAddress) channel.localAddress();
    }

    /**
     * Logins go to the server from now on; those that are held go first.
     *
     * @param targets iSCSI names it serves, for discovery
     */
    public void serve(InetSocketAddress newServer, List<String> targets) {
        serve(ONLY_SERVER, newServer, targets);
    }

    /** The same for one of several servers. */
    public void serve(String server, InetSocketAddress newServer, List<String> targets) {
        Route route = route(server);
        route.address = newServer;
        route.targets = List.copyOf(targets);
        route.holds = false;
        answered = false;
        for (PortalConnection connection : List.copyOf(connections)) {
            connection.serverServes();
        }
    }

    /**
     * The tag of the portal group that a server's portal is in: initiators compare what discovery has told them with what
     * they hear at login (RFC 7143 §13.9), and some of them hear the first from here and the second from the server.
     */
    public void group(String server, int tag) {
        route(server).group = tag;
    }

    /** What a server serves, for discovery and to find it, has changed. */
    public void targets(String server, List<String> targets) {
        route(server).targets = List.copyOf(targets);
    }

    /** Logins no longer go to the server, and sessions that are relayed to it are stood in for at once. */
    public void standIn() {
        standIn(ONLY_SERVER);
    }

    /** The same for one of several servers. */
    public void standIn(String server) {
        Route away = route(server);
        away.address = null;
        for (PortalConnection connection : List.copyOf(connections)) {
            if (leadsTo(connection, away)) {
                connection.serverAway();
            }
        }
    }

    /** Logins of a server's targets wait from now on, and nothing is answered in its place. */
    public void hold(String server) {
        route(server).holds = true;
        standIn(server);
    }

    private Route route(String server) {
        return routes.computeIfAbsent(server, Route::new);
    }

    private boolean leadsTo(PortalConnection connection, Route route) {
        LoginPdu login = connection.login();
        return login == null || routeOf(login) == null || routeOf(login) == route;
    }

    /** Where a login belongs; null if it is not known which server has its target. */
    private @Nullable Route routeOf(LoginPdu login) {
        if (routes.size() == 1) {
            return routes.values().iterator().next();
        }
        for (Route route : routes.values()) {
            if (route.targets.contains(login.target())) {
                return route;
            }
        }
        // Nobody has it: any server may say so, once all have told what they have.
        boolean allKnown = routes.values().stream().allMatch(route -> route.address != null);
        return allKnown || login.discovery() ? routes.values().iterator().next() : null;
    }

    /**
     * Sends the stand-in's sessions away, so that they log in anew.
     *
     * @return how many there were
     */
    public int closeStandIns() {
        return closeStandIns(ONLY_SERVER);
    }

    /** The same for the targets of one of several servers. */
    public int closeStandIns(String server) {
        Route back = route(server);
        return (int) List.copyOf(connections).stream()
                .filter(connection -> leadsTo(connection, back))
                .filter(PortalConnection::letGo)
                .count();
    }

    /** From now on data passes through the portal. Sessions that were led to the server stay where they are. */
    public void relayData() {
        relay = true;
    }

    /** From now on logins are redirected. Sessions that are relayed stay so. */
    public void redirectLogins() {
        relay = false;
    }

    /**
     * QEMU has these targets open through this portal: whoever logs in to them has been here before.
     */
    public void targetsInUse(Set<String> targets) {
        knownTargets = Set.copyOf(targets);
    }

    /**
     * Whether the stand-in's errors would reach the guest, because QEMU was not told to stop on them. Then nobody is stood
     * in for: a login that waits blocks QEMU's monitor, but the guest only stalls.
     */
    public void errorsReachGuest(boolean reach) {
        errorsReachGuest = reach;
    }

    /** False if requests must rather wait than be failed. */
    boolean mayFail(LoginPdu login) {
        Route route = routeOf(login);
        return !errorsReachGuest && (route == null || !route.holds);
    }

    /** QEMU ended: whoever comes now comes for the first time. */
    public void forgetInitiators() {
        errorsReachGuest = false;
        known.clear();
        knownTargets = Set.of();
    }

    /** Sessions that the stand-in serves at this moment. */
    public long standIns() {
        return connections.stream().filter(PortalConnection::standingIn).count();
    }

    @Override
    public void close() {
        Channel channel = listening;
        if (channel != null) {
            channel.close().awaitUninterruptibly();
        }
        loop.submit(() -> List.copyOf(connections).forEach(connection -> connection.end("the agent stops")))
                .awaitUninterruptibly();
    }

    // ------------------------------------------------------------------ for its connections

    PortalLimits limits() {
        return limits;
    }

    /** Finds out whether the server that a login belongs to serves. */
    void prove(LoginPdu login, Consumer<Boolean> answer) {
        Route route = routeOf(login);
        if (route == null) {
            answer.accept(false);
        } else {
            proof.prove(route.server, answer);
        }
    }

    /** Where the server of a login is; null while it is away. */
    @Nullable
    InetSocketAddress server(LoginPdu login) {
        Route route = routeOf(login);
        return route == null ? null : route.address;
    }

    /** Whether the data of new logins passes through. */
    public boolean relays() {
        return relay;
    }

    /** What discovery is to list: names, each with the tag of the portal group. */
    Map<String, Integer> targets() {
        Map<String, Integer> targets = new LinkedHashMap<>();
        routes.values().forEach(route -> route.targets.forEach(name -> targets.putIfAbsent(name, route.group)));
        return targets;
    }

    /** The tag of the portal group of a login's server. */
    int group(LoginPdu login) {
        Route route = routeOf(login);
        return route == null ? 1 : route.group;
    }

    /** @return false if there are too many */
    boolean admit(PortalConnection connection) {
        if (connections.size() >= limits.connections()) {
            LOG.warn("vm {}: portal has {} connections, the limit; one more is refused", vm, connections.size());
            return false;
        }
        return connections.add(connection);
    }

    void gone(PortalConnection connection, String why) {
        if (connections.remove(connection)) {
            LOG.debug("vm {}: portal: {} ended: {}", vm, connection, why);
        }
    }

    /** A peer did what it must not; one line for people. */
    void objects(PortalConnection connection, String why) {
        LOG.warn("vm {}: portal: connection of {} closed: {}", vm, connection, why);
    }

    /** QEMU hangs meanwhile, its monitor too; whoever looks for the reason finds it here. */
    void holds(LoginPdu login) {
        LOG.info(
                "vm {}: {} logs in while the server is away: the login waits until it serves, and QEMU with it",
                vm,
                TextKeys.printable(login.initiator()));
    }

    void note(PortalConnection connection, String what) {
        LOG.debug("vm {}: portal: {} {}", vm, connection, what);
    }

    boolean mayHold() {
        return connections.stream().filter(PortalConnection::held).count() < limits.held();
    }

    /** Whether a login that cannot be led to the server is to be answered, or to wait. */
    boolean standsInFor(LoginPdu login) {
        return mayFail(login)
                && login.fromLibiscsi()
                && !login.discovery()
                && (known.contains(key(login)) || knownTargets.contains(login.target()));
    }

    void ledToServer(LoginPdu login) {
        if (known.size() < MAX_KNOWN) {
            known.add(key(login));
        }
        listener.ledToServer(login.initiator(), login.isid(), login.target());
    }

    void commandFailed() {
        if (!answered) {
            answered = true;
            listener.standInAnswered();
        }
    }

    private static String key(LoginPdu login) {
        return login.initiator() + '\n' + login.target();
    }

    /** For tests and for people: what each connection is doing. */
    Stream<PortalConnection> connections() {
        return connections.stream();
    }
}
