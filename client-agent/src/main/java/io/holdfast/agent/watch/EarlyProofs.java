package io.holdfast.agent.watch;

import io.holdfast.control.ExportedUnit;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Proofs of the units that frozen VMs wait for, begun as soon as the portal of a server's next life takes connections: beside
 * the agent's login, and not after it. A unit that does not say that it is the one meant is not written to, and an answer
 * counts only if the unit was fit and the session in which it was given still lasts: the proof is of this life, and not of
 * the one before. Owned by the loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // A task that finds nothing left to do is not missed.
final class EarlyProofs {
    /** VMs with more units wait for those as they would without this. */
    private static final int MAX_UNITS = 16;

    /** What has been found out of a unit. */
    enum Found {
        FIT,
        /** It does not let the agent in. */
        BARRED,
        /** It has to be asked. */
        UNDECIDED
    }

    private final EventLoop loop;
    private final InetSocketAddress portal;
    private final int limitMs;
    private final Map<ExportedUnit, Early> proofs = new LinkedHashMap<>();
    private final Set<Early> waitedFor = new LinkedHashSet<>();

    private EarlyProofs(EventLoop loop, InetSocketAddress portal, int limitMs) {
        this.loop = loop;
        this.portal = portal;
        this.limitMs = limitMs;
    }

    /** @param limitMs for each of them, and how long an answer counts */
    static EarlyProofs begin(
            EventLoop loop, InetSocketAddress portal, ProbeIdentity identity, List<ExportedUnit> units, int limitMs) {
        EarlyProofs early = new EarlyProofs(loop, portal, limitMs);
        for (ExportedUnit unit : units) {
            if (early.proofs.size() < MAX_UNITS && !early.proofs.containsKey(unit)) {
                early.ask(unit, identity);
            }
        }
        loop.schedule(early::expire, 2L * limitMs, TimeUnit.MILLISECONDS);
        return early;
    }

    private void ask(ExportedUnit unit, ProbeIdentity identity) {
        Optional<UUID> uuid = UnitNames.parse(unit.uuid());
        if (uuid.isEmpty()) {
            return;
        }
        UnitProbe probe = UnitProbe.open(loop, portal, identity, unit.target(), unit.lun(), limitMs);
        Early early = new Early(probe);
        proofs.put(unit, early);
        probe.insistOn(uuid.get());
        if (unit.readOnly()) {
            probe.read(limitMs, early::answered);
        } else {
            // Whose reservations are no obstacle is not known yet. A conflict is none: it is asked again.
            probe.prove(Set.of(), limitMs, early::answered);
        }
    }

    /** Whether none of them counts any more. */
    boolean over() {
        return proofs.isEmpty();
    }

    /**
     * Whether the unit is proved, once for each unit.
     *
     * @param at the portal that is asked about
     * @param answer called once, now or when it is known, and not if this is closed before
     */
    void whenKnown(ExportedUnit unit, InetSocketAddress at, Consumer<Found> answer) {
        Early early = at.equals(portal) ? proofs.remove(unit) : null;
        if (early == null) {
            answer.accept(Found.UNDECIDED);
        } else {
            waitedFor.add(early);
            early.whenKnown(found -> {
                waitedFor.remove(early);
                answer.accept(found);
            });
        }
    }

    /** What nobody has asked for yet is not kept. */
    private void expire() {
        List<Early> open = new ArrayList<>(proofs.values());
        proofs.clear();
        open.forEach(Early::close);
    }

    /** Whoever still waits is not answered. */
    void close() {
        expire();
        waitedFor.forEach(Early::close);
        waitedFor.clear();
    }

    private static final class Early {
        private final UnitProbe probe;
        private UnitProbe.@Nullable Outcome outcome;
        private @Nullable Consumer<Found> asker;

        Early(UnitProbe probe) {
            this.probe = probe;
        }

        void answered(UnitProbe.Outcome answer) {
            outcome = answer;
            tell();
        }

        void whenKnown(Consumer<Found> answer) {
            asker = answer;
            tell();
        }

        private void tell() {
            UnitProbe.Outcome known = outcome;
            Consumer<Found> waiting = asker;
            if (known != null && waiting != null) {
                asker = null;
                boolean fit = known.fit() && !probe.over();
                probe.close();
                waiting.accept(fit ? Found.FIT : known.barred() ? Found.BARRED : Found.UNDECIDED);
            }
        }

        void close() {
            asker = null;
            probe.close();
        }
    }
}
