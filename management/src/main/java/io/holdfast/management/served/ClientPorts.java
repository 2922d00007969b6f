package io.holdfast.management.served;

import io.holdfast.agent.watch.ProbeIdentity;
import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.iscsi.SessionEvents;
import io.holdfast.npiv.FabricChange;
import io.holdfast.npiv.LoginAttempt;
import io.holdfast.npiv.LoginDecision;
import io.holdfast.npiv.LoginDirectory;
import io.holdfast.npiv.LoginRight;
import io.holdfast.npiv.LuMap;
import io.holdfast.npiv.MapAccess;
import io.holdfast.npiv.ServerAdapter;
import io.holdfast.npiv.Wwpn;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.Lun;
import io.holdfast.scsi.MappedLuns;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The clients' ports: judges logins, knows who is logged in under which port name, and carries changes of the fabric to
 * those who are.
 *
 * <p>Any thread. A login is judged twice: when its target is looked for, without the lock, and under it when its session
 * begins. So a change either meets a session or has been made before the session was let in, and of two who come at once
 * with one name from two hosts one is refused.
 *
 * <p><b>Who may write when.</b> A name without the full right has its writes held, not refused: a guest that has arrived on
 * the machine it moves to waits for the hand-over and sees no error. And while sessions that could write before a change, and
 * may not any more, have not ended with the last of their writes, the writes of the client's other names are held.
 */
public final class ClientPorts {

    /** How sessions are ended. */
    @FunctionalInterface
    public interface SessionEnd {
        void endSessions(Predicate<SessionEvents.Session> which, String why);
    }

    /**
     * A session of a client.
     *
     * @param port the physical port it came in by
     * @param host where it came from
     */
    public record Inside(SessionEvents.Session session, Wwpn name, int client, String port, String host) {}

    private final SessionEnd ends;
    private final Consumer<LoginDecision.Denied> alerts;
    private volatile LoginDirectory logins;
    private final Map<Wwpn, String> seats = new ConcurrentHashMap<>();

    // Guarded by this, all of them.
    private Function<String, @Nullable LogicalUnit> units = name -> null;
    private final Map<Long, Inside> inside = new HashMap<>();
    private final Map<Wwpn, MappedLuns> views = new HashMap<>();
    /** Sessions that could write before a change and may not any more; they are being ended. */
    private final Set<Long> leaving = new HashSet<>();
    /** Units that somebody does not see any more, until they execute nothing any more for him. */
    private final Map<LogicalUnit, CompletableFuture<Void>> busy = new HashMap<>();

    /**
     * @param logins whom it lets in until the first change
     * @param alerts told of every login that is refused, but for agents' questions, on event loops: must not block
     */
    public ClientPorts(LoginDirectory logins, SessionEnd ends, Consumer<LoginDecision.Denied> alerts) {
        this.logins = logins;
        this.ends = ends;
        this.alerts = alerts;
    }

    // ------------------------------------------------------------------ logins

    LoginDirectory logins() {
        return logins;
    }

    /** The first judgement: as a login looks for its target. */
    LoginDecision judge(LoginAttempt attempt) {
        return heard(logins.judge(attempt, seats));
    }

    private LoginDecision heard(LoginDecision decision) {
        if (decision instanceof LoginDecision.Denied denied
                && !ProbeIdentity.isAgent(denied.attempt().initiator())) {
            alerts.accept(denied);
        }
        return decision;
    }

    /** What a name that has been let in sees. */
    synchronized MappedLuns viewOf(Wwpn name) {
        return views.computeIfAbsent(name, fresh -> {
            MappedLuns view = new MappedLuns();
            view.holdWrites(holdsWrites(fresh));
            view.show(mapped(fresh), () -> {});
            return view;
        });
    }

    /** The last judgement: the session begins, or it is refused. */
    synchronized LoginDecision enters(SessionEvents.Session session, LoginAttempt attempt) {
        LoginDecision decision = heard(logins.judge(attempt, seats));
        if (decision instanceof LoginDecision.Granted granted) {
            int client = granted.client().id();
            inside.put(session.id(), new Inside(session, granted.wwpn(), client, attempt.port(), attempt.from()));
            seats.put(granted.wwpn(), attempt.from());
        }
        return decision;
    }

    /** A session is gone, and the last of its writes has ended. */
    synchronized void left(SessionEvents.Session session) {
        Inside gone = inside.remove(session.id());
        if (gone == null) {
            return;
        }
        if (inside.values().stream().noneMatch(other -> other.name().equals(gone.name()))) {
            seats.remove(gone.name());
        }
        if (leaving.remove(session.id())) {
            holdOrRelease();
        }
    }

    /** Those who are logged in. */
    public synchronized Collection<Inside> inside() {
        return List.copyOf(inside.values());
    }

    /** The targets that discovery at a port shows. */
    List<IscsiTarget> visibleTo(String initiator, String port, int group) {
        LoginDirectory now = logins;
        List<IscsiTarget> targets = new ArrayList<>();
        for (ServerAdapter server : now.visibleTo(initiator, port)) {
            targets.add(new IscsiTarget(now.targetName(server), group, new MappedLuns()));
        }
        return targets;
    }

    // ------------------------------------------------------------------ changes

    /**
     * From now on the next directory judges. Those who are logged in see their new LUs, or are logged out.
     *
     * @param nextUnits what is served under an LU's name, null if it is not
     */
    public synchronized void apply(LoginDirectory next, Function<String, @Nullable LogicalUnit> nextUnits) {
        LoginDirectory before = logins;
        logins = next;
        units = nextUnits;
        for (Inside each : inside.values()) {
            if (before.rightOf(each.name()) == LoginRight.FULL && next.rightOf(each.name()) != LoginRight.FULL) {
                leaving.add(each.session().id());
            }
        }
        holdOrRelease();
        views.forEach(this::show);
        // Never to come back: port names are issued once.
        views.keySet().removeIf(name -> next.clientOf(name).isEmpty());
        busy.values().removeIf(CompletableFuture::isDone);
        if (!inside.isEmpty()) {
            end(FabricChange.between(before, next));
        }
    }

    private void show(Wwpn name, MappedLuns view) {
        Map<Integer, MappedLuns.Mapped> next = mapped(name);
        Set<LogicalUnit> gone = new HashSet<>();
        for (Lun lun : view.luns()) {
            if (view.at(lun) instanceof LogicalUnit unit) {
                gone.add(unit);
            }
        }
        next.values().forEach(mapped -> gone.remove(mapped.unit()));
        CompletableFuture<Void> settled = new CompletableFuture<>();
        view.show(next, () -> settled.complete(null));
        gone.forEach(unit -> busy.merge(unit, settled, CompletableFuture::allOf));
    }

    /**
     * Completes, on any thread, when a unit that nobody sees any more executes nothing any more for those who have seen it.
     */
    public synchronized CompletableFuture<Void> idle(LogicalUnit unit) {
        return busy.getOrDefault(unit, CompletableFuture.completedFuture(null));
    }

    private Map<Integer, MappedLuns.Mapped> mapped(Wwpn name) {
        Map<Integer, MappedLuns.Mapped> mapped = new HashMap<>();
        for (LuMap map : logins.unitsOf(name)) {
            LogicalUnit unit = units.apply(map.lu());
            if (unit != null) {
                mapped.put(map.lun(), new MappedLuns.Mapped(unit, map.access() == MapAccess.READ_ONLY));
            }
        }
        return mapped;
    }

    private void holdOrRelease() {
        views.forEach((name, view) -> {
            boolean hold = holdsWrites(name);
            if (hold != view.holdsWrites()) {
                view.holdWrites(hold);
            }
        });
    }

    private boolean holdsWrites(Wwpn name) {
        return logins.rightOf(name) != LoginRight.FULL
                || logins.clientOf(name)
                        .filter(client -> leaving.stream().anyMatch(id -> isOf(id, client)))
                        .isPresent();
    }

    private boolean isOf(long session, int client) {
        Inside leaver = inside.get(session);
        return leaver != null && leaver.client() == client;
    }

    private void end(FabricChange change) {
        Set<Long> lost = new HashSet<>();
        for (Inside each : inside.values()) {
            if (logins.rightOf(each.name()) == LoginRight.NONE || change.moved().contains(each.name())) {
                lost.add(each.session().id());
            }
        }
        if (!lost.isEmpty()) {
            ends.endSessions(
                    session -> lost.contains(session.id()), "its port name may not be logged in here any more");
        }
    }
}
