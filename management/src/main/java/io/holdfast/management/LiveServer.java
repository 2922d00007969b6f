package io.holdfast.management;

import io.holdfast.control.ControlServer;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.management.plane.LiveFacts;
import io.holdfast.management.served.ServedLus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** What is so at present, for the control plane: told of sessions by event loops, asked by whoever wants to know. */
final class LiveServer implements LiveFacts {
    private final ServedLus lus;
    private final Supplier<Optional<ControlServer>> control;
    private final Map<Long, Session> sessions = new ConcurrentHashMap<>();
    private final LongAdder refused = new LongAdder();

    LiveServer(ServedLus lus, Supplier<Optional<ControlServer>> control) {
        this.lus = lus;
        this.control = control;
    }

    void opened(SessionEvents.Session session) {
        sessions.put(
                session.id(),
                new Session(
                        session.id(),
                        session.initiatorName(),
                        session.targetName(),
                        session.peer(),
                        session.portal(),
                        Instant.now()));
    }

    void closed(SessionEvents.Session session) {
        sessions.remove(session.id());
    }

    void refused() {
        refused.increment();
    }

    @Override
    public List<Session> sessions() {
        return sessions.values().stream()
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
    public List<Agent> agents() {
        return control.get().map(ControlServer::connected).orElse(List.of()).stream()
                .map(agent -> new Agent(agent.name(), agent.peer(), agent.since(), agent.vms()))
                .toList();
    }

    /** Of each VM no more is known here than that its agent is there; what became of it at a stop is in the log. */
    @Override
    public List<Vm> vms() {
        List<Vm> vms = new ArrayList<>();
        for (Agent agent : agents()) {
            agent.vms().forEach(vm -> vms.add(new Vm(vm, agent.name(), "protected", agent.since())));
        }
        return vms;
    }

    @Override
    public long loginsRefused() {
        return refused.sum();
    }
}
