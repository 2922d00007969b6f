package io.holdfast.agent.watch;

import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A discovery login at the portal where a server was found in its last life, begun when the next one accepts the control
 * connection, which is before it listens for initiators: a process that has just started does everything for the first
 * time, and two things at once as quickly as one of them. Owned by the loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // A login that nobody waits for any more is not repeated.
final class EarlyLogin {
    private final EventLoop loop;
    private final InetSocketAddress portal;
    private final ProbeIdentity identity;
    private final WatchSettings settings;
    private final BooleanSupplier wanted;
    private final Runnable accepted;
    private DiscoveryProbe.@Nullable Outcome outcome;
    private @Nullable Consumer<DiscoveryProbe.Outcome> asker;

    private EarlyLogin(
            EventLoop loop,
            InetSocketAddress portal,
            ProbeIdentity identity,
            WatchSettings settings,
            BooleanSupplier wanted,
            Runnable accepted) {
        this.loop = loop;
        this.portal = portal;
        this.identity = identity;
        this.settings = settings;
        this.wanted = wanted;
        this.accepted = accepted;
    }

    /**
     * @param wanted whether anybody will ask for its answer
     * @param accepted called when the portal accepts a connection; at most once
     */
    static EarlyLogin begin(
            EventLoop loop,
            InetSocketAddress portal,
            ProbeIdentity identity,
            WatchSettings settings,
            BooleanSupplier wanted,
            Runnable accepted) {
        EarlyLogin login = new EarlyLogin(loop, portal, identity, settings, wanted, accepted);
        login.ask();
        return login;
    }

    private void ask() {
        DiscoveryProbe.ask(loop, portal, identity, settings.probeLimitMs(), accepted, answer -> {
            if (answer.closed() && asker == null && wanted.getAsBoolean()) {
                loop.schedule(this::ask, settings.retryLoopbackMs(), TimeUnit.MILLISECONDS);
            } else {
                answered(answer);
            }
        });
    }

    private void answered(DiscoveryProbe.Outcome answer) {
        outcome = answer;
        Consumer<DiscoveryProbe.Outcome> waiting = asker;
        if (waiting != null) {
            waiting.accept(answer);
        }
    }

    /** Whether its answer stands for that of another login there. */
    boolean isAt(InetSocketAddress address) {
        return portal.equals(address);
    }

    /** @param answer called once: now, or when it is known */
    void whenKnown(Consumer<DiscoveryProbe.Outcome> answer) {
        DiscoveryProbe.Outcome known = outcome;
        if (known != null) {
            answer.accept(known);
        } else {
            asker = answer;
        }
    }
}
