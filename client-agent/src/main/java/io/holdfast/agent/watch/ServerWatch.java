package io.holdfast.agent.watch;

import io.holdfast.agent.freeze.ServerView;
import io.holdfast.agent.portal.ServerProof;
import io.holdfast.control.AgentMessage;
import io.holdfast.control.ControlClient;
import io.holdfast.control.ControlSettings;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.RaisedEvent;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.ServerMessage;
import io.holdfast.net.Addresses;
import io.holdfast.net.Spans;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches one server. Owned by one event loop.
 *
 * <pre>
 *            connect           welcome            discovery login answered
 *   AWAY ─────────────► INTRODUCING ─────► PROVING ────────────────────────► SERVING
 *    ▲  ▲                   │                 │                                │  │
 *    │  └── no welcome ─────┴─ closed ────────┘                                │  │ silent for a second:
 *    │                                                                         │  │ another discovery login
 *    ├──────────────────── connection closed: the process is dead ─────────────┘  │
 *    └──────────────────── the login is not answered either ──────────────────────┘
 * </pre>
 *
 * <p>A broken control connection is believed at once, because the kernel breaks it when the process dies. Silence is not
 * believed without a second opinion from the data path, and not at all if this process was the one that slept.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Timers are cancelled by their owner, not waited for.
public final class ServerWatch implements ServerProof, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServerWatch.class);
    private static final int TICK_MS = 50;
    /** A tick so late means that this process did not run, so that it could not hear either. */
    private static final int OVERSLEPT_MS = 400;

    private static final int PROVE_AGAIN_MS = 20;
    /** Two of the server's heart-beats: one that lives has sent another by then. */
    private static final int FRESH_BEAT_MS = 500;

    /** Hears what becomes of the server, on the loop. */
    public interface Listener {
        /**
         * It serves: proven by a login. Told when it came (back), and when an announced departure did not take place.
         *
         * @param portal the portal that answered
         * @param sessions what is open there now
         */
        void serves(ServerView server, InetSocketAddress portal, List<IscsiSession> sessions);

        /** It does not serve. */
        void lost(String why, ServerLoss how);

        void goingAway(ServerMessage.GoingAway announcement);

        /** Units that are to be proved as soon as it serves, the most urgent first. */
        default List<ExportedUnit> unitsWaitedFor() {
            return List.of();
        }

        /** Something is wrong at it, and it goes on serving. */
        default void raised(RaisedEvent event) {}

        /** It is well again. */
        default void cleared(RaisedEvent event) {}

        /**
         * It serves other units than before; told only while it serves.
         *
         * @param server as it is now
         */
        default void unitsChanged(ServerView server, ServerMessage.UnitsChanged change) {}

        /** What operators have registered there; told as soon as it is heard, also before it is proven that it serves. */
        default void actionsRegistered(ServerMessage.ActionsRegistered registered) {}

        void sessionOpened(IscsiSession session);

        void sessionClosed(IscsiSession session);
    }

    private enum Phase {
        AWAY,
        INTRODUCING,
        PROVING,
        SERVING,
        CLOSED
    }

    private final EventLoop loop;
    private final InetSocketAddress address;
    private final AgentMessage.Hello hello;
    private final ProbeIdentity identity;
    private final WatchSettings settings;
    private final ControlSettings control;
    private final Listener listener;
    private final BarredUnits barred;
    private final UnitProofs unitProofs;
    private final RetryPace pace;
    private final List<Consumer<Boolean>> askers = new ArrayList<>();
    private final List<IscsiSession> sessions = new ArrayList<>();
    private final List<RaisedEvent> raised = new ArrayList<>();
    /** What it has said it serves, also while its portal has not answered yet. */
    private ServerDescription served = new ServerDescription("", List.of(), List.of(), List.of());

    private Phase phase = Phase.AWAY;
    /** Its units were asked before it was heard, in this outage. */
    private boolean provedEarly;

    /** Number of the conversation that is listened to. */
    private int conversations;

    private String lastTrouble = "";

    private @Nullable ControlClient client;
    private @Nullable ServerView view;
    private @Nullable InetSocketAddress portal;
    /** Where it was found last, in whichever life. */
    private @Nullable InetSocketAddress lastPortal;

    private @Nullable Future<?> ticker;
    private long lastTickNanos;
    private long deafUntilNanos;
    private long leavesAtNanos;
    private boolean leaving;
    /** Announced before its portal had answered. */
    private ServerMessage.@Nullable GoingAway announced;

    /** While it serves. */
    private @Nullable DataPathReads reads;

    private boolean doubting;
    private boolean doubtTold;
    private long nextDoubtNanos;

    public ServerWatch(
            EventLoop loop,
            InetSocketAddress address,
            AgentMessage.Hello hello,
            ProbeIdentity identity,
            WatchSettings settings,
            ControlSettings control,
            Listener listener) {
        this.loop = loop;
        this.address = address;
        this.hello = hello;
        this.identity = identity;
        this.settings = settings;
        this.control = control;
        this.listener = listener;
        barred = new BarredUnits(loop, print());
        unitProofs = new UnitProofs(loop, identity, settings.probeLimitMs(), barred);
        boolean local = address.getAddress() != null && address.getAddress().isLoopbackAddress();
        pace = new RetryPace(settings, local);
    }

    /** Begins to watch. Thread-safe. */
    public void start() {
        loop.execute(() -> {
            lastTickNanos = System.nanoTime();
            ticker = loop.scheduleAtFixedRate(this::tick, TICK_MS, TICK_MS, TimeUnit.MILLISECONDS);
            connect();
        });
    }

    /**
     * Asks units of this server whether they read and, unless they are read-only, write.
     *
     * @param initiators names of the VM's initiators, whose reservations are no obstacle
     * @param answer called on the loop, once, with why the VM must not be resumed on them; empty if nothing is wrong
     */
    public void proveUnits(List<ExportedUnit> units, Set<String> initiators, Consumer<String> answer) {
        InetSocketAddress at = portal;
        if (at == null) {
            answer.accept("server " + print() + " is away");
        } else {
            unitProofs.prove(at, units, initiators, answer);
        }
    }

    /** Says that every VM is frozen. */
    public void answer(AgentMessage.Frozen answer) {
        ControlClient to = client;
        if (to != null) {
            to.send(answer);
        }
    }

    /** Says where VMs stand; a server that is away hears it when it is back. */
    public void tell(AgentMessage.VmStates states) {
        ControlClient to = client;
        if (to != null && phase == Phase.SERVING) {
            to.send(states);
        }
    }

    /** Says what is done of what it has registered. */
    public void tell(AgentMessage.ActionsTaken taken) {
        ControlClient to = client;
        if (to != null) {
            to.send(taken);
        }
    }

    public boolean serving() {
        return phase == Phase.SERVING;
    }

    @Override
    public void close() {
        loop.submit(() -> {
                    phase = Phase.CLOSED;
                    unitProofs.forget();
                    Future<?> running = ticker;
                    if (running != null) {
                        running.cancel(false);
                    }
                    ControlClient to = client;
                    if (to != null) {
                        to.close("the agent stops");
                    }
                })
                .awaitUninterruptibly();
    }

    // ------------------------------------------------------------------ is it alive?

    /** Several who ask at once get the answer of one login. Silence of a server that seemed to serve is its end. */
    @Override
    public void prove(Consumer<Boolean> answer) {
        InetSocketAddress at = portal;
        if (phase != Phase.SERVING || at == null) {
            answer.accept(false);
            return;
        }
        askers.add(answer);
        if (askers.size() == 1) {
            int asked = conversations;
            DiscoveryProbe.ask(loop, at, identity, settings.probeLimitMs(), outcome -> {
                if (asked != conversations) {
                    // An answer of, or for, a server that was lost meanwhile: it says nothing of the one that came
                    // after.
                    return;
                }
                if (outcome.serves()) {
                    tellAskers(true);
                } else if (outcome.silence() || outcome.closed() || leaving) {
                    // A portal that is closed serves nobody, and one that has said that it goes needs no other reason.
                    lost(
                            "a VM lost its session, and " + outcome.trouble(),
                            outcome.silence() ? ServerLoss.SILENT : ServerLoss.ENDING);
                } else {
                    awaitBeat(asked, outcome.trouble(), System.nanoTime());
                }
            });
        }
    }

    /**
     * A "no" has two reasons. A server at its connection limit hangs up on the probe, and serves everybody else. A process
     * that is dying closes its connections one after the other, the control connection perhaps last. A heart-beat that
     * comes after the "no" tells the one, the end of the control connection the other. Until then the VM's login waits: sent
     * away now, its initiator would come again only after a second, and QEMU's main loop stand still for as long.
     */
    private void awaitBeat(int asked, String trouble, long refusedNanos) {
        ControlClient to = client;
        if (asked != conversations || to == null) {
            // The loss has told the askers.
            return;
        }
        if (leaving) {
            lost("a VM lost its session, and " + trouble, ServerLoss.ENDING);
        } else if (to.lastHeardNanos() - refusedNanos > 0) {
            LOG.warn("server {}: {}, but its heart beats; nothing is frozen for that", print(), trouble);
            tellAskers(true);
        } else if (msSince(refusedNanos, System.nanoTime()) >= FRESH_BEAT_MS) {
            lost("a VM lost its session, and " + trouble, ServerLoss.ENDING);
        } else {
            loop.schedule(() -> awaitBeat(asked, trouble, refusedNanos), PROVE_AGAIN_MS, TimeUnit.MILLISECONDS);
        }
    }

    private void tellAskers(boolean serves) {
        List<Consumer<Boolean>> waiting = List.copyOf(askers);
        askers.clear();
        waiting.forEach(asker -> asker.accept(serves));
    }

    private void tick() {
        long now = System.nanoTime();
        if (now - lastTickNanos > TimeUnit.MILLISECONDS.toNanos(TICK_MS + OVERSLEPT_MS)) {
            deafUntilNanos = now + TimeUnit.MILLISECONDS.toNanos(settings.silenceMs());
        }
        lastTickNanos = now;
        ControlClient to = client;
        if (to == null) {
            return;
        }
        switch (phase) {
            case INTRODUCING -> {
                // One that starts sends heart-beats until it knows what it serves.
                if (msSince(to.lastHeardNanos(), now) > settings.connectLimitMs() + settings.welcomeLimitMs()) {
                    to.abandon("it did not introduce itself within " + settings.welcomeLimitMs() + " ms");
                }
            }
            case SERVING -> {
                long silentMs = msSince(to.lastHeardNanos(), now);
                if (silentMs < settings.silenceMs()) {
                    doubtTold = false;
                    stayed(now);
                    readIfDue(now);
                } else if (now - deafUntilNanos > 0) {
                    doubt(to, silentMs, now);
                }
            }
            case AWAY, PROVING, CLOSED -> {
                // The connection's end or the probe's answer moves it on.
            }
        }
    }

    private void readIfDue(long now) {
        DataPathReads due = reads;
        if (due != null && now - deafUntilNanos >= 0) {
            due.readIfDue(now, sessions);
        }
    }

    private void doubt(ControlClient to, long silentMs, long now) {
        InetSocketAddress at = portal;
        if (doubting || at == null || doubtTold && now - nextDoubtNanos < 0) {
            return;
        }
        doubting = true;
        DiscoveryProbe.ask(loop, at, identity, settings.probeLimitMs(), outcome -> {
            doubting = false;
            if (phase != Phase.SERVING || client != to || msSince(to.lastHeardNanos(), now) < 0) {
                return;
            }
            if (!outcome.serves()) {
                lost(
                        "silent for " + Spans.print(msSince(to.lastHeardNanos(), System.nanoTime())) + ", and "
                                + outcome.trouble(),
                        outcome.closed() ? ServerLoss.ENDING : ServerLoss.SILENT);
                return;
            }
            nextDoubtNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(settings.silenceMs());
            if (!doubtTold) {
                doubtTold = true;
                LOG.warn(
                        "server {}: no heart-beat for {}, but its iSCSI portal answers; nothing is frozen for that",
                        print(),
                        Spans.print(silentMs));
            }
        });
    }

    private void changed(ServerMessage.UnitsChanged change) {
        served = served.after(change);
        InetSocketAddress at = portal;
        ServerView before = view;
        if (at != null && before != null) {
            ServerView now = new ServerView(before.address(), before.epoch(), PortalSearch.seenAt(served, at), raised);
            view = now;
            listener.unitsChanged(now, change);
        }
    }

    /** A server that announced its departure and is still there long after it stays. */
    private void stayed(long now) {
        ServerView there = view;
        InetSocketAddress at = portal;
        if (leaving && now - leavesAtNanos > 0 && there != null && at != null) {
            leaving = false;
            LOG.warn("server {}: announced that it goes, but still serves", print());
            ServerView still = new ServerView(there.address(), there.epoch(), there.description(), raised);
            listener.serves(still, at, List.copyOf(sessions));
        }
    }

    // ------------------------------------------------------------------ the control connection

    private void connect() {
        if (phase == Phase.CLOSED) {
            return;
        }
        enter(Phase.INTRODUCING, "connecting");
        pace.connects(System.nanoTime());
        Conversation conversation = new Conversation(++conversations);
        client = ControlClient.connect(
                loop, EpollSocketChannel.class, address, pace.connectLimitMs(), hello, control, conversation);
    }

    private void lost(String why, ServerLoss how) {
        if (phase != Phase.SERVING) {
            return;
        }
        enter(Phase.AWAY, why);
        forget();
        conversations++;
        listener.lost(why, how);
        tellAskers(false);
        ControlClient broken = client;
        client = null;
        if (broken != null) {
            broken.abandon(why);
        }
        pace.lost(how != ServerLoss.ENDED);
        provedEarly = false;
        reconnectLater();
    }

    private void forget() {
        DataPathReads over = reads;
        if (over != null) {
            over.close();
            reads = null;
        }
        unitProofs.forget();
        raised.clear();
        view = null;
        portal = null;
        sessions.clear();
        leaving = false;
        announced = null;
    }

    private void reconnectLater() {
        int waitMs = pace.nextWaitMs(System.nanoTime());
        loop.schedule(
                () -> {
                    if (phase == Phase.AWAY && client == null) {
                        connect();
                    }
                },
                waitMs,
                TimeUnit.MILLISECONDS);
    }

    /** Somebody accepts connections and closes them: a server on its way out, or none at all. */
    private void hungUp(ControlClient from, String why) {
        if (from.tookLeave()) {
            // It knows how to behave: its start has failed, and the next one may not.
            pace.welcomed();
            trouble(why);
            return;
        }
        boolean tiresome = pace.hungUp();
        if (from.understood() || !pace.isUnwelcome()) {
            trouble(why);
        } else if (tiresome) {
            DiscoveryProbe.ask(loop, address, identity, settings.probeLimitMs(), outcome -> {
                if (pace.isUnwelcome() && phase != Phase.CLOSED) {
                    trouble(
                            outcome.serves()
                                    ? "that is an iSCSI portal; the agent wants the control port that 'serve' prints"
                                    : "that is no control port of a server: it hangs up without a welcome");
                }
            });
        }
    }

    private void proveWelcome(Conversation conversation, ServerMessage.Welcome welcome) {
        if (phase != Phase.PROVING || !conversation.current()) {
            return;
        }
        if (leaving && System.nanoTime() - leavesAtNanos < 0) {
            // It goes: nobody is led to it any more, unless it stays.
            loop.schedule(() -> proveWelcome(conversation, welcome), PROVE_AGAIN_MS, TimeUnit.MILLISECONDS);
            return;
        }
        leaving = false;
        new PortalSearch(
                        loop,
                        address,
                        welcome.server(),
                        identity,
                        settings.probeLimitMs(),
                        () -> phase == Phase.PROVING && conversation.current(),
                        conversation.takeEarlyLogin())
                .begin(found -> searched(conversation, welcome, found));
    }

    private void searched(Conversation conversation, ServerMessage.Welcome welcome, PortalSearch.Outcome found) {
        InetSocketAddress at = found.portal();
        if (at != null) {
            proved(welcome, at, found.passedOver());
        } else if (found.passedOver().isEmpty()) {
            trouble("it names no iSCSI portal that can be reached from here: "
                    + welcome.server().portals());
        } else {
            trouble(String.join("; ", found.passedOver()));
            tellAnnounced();
            loop.schedule(() -> proveWelcome(conversation, welcome), PROVE_AGAIN_MS, TimeUnit.MILLISECONDS);
        }
    }

    private void proved(ServerMessage.Welcome welcome, InetSocketAddress at, List<String> passedOver) {
        if (!passedOver.isEmpty()) {
            LOG.warn("server {}: {} is used; {}", print(), Addresses.print(at), String.join("; ", passedOver));
        }
        lastTrouble = "";
        pace.found();
        portal = at;
        lastPortal = at;
        reads = new DataPathReads(
                loop,
                at,
                identity,
                settings,
                print(),
                () -> System.nanoTime() - deafUntilNanos <= 0,
                why -> lost(why, ServerLoss.SILENT));
        ServerView proven =
                new ServerView(Addresses.print(at), welcome.epoch(), PortalSearch.seenAt(served, at), raised);
        view = proven;
        enter(Phase.SERVING, "its portal " + Addresses.print(at) + " answers");
        listener.serves(proven, at, List.copyOf(sessions));
        tellAnnounced();
    }

    /** Not before its portal was asked: a VM that is told first what it has there is frozen with that on record. */
    private void tellAnnounced() {
        ServerMessage.GoingAway going = announced;
        announced = null;
        if (going != null) {
            depart(going);
        }
    }

    private void depart(ServerMessage.GoingAway going) {
        leaving = true;
        leavesAtNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(going.deadlineMs() + settings.overstayMs());
        listener.goingAway(going);
    }

    private void trouble(String why) {
        if (!why.equals(lastTrouble)) {
            lastTrouble = why;
            LOG.info("server {}: {}; trying on", print(), why);
        }
    }

    /** The only line that changes the phase. */
    private void enter(Phase next, String why) {
        LOG.debug("server {}: {} -> {}: {}", print(), phase, next, why);
        phase = next;
    }

    private String print() {
        return Addresses.print(address);
    }

    private static long msSince(long thenNanos, long nowNanos) {
        return TimeUnit.NANOSECONDS.toMillis(nowNanos - thenNanos);
    }

    /** What is heard on one control connection. What an abandoned one says is not heard. */
    private final class Conversation implements ControlClient.Listener {
        private final int number;
        private @Nullable EarlyLogin early;

        Conversation(int number) {
            this.number = number;
        }

        boolean current() {
            return number == conversations;
        }

        @Override
        public void connected() {
            if (current()) {
                pace.connected(System.nanoTime());
            }
            InetSocketAddress known = lastPortal;
            if (current() && phase == Phase.INTRODUCING && known != null) {
                early = EarlyLogin.begin(
                        loop,
                        known,
                        identity,
                        settings,
                        () -> current() && phase != Phase.AWAY,
                        () -> proveEarly(known));
            }
        }

        /**
         * Once in an outage: with a socket of the service manager's it is the kernel that accepts, and may have nobody to pass
         * the connections on to for as long as the server takes.
         */
        private void proveEarly(InetSocketAddress at) {
            boolean starts = phase == Phase.INTRODUCING || phase == Phase.PROVING;
            if (current() && starts && !provedEarly) {
                provedEarly = true;
                unitProofs.begin(at, listener.unitsWaitedFor());
            }
        }

        /** Its answer serves the first search; a second one asks for itself. */
        @Nullable
        EarlyLogin takeEarlyLogin() {
            EarlyLogin taken = early;
            early = null;
            return taken;
        }

        @Override
        public void welcome(ServerMessage.Welcome welcome) {
            if (!current() || phase != Phase.INTRODUCING) {
                return;
            }
            pace.welcomed();
            enter(Phase.PROVING, "welcome of " + welcome.server().name());
            sessions.clear();
            sessions.addAll(welcome.sessions());
            raised.clear();
            served = welcome.server();
            raised.addAll(welcome.raised());
            ControlClient to = client;
            if (to != null) {
                barred.introduced(welcome.protocol(), to::send);
            }
            InetSocketAddress known = lastPortal;
            if (known != null) {
                unitProofs.begin(known, listener.unitsWaitedFor());
            }
            proveWelcome(this, welcome);
        }

        @Override
        public void received(ServerMessage message) {
            if (!current()) {
                return;
            }
            if (message instanceof ServerMessage.SessionOpened opened) {
                sessions.add(opened.session());
                if (phase == Phase.SERVING) {
                    listener.sessionOpened(opened.session());
                }
            } else if (message instanceof ServerMessage.SessionClosed closed) {
                sessions.remove(closed.session());
                if (phase == Phase.SERVING) {
                    listener.sessionClosed(closed.session());
                }
            } else if (message instanceof ServerMessage.UnitsChanged change) {
                changed(change);
            } else if (message instanceof ServerMessage.UnitProved proved) {
                barred.answered(proved);
            } else if (message instanceof ServerMessage.ActionsRegistered registered) {
                listener.actionsRegistered(registered);
            } else if (message instanceof ServerMessage.Raised told) {
                raised.removeIf(
                        other -> other.is(told.event().event(), told.event().target()));
                raised.add(told.event());
                if (phase == Phase.SERVING) {
                    listener.raised(told.event());
                }
            } else if (message instanceof ServerMessage.Cleared told) {
                raised.removeIf(
                        other -> other.is(told.event().event(), told.event().target()));
                if (phase == Phase.SERVING) {
                    listener.cleared(told.event());
                }
            } else if (message instanceof ServerMessage.GoingAway going) {
                if (phase == Phase.SERVING) {
                    depart(going);
                } else {
                    announced = going;
                }
            }
        }

        @Override
        public void closed(String why) {
            if (!current() || phase == Phase.CLOSED) {
                return;
            }
            ControlClient over = client;
            client = null;
            if (phase == Phase.SERVING) {
                lost(why, ServerLoss.ENDED);
                return;
            }
            boolean introducing = phase == Phase.INTRODUCING;
            enter(Phase.AWAY, why);
            forget();
            if (introducing && over != null && over.connected()) {
                hungUp(over, why);
            } else {
                pace.welcomed();
                trouble(why);
            }
            reconnectLater();
        }
    }
}
