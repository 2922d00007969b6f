package io.holdfast.agent.watch;

import io.holdfast.control.IscsiSession;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a block of a unit that somebody uses, every now and then, as long as a server serves. One whose control thread lives
 * and whose data path hangs is lost if neither the read nor a login is answered; a read alone that is not answered is the
 * storage's affair, which the server tells itself. Owned by the loop.
 */
final class DataPathReads implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DataPathReads.class);
    /** Whoever is not let near is not asked again in this time: logins that are refused fill the server's log. */
    private static final long BARRED_HOURS = 1;

    private final EventLoop loop;
    private final InetSocketAddress portal;
    private final ProbeIdentity identity;
    private final WatchSettings settings;
    private final String server;
    private final BooleanSupplier deaf;
    private final Consumer<String> lost;

    private @Nullable UnitProbe reader;
    private String target = "";
    private long nextNanos;
    private boolean doubted;
    private boolean closed;

    /**
     * @param portal where the server's disks are
     * @param server its name in the log
     * @param deaf whether this process slept lately, so that it could not hear an answer either
     * @param lost hears why the server is lost
     */
    DataPathReads(
            EventLoop loop,
            InetSocketAddress portal,
            ProbeIdentity identity,
            WatchSettings settings,
            String server,
            BooleanSupplier deaf,
            Consumer<String> lost) {
        this.loop = loop;
        this.portal = portal;
        this.identity = identity;
        this.settings = settings;
        this.server = server;
        this.deaf = deaf;
        this.lost = lost;
        // It has just answered a login; those who come back to it come first.
        nextNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(settings.readEveryMs());
    }

    /** @param sessions what is open at the server */
    void readIfDue(long nowNanos, List<IscsiSession> sessions) {
        if (closed || settings.readEveryMs() == 0 || nowNanos - nextNanos < 0) {
            return;
        }
        nextNanos = nowNanos + TimeUnit.MILLISECONDS.toNanos(settings.readEveryMs());
        UnitProbe asked = reader;
        if (asked != null && asked.busy()) {
            return;
        }
        if (asked == null
                || asked.over()
                || sessions.stream().noneMatch(open -> open.target().equals(target))) {
            asked = another(sessions);
        }
        if (asked != null) {
            asked.read(settings.probeLimitMs(), this::answered);
        }
    }

    /** A session of the agent's own with a unit that is in use. */
    private @Nullable UnitProbe another(List<IscsiSession> sessions) {
        UnitProbe before = reader;
        if (before != null) {
            before.close();
        }
        reader = null;
        Optional<String> used = sessions.stream()
                .filter(open -> !open.initiator().equals(identity.initiatorName()))
                .map(IscsiSession::target)
                .findFirst();
        if (used.isPresent()) {
            target = used.get();
            reader = UnitProbe.open(loop, portal, identity, target, 0, settings.probeLimitMs());
        }
        return reader;
    }

    private void answered(UnitProbe.Outcome outcome) {
        if (closed) {
            return;
        }
        if (outcome.silence()) {
            unanswered();
        } else if (outcome.barred()) {
            nextNanos = System.nanoTime() + TimeUnit.HOURS.toNanos(BARRED_HOURS);
        } else if (outcome.fit()) {
            doubted = false;
        }
    }

    private void unanswered() {
        DiscoveryProbe.ask(loop, portal, identity, settings.probeLimitMs() / 2, outcome -> {
            if (closed) {
                return;
            }
            if (outcome.silence() && !deaf.getAsBoolean()) {
                lost.accept("its heart beats, but neither a read of " + target + " nor a login is answered");
            } else if (!doubted) {
                doubted = true;
                LOG.warn(
                        "server {}: a read of {} was not answered within {} ms, but logins are; nothing is frozen for that",
                        server,
                        target,
                        settings.probeLimitMs());
            }
        });
    }

    /** Nothing is read any more, and no answer that still comes means anything. */
    @Override
    public void close() {
        closed = true;
        UnitProbe asked = reader;
        if (asked != null) {
            asked.close();
        }
    }
}
