package io.holdfast.management;

import io.holdfast.control.ControlServer;
import io.holdfast.control.VmActionsTaken;
import io.holdfast.control.VmState;
import io.holdfast.iscsi.IoTotals;
import io.holdfast.iscsi.LoginStatus;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.iscsi.SessionTraffic;
import io.holdfast.management.plane.LiveFacts;
import io.holdfast.management.served.ServedLus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * What is so at present, for the control plane: told of sessions by event loops, asked by whoever wants to know.
 *
 * <p>The traffic of sessions that are over is added up here under this object's lock: a number that once became smaller would
 * look like a restart. Event loops take the lock when sessions begin and end, never for commands, so nothing is counted
 * together under it.
 */
final class LiveServer implements LiveFacts {
    private final ServedLus lus;
    private final Supplier<Optional<ControlServer>> control;
    private final Supplier<Map<UUID, String>> exports;
    private final Supplier<Map<String, String>> boundPortals;
    private final Map<String, Long> refused = new ConcurrentHashMap<>();

    // Guarded by this.
    private final Map<Long, Open> sessions = new HashMap<>();
    private final Traffic past = new Traffic(new HashMap<>(), new HashMap<>(), new HashMap<>());

    private record Open(SessionEvents.Session session, Instant since, SessionTraffic traffic) {
        Session described() {
            return new Session(
                    session.id(),
                    session.initiatorName(),
                    session.targetName(),
                    session.peer(),
                    session.portal(),
                    since,
                    this::sum);
        }

        private IoTotals sum() {
            IoTotals[] sum = {IoTotals.NONE};
            traffic.forEach((unit, done) -> sum[0] = sum[0].plus(done.get()));
            return sum[0];
        }
    }

    LiveServer(
            ServedLus lus,
            Supplier<Optional<ControlServer>> control,
            Supplier<Map<UUID, String>> exports,
            Supplier<Map<String, String>> boundPortals) {
        this.lus = lus;
        this.control = control;
        this.exports = exports;
        this.boundPortals = boundPortals;
    }

    @Override
    public Map<String, String> boundPortals() {
        return boundPortals.get();
    }

    synchronized void opened(SessionEvents.Session session, SessionTraffic traffic) {
        sessions.put(session.id(), new Open(session, Instant.now(), traffic));
    }

    synchronized void closed(SessionEvents.Session session) {
        Open gone = sessions.remove(session.id());
        if (gone != null) {
            gone.traffic().forEach((unit, done) -> add(past, gone, unit, done.get()));
        }
    }

    /** A session sees a unit no more. */
    synchronized void parted(SessionEvents.Session session, UUID unit) {
        Open from = sessions.get(session.id());
        if (from != null) {
            add(past, from, unit, from.traffic().take(unit));
        }
    }

    private static void add(Traffic to, Open from, UUID unit, IoTotals done) {
        if (!done.isEmpty()) {
            to.units().merge(unit, done, IoTotals::plus);
            to.clients().merge(from.traffic().client(), done, IoTotals::plus);
            to.portals().merge(from.session().portal(), done, IoTotals::plus);
        }
    }

    private record Counted(Open session, UUID unit, Supplier<IoTotals> done) {}

    @Override
    public Traffic traffic() {
        List<Counted> open = new ArrayList<>();
        Traffic sum;
        synchronized (this) {
            sum = new Traffic(
                    new HashMap<>(past.units()), new HashMap<>(past.clients()), new HashMap<>(past.portals()));
            sessions.values()
                    .forEach(session ->
                            session.traffic().forEach((unit, done) -> open.add(new Counted(session, unit, done))));
        }
        open.forEach(each -> add(sum, each.session(), each.unit(), each.done().get()));
        return sum;
    }

    /** Forgets what was done at units and by clients that are not there any more. */
    synchronized void forgetAllBut(Predicate<UUID> unit, Predicate<String> client) {
        past.units().keySet().removeIf(known -> !unit.test(known));
        past.clients().keySet().removeIf(known -> !client.test(known));
    }

    void refused(LoginStatus status) {
        refused.merge(status.name().toLowerCase(Locale.ROOT).replace('_', '-'), 1L, Long::sum);
    }

    @Override
    public synchronized List<Session> sessions() {
        return sessions.values().stream()
                .map(Open::described)
                .sorted(Comparator.comparingLong(Session::id))
                .toList();
    }

    @Override
    public Map<String, Unit> units() {
        Map<String, Unit> units = new TreeMap<>();
        for (String name : lus.names()) {
            String trouble = lus.trouble(name);
            units.put(name, new Unit(lus.sizeBytes(name), trouble.isEmpty() ? null : trouble));
        }
        return units;
    }

    @Override
    public Map<UUID, String> exports() {
        return exports.get();
    }

    @Override
    public List<Agent> agents() {
        return control.get().map(ControlServer::connected).orElse(List.of()).stream()
                .map(agent -> new Agent(agent.name(), agent.peer(), agent.since(), agent.vms()))
                .toList();
    }

    @Override
    public List<Vm> vms() {
        Map<String, List<VmState>> told =
                control.get().map(ControlServer::vmStates).orElse(Map.of());
        Map<String, List<VmActionsTaken>> actions =
                control.get().map(ControlServer::actionsTaken).orElse(Map.of());
        List<Vm> vms = new ArrayList<>();
        for (Agent agent : agents()) {
            Map<String, VmActionsTaken> taken = actions.getOrDefault(agent.name(), List.of()).stream()
                    .collect(Collectors.toMap(VmActionsTaken::vm, each -> each, (first, second) -> second));
            Map<String, VmState> states = told.getOrDefault(agent.name(), Collections.emptyList()).stream()
                    .collect(Collectors.toMap(VmState::vm, state -> state, (first, second) -> second));
            for (String vm : agent.vms()) {
                VmState state = states.get(vm);
                vms.add(
                        state == null
                                ? new Vm(vm, agent.name(), "unknown", agent.since(), "", taken.get(vm))
                                : new Vm(
                                        vm,
                                        agent.name(),
                                        word(state.state()),
                                        Instant.ofEpochMilli(state.sinceEpochMs()),
                                        state.why(),
                                        taken.get(vm)));
            }
        }
        return vms;
    }

    /** As people write it: HELD_BY_OTHER is held-by-other. */
    private static String word(String state) {
        return state.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public long freezes() {
        return control.get().map(ControlServer::freezes).orElse(0L);
    }

    @Override
    public Map<String, Long> loginsRefused() {
        return new TreeMap<>(refused);
    }
}
