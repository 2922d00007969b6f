package io.holdfast.agent.watch;

import io.holdfast.control.ExportedUnit;
import io.holdfast.control.ServerDescription;
import io.holdfast.net.Addresses;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One search for the portal at which a server's disks are reached: those it names, in its order; the first that logs the
 * agent in and is the server's own is the one. Owned by the loop.
 */
final class PortalSearch {
    private static final Logger LOG = LoggerFactory.getLogger(PortalSearch.class);
    /** So many units are asked whose they are, until one lets the agent near. */
    private static final int IDENTITY_TRIES = 4;

    /**
     * What came of it.
     *
     * @param portal the one, if there is one
     * @param passedOver what was wrong with those before it, for people; empty without a portal if none can be reached
     */
    record Outcome(@Nullable InetSocketAddress portal, List<String> passedOver) {}

    private final EventLoop loop;
    private final InetSocketAddress control;
    private final ServerDescription server;
    private final ProbeIdentity identity;
    private final int limitMs;
    private final BooleanSupplier wanted;
    private final @Nullable EarlyLogin early;
    private final List<String> passedOver = new ArrayList<>();

    /**
     * @param control where the server's control connection goes
     * @param server as it has introduced itself
     * @param limitMs how long each login, and each look at a unit, may take
     * @param wanted whether anybody still waits for the outcome
     * @param early a login at one of its portals that is under way already, if one is
     */
    PortalSearch(
            EventLoop loop,
            InetSocketAddress control,
            ServerDescription server,
            ProbeIdentity identity,
            int limitMs,
            BooleanSupplier wanted,
            @Nullable EarlyLogin early) {
        this.loop = loop;
        this.control = control;
        this.server = server;
        this.identity = identity;
        this.limitMs = limitMs;
        this.wanted = wanted;
        this.early = early;
    }

    /** @param told called on the loop, at most once: not if the outcome is not wanted any more */
    void begin(Consumer<Outcome> told) {
        tryNext(reachable().iterator(), told);
    }

    /**
     * The portals it names. One that listens everywhere is reached where the control connection goes; another host's loopback
     * address is not reached at all, and here belongs to somebody else.
     */
    private List<InetSocketAddress> reachable() {
        List<InetSocketAddress> paths = new ArrayList<>();
        for (String text : server.portals()) {
            Optional<InetSocketAddress> named = Addresses.parseNumeric(text);
            if (named.isEmpty()) {
                LOG.warn("server {}: '{}' is no portal address ip:port", Addresses.print(control), text);
            } else if (named.get().getAddress().isAnyLocalAddress()) {
                paths.add(
                        new InetSocketAddress(control.getAddress(), named.get().getPort()));
            } else if (!named.get().getAddress().isLoopbackAddress()
                    || control.getAddress().isLoopbackAddress()) {
                paths.add(named.get());
            }
        }
        return paths;
    }

    private void tryNext(Iterator<InetSocketAddress> candidates, Consumer<Outcome> told) {
        if (!candidates.hasNext()) {
            told.accept(new Outcome(null, List.copyOf(passedOver)));
            return;
        }
        InetSocketAddress at = candidates.next();
        Consumer<String> judged = objection -> {
            if (objection.isEmpty()) {
                told.accept(new Outcome(at, List.copyOf(passedOver)));
            } else {
                passedOver.add("its iSCSI portal " + Addresses.print(at) + " " + objection);
                tryNext(candidates, told);
            }
        };
        login(at, outcome -> {
            if (!wanted.getAsBoolean()) {
                return;
            }
            if (outcome.serves()) {
                identify(at, 0, judged);
            } else {
                judged.accept("does not serve yet: " + outcome.trouble());
            }
        });
    }

    /** A "no" of the early one may be from before the server was ready: it is asked again. */
    private void login(InetSocketAddress at, Consumer<DiscoveryProbe.Outcome> answer) {
        if (early == null || !early.isAt(at)) {
            DiscoveryProbe.ask(loop, at, identity, limitMs, answer);
            return;
        }
        early.whenKnown(outcome -> {
            if (outcome.serves() || outcome.silence()) {
                answer.accept(outcome);
            } else {
                DiscoveryProbe.ask(loop, at, identity, limitMs, answer);
            }
        });
    }

    /**
     * A portal at another address than the control connection's may be another server's that has the same names: it must
     * have a unit that is the one meant.
     */
    private void identify(InetSocketAddress at, int tried, Consumer<String> judged) {
        List<ExportedUnit> units = server.units();
        if (at.getAddress().equals(control.getAddress()) || tried >= Math.min(IDENTITY_TRIES, units.size())) {
            judged.accept("");
            return;
        }
        ExportedUnit unit = units.get(tried);
        UnitProbe probe = UnitProbe.open(loop, at, identity, unit.target(), unit.lun(), limitMs);
        probe.expect(unit.uuid());
        probe.read(limitMs, outcome -> {
            probe.close();
            if (!wanted.getAsBoolean()) {
                return;
            }
            if (outcome.barred()) {
                identify(at, tried + 1, judged);
            } else if (!outcome.identified()) {
                judged.accept("does not show that it is its own: as " + unit.name() + " " + outcome.trouble());
            } else {
                judged.accept("");
            }
        });
    }

    /** The server as it is seen at one of its portals. */
    static ServerDescription seenAt(ServerDescription said, InetSocketAddress at) {
        int group = said.portals().stream()
                .filter(portal -> isReachedAt(portal, at))
                .map(said::groupOf)
                .findFirst()
                .orElse(ServerDescription.USUAL_GROUP);
        return new ServerDescription(said.name(), List.of(Addresses.print(at)), List.of(group), said.units());
    }

    private static boolean isReachedAt(String portal, InetSocketAddress at) {
        InetSocketAddress named = Addresses.parseNumeric(portal).orElse(null);
        return named != null
                && named.getPort() == at.getPort()
                && (named.getAddress().isAnyLocalAddress() || named.getAddress().equals(at.getAddress()));
    }
}
