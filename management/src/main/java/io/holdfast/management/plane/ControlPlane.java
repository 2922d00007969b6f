package io.holdfast.management.plane;

import io.holdfast.control.operator.Answer;
import io.holdfast.control.operator.Caller;
import io.holdfast.control.operator.CommandError;
import io.holdfast.control.operator.ControlService;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.Labels;
import io.holdfast.control.operator.Operation;
import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.OperatorQuery;
import io.holdfast.control.operator.OperatorRequest;
import io.holdfast.control.operator.Role;
import io.holdfast.control.operator.Row;
import io.holdfast.control.operator.Shape;
import io.holdfast.npiv.Client;
import io.holdfast.npiv.PhysicalPort;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one service that changes anything: holds the latest state, and carries out commands one after the other.
 *
 * <pre>
 *   rules ──► served side prepares ──► journal, fsync ──► the new state is the state ──► served side carries out ──► answer
 *     │              │                       │
 *     └─ refused     └─ refused              └─ withdrawn
 * </pre>
 *
 * <p>Thread-safe. Queries read the latest state and wait for nobody; commands are carried out by a thread of the plane's
 * own, so that a caller who is interrupted takes no journal with him.
 */
public final class ControlPlane implements ControlService, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlPlane.class);
    /** Commands that wait for their turn; who comes after is told to try again. */
    private static final int MAX_WAITING = 256;

    private static final int AUDIT_ROWS = 100;
    private static final long CLOSE_LIMIT_SECONDS = 10;

    /** The server itself, at start. */
    private static final Caller SELF = new Caller("holdfast", Role.ADMIN, "local");

    private final PlaneStore store;
    private final ServedSide served;
    private final String targetPrefix;
    private final String release;
    private final Clock clock;
    private final RandomGenerator chance = new SecureRandom();
    private final EventLog events;
    private final Instant since;
    private final ThreadPoolExecutor executor;
    private volatile LiveFacts facts = LiveFacts.NONE;
    private volatile PlaneState state;

    /**
     * @param store its state is where this begins
     * @param targetPrefix what target names have before {@code vfchostN}
     */
    public ControlPlane(PlaneStore store, ServedSide served, String targetPrefix, String release, Clock clock) {
        this.store = store;
        this.served = served;
        this.targetPrefix = targetPrefix;
        this.release = release;
        this.clock = clock;
        this.events = new EventLog(clock);
        this.since = clock.instant();
        this.state = store.state();
        this.executor =
                new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MAX_WAITING), work -> {
                    Thread thread = new Thread(work, "control-plane");
                    thread.setDaemon(true);
                    return thread;
                });
    }

    /** Where live facts are to be had, once there are any. */
    public void watch(LiveFacts from) {
        facts = from;
    }

    /** The latest. */
    public PlaneState state() {
        return state;
    }

    public String targetPrefix() {
        return targetPrefix;
    }

    /** Something happened that is nobody's command, such as a login that was refused. Any thread; does not block. */
    public void tell(String type, String object, String text) {
        events.add(type, object, null, text, state.version());
    }

    /**
     * Sees to it that each portal is a port, so that clients can be added to a new server at once.
     *
     * @param portals their addresses, as they are listened on
     */
    public void ensurePorts(List<String> portals) {
        for (String portal : portals) {
            if (state.fabric().ports().stream()
                    .noneMatch(port -> port.location().equals(portal))) {
                Answer answer = ask(
                        new OperatorCommand.AddPort(freePortName(), portal, PhysicalPort.MAX_CAPACITY),
                        SELF,
                        OptionalLong.empty());
                if (answer instanceof Answer.Failed failed) {
                    LOG.warn("portal {} is no port: {}", portal, failed.error().message());
                }
            }
        }
    }

    private String freePortName() {
        int number = 0;
        while (isTaken("fcs" + number)) {
            number++;
        }
        return "fcs" + number;
    }

    private boolean isTaken(String name) {
        return state.fabric().ports().stream().anyMatch(port -> port.name().equals(name));
    }

    // ------------------------------------------------------------------ requests

    @Override
    public Answer ask(OperatorRequest request, Caller caller, OptionalLong basis) {
        Operation operation = Operation.of(request);
        if (!caller.role().mayActAs(operation.role())) {
            String words = String.join(" ", operation.words());
            LOG.warn("{} ({}) from {} may not '{}'", caller.name(), Labels.of(caller.role()), caller.from(), words);
            return new Answer.Failed(CommandError.of(
                    ErrorCode.FORBIDDEN,
                    "'" + words + "' needs role " + Labels.of(operation.role()) + ", and " + caller.name() + " has "
                            + Labels.of(caller.role())));
        }
        try {
            if (request instanceof OperatorQuery query) {
                PlaneState now = state;
                return new Answer.Rows(now.version(), answer(query, now));
            }
            FutureTask<Answer> task =
                    new FutureTask<>(() -> carryOut(operation, (OperatorCommand) request, caller, basis));
            executor.execute(task);
            return task.get();
        } catch (Rejection e) {
            return new Answer.Failed(e.error());
        } catch (RejectedExecutionException e) {
            return new Answer.Failed(
                    executor.isShutdown()
                            ? CommandError.of(ErrorCode.UNAVAILABLE, "the server stops")
                            : CommandError.of(
                                    ErrorCode.TOO_MANY, MAX_WAITING + " commands wait for their turn already"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Answer.Failed(CommandError.of(ErrorCode.UNAVAILABLE, "the server stops"));
        } catch (ExecutionException | RuntimeException e) {
            LOG.error("'{}' failed", request, e);
            return new Answer.Failed(CommandError.of(ErrorCode.INTERNAL, "this failed, and nobody thought of it"));
        }
    }

    /** On the plane's thread. */
    private Answer carryOut(Operation operation, OperatorCommand command, Caller caller, OptionalLong basis) {
        PlaneState before = state;
        if (store.broken()) {
            return new Answer.Failed(CommandError.of(
                    ErrorCode.UNAVAILABLE, "the state cannot be written: nothing can be changed until a restart"));
        }
        try {
            Planner.Planned plan = new Planner(before, caller, basis, clock, chance).plan(command);
            PlaneState after = commit(operation, command, caller, before, plan);
            Row row = plan.answer().apply(views(before), views(after));
            String object = objectOf(row);
            LOG.info("{} by {} from {}: {}", String.join(" ", operation.words()), caller.name(), caller.from(), object);
            events.add(
                    String.join("-", operation.words()),
                    object,
                    caller.name(),
                    String.join(" ", operation.words()) + ": " + object,
                    after.version());
            return new Answer.Done(after.version(), row);
        } catch (Rejection e) {
            return new Answer.Failed(e.error());
        }
    }

    private PlaneState commit(
            Operation operation, OperatorCommand command, Caller caller, PlaneState before, Planner.Planned plan) {
        ServedSide.Prepared prepared;
        try {
            prepared = served.prepare(new PlaneChange(before, plan.after(), plan.image()));
        } catch (IOException e) {
            throw new Rejection(ErrorCode.STORAGE, "" + e.getMessage());
        }
        PlaneState after = measured(plan.after(), before, prepared);
        Row.AuditRow audit = new Row.AuditRow(
                clock.instant(),
                after.version(),
                caller.name(),
                Labels.of(caller.role()),
                caller.from(),
                String.join(" ", operation.words()),
                Shape.of(operation).words(command));
        try {
            store.append(before, after, audit);
        } catch (IOException e) {
            prepared.withdraw();
            LOG.error("the state cannot be written: {}", e.getMessage());
            throw new Rejection(ErrorCode.UNAVAILABLE, "the change cannot be made durable: " + e.getMessage());
        }
        state = after;
        try {
            prepared.carryOut(after);
        } catch (RuntimeException e) {
            // It is durable: the caller must not take it for refused.
            LOG.error("version {} could not be carried out whole; a restart will", after.version(), e);
        }
        return after;
    }

    /** An image that was opened without naming a size has one now. */
    private static PlaneState measured(PlaneState after, PlaneState before, ServedSide.Prepared prepared) {
        PlaneState.Draft draft = null;
        for (LuBacking opened : new PlaneChange(before, after, PlaneChange.Image.KEPT).opened()) {
            long bytes = prepared.sizeBytes(opened);
            if (bytes != opened.sizeBytes()) {
                draft = (draft == null ? after.draft(after.fabric()) : draft)
                        .put(opened.resized(bytes, after.version()));
            }
        }
        return draft == null ? after : draft.done();
    }

    private Views views(PlaneState of) {
        return new Views(of, facts, targetPrefix);
    }

    private static String objectOf(Row row) {
        if (row instanceof Row.LuRow lu) {
            return "LU " + lu.name();
        } else if (row instanceof Row.ClientRow client) {
            return "client " + client.id() + " (" + client.name() + ")";
        } else if (row instanceof Row.MapRow map) {
            return "LU " + map.lu() + " of " + map.client() + ", LUN " + map.lun();
        } else if (row instanceof Row.AdapterRow adapter) {
            return "adapter " + adapter.adapter();
        } else if (row instanceof Row.VfcmapRow vfcmap) {
            return vfcmap.vadapter() + (vfcmap.fcp() == null ? " at no port" : " at port " + vfcmap.fcp());
        } else if (row instanceof Row.PortRow port) {
            return "port " + port.name();
        } else if (row instanceof Row.PoolRow pool) {
            return "pool " + pool.name();
        } else if (row instanceof Row.WwpnPoolRow pool) {
            return "pool of port names " + pool.name();
        } else if (row instanceof Row.ZoneRow zone) {
            return "zone " + zone.name();
        } else if (row instanceof Row.InitiatorRow initiator) {
            return "initiator " + initiator.initiator();
        } else if (row instanceof Row.ActionsRow actions) {
            return "VM " + actions.vm();
        } else if (row instanceof Row.RaisedRow raised) {
            return "event " + raised.name();
        } else if (row instanceof Row.TokenRow token) {
            return "token " + token.name();
        } else if (row instanceof Row.NewTokenRow token) {
            return "token " + token.name();
        } else if (row instanceof Row.ObjectRow object) {
            return object.object();
        }
        return row.getClass().getSimpleName();
    }

    private List<? extends Row> answer(OperatorQuery query, PlaneState now) {
        Views views = views(now);
        Names names = new Names(now);
        if (query instanceof OperatorQuery.Status) {
            return List.of(status(now));
        } else if (query instanceof OperatorQuery.ListLus) {
            return views.lus();
        } else if (query instanceof OperatorQuery.ShowLu show) {
            names.lu(show.name());
            return List.of(views.lu(show.name()));
        } else if (query instanceof OperatorQuery.ListPools) {
            return views.pools();
        } else if (query instanceof OperatorQuery.ListWwpnPools) {
            return views.wwpnPools();
        } else if (query instanceof OperatorQuery.ListClients) {
            return views.clients();
        } else if (query instanceof OperatorQuery.ShowClient show) {
            return List.of(views.client(names.client(show.client()).id()));
        } else if (query instanceof OperatorQuery.ListAdapters list) {
            return views.adapters(client(names, list.client()));
        } else if (query instanceof OperatorQuery.ListPorts) {
            return views.ports();
        } else if (query instanceof OperatorQuery.ListMaps list) {
            return views.maps(client(names, list.client()));
        } else if (query instanceof OperatorQuery.ListZones) {
            return views.zones();
        } else if (query instanceof OperatorQuery.ListInitiators) {
            return views.initiators();
        } else if (query instanceof OperatorQuery.ListSessions list) {
            return views.sessions(client(names, list.client()));
        } else if (query instanceof OperatorQuery.ListAgents) {
            return views.agents();
        } else if (query instanceof OperatorQuery.ListVms) {
            return views.vms();
        } else if (query instanceof OperatorQuery.ListRaised) {
            return views.raised();
        } else if (query instanceof OperatorQuery.ListTokens) {
            return views.tokens();
        } else if (query instanceof OperatorQuery.Lsmap lsmap) {
            return views.lsmap(vadapter(names, lsmap.vadapter()));
        } else if (query instanceof OperatorQuery.LsmapNpiv lsmap) {
            return views.lsmapNpiv(vadapter(names, lsmap.vadapter()));
        } else if (query instanceof OperatorQuery.Lsnports) {
            return views.lsnports();
        } else if (query instanceof OperatorQuery.Audit audit) {
            return store.audit(audit.last() == null ? AUDIT_ROWS : audit.last());
        }
        throw new IllegalStateException("no answer to " + query.getClass());
    }

    private static Optional<Client> client(Names names, @Nullable String text) {
        return Optional.ofNullable(text).map(names::client);
    }

    private static Optional<String> vadapter(Names names, @Nullable String text) {
        return Optional.ofNullable(text).map(name -> names.server(name).name());
    }

    private Row.StatusRow status(PlaneState now) {
        List<String> obstacles = obstacles();
        return new Row.StatusRow(
                targetPrefix,
                release,
                obstacles.isEmpty() ? "ok" : "degraded",
                obstacles,
                since,
                now.version(),
                events.latest(),
                events.size(),
                now.backings().size(),
                now.fabric().clients().size(),
                now.fabric().maps().size(),
                facts.sessions().size(),
                facts.agents().size(),
                facts.vms().size());
    }

    // ------------------------------------------------------------------ the rest of the service

    @Override
    public @Nullable Caller callerOf(String token, String from) {
        AccessToken found = Tokens.find(state.tokens(), token, clock.instant());
        return found == null ? null : new Caller("token " + found.name(), found.role(), from);
    }

    @Override
    public Subscribed subscribe(long afterSeq, Listener listener) {
        return events.subscribe(afterSeq, listener);
    }

    @Override
    public long latestEvent() {
        return events.latest();
    }

    @Override
    public List<String> obstacles() {
        List<String> obstacles = new ArrayList<>();
        if (store.broken()) {
            obstacles.add("the state cannot be written: nothing can be changed until a restart");
        }
        facts.units().forEach((name, unit) -> {
            if (unit.obstacle() != null) {
                obstacles.add("LU " + name + ": " + unit.obstacle());
            }
        });
        return obstacles;
    }

    /** Lets the command that is being carried out end, refuses those that wait, and closes the store. */
    @Override
    public void close() {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(CLOSE_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn(
                        "a command has not ended within {} s; the state stays as it is on the disk",
                        CLOSE_LIMIT_SECONDS);
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        store.close();
    }
}
