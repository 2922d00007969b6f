package io.holdfast.iscsi;

import io.holdfast.block.IoLane;
import io.holdfast.iscsi.wire.Isid;
import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LunView;
import io.holdfast.scsi.Nexus;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session in full feature phase: what was agreed on, its connections, the order of its commands, and for a normal session
 * the nexus and what it sees.
 *
 * <p>Owned by one event loop, that of its first connection. A connection that joins is moved there before its login is
 * answered, so that nothing in a session is shared between threads. It is over when its last connection is gone and the
 * last task of that has ended.
 */
final class Session {
    private static final Logger log = LoggerFactory.getLogger(Session.class);

    private final EventLoop loop;
    private final IoLane lane;
    private final SessionParameters agreed;
    private final CommandOrder commands;
    private final SessionEvents.Session info;
    private final IscsiConnection.Shared shared;
    private final @Nullable Nexus nexus;
    private final @Nullable LunView luns;
    private final @Nullable Membership membership;
    private final SessionTraffic traffic;

    private final TaskOrder order = new TaskOrder();
    /** By connection identifier; those that end are here until their last task has ended. */
    private final Map<Integer, FullFeaturePhase> connections = new LinkedHashMap<>();
    /** Logins and logouts that wait until connections are gone. */
    private final Set<Runnable> watchers = new LinkedHashSet<>();
    /** Logins that wait to join: while there is one the session is not over. */
    private int joining;

    private boolean several;
    private boolean opened;
    private boolean writesAdmitted;
    private boolean over;

    /** @param target null for a discovery session */
    Session(
            IscsiConnection leading,
            IscsiConnection.Shared shared,
            SessionParameters agreed,
            CommandWindow window,
            SessionEvents.Session info,
            @Nullable IscsiTarget target) {
        this.loop = leading.eventLoop();
        this.lane = leading.lane();
        this.shared = shared;
        this.agreed = agreed;
        this.commands = new CommandOrder(window);
        this.info = info;
        this.traffic = new SessionTraffic(leading.client());
        if (target == null) {
            nexus = null;
            luns = null;
            membership = null;
        } else {
            nexus = new Nexus(
                    info.initiatorName() + ",i," + Isid.print(info.isid()),
                    target.name() + String.format(",t,0x%04x", target.portalGroupTag()),
                    target.portalGroupTag(),
                    new AtSession());
            luns = target.luns();
            membership = new Membership(
                    shared.admission(),
                    new WriteAdmission.Key(info.initiatorName(), info.targetName()),
                    info.isid(),
                    target.portalGroupTag(),
                    loop,
                    this::isUnheard,
                    question -> open().forEach(each -> each.ask(question)),
                    this::admitWrites,
                    this::close);
        }
    }

    private boolean isUnheard() {
        return !open().isEmpty() && open().stream().allMatch(FullFeaturePhase::isUnheard);
    }

    /** The tasks of the nexus are at the session's connections. */
    private final class AtSession implements Nexus.Transport {
        @Override
        public void abortTasksAt(DeviceServer device, Runnable done) {
            loop.execute(() -> abortTasksForOthersAt(Set.of(device), done));
        }

        @Override
        public void awaitTasksAt(DeviceServer device, Runnable done) {
            loop.execute(() -> {
                List<TaskSet> all = taskSets();
                Runnable oneDone = afterAll(all.size(), () -> {
                    part(device);
                    done.run();
                });
                all.forEach(each -> each.awaitTasksAt(device, oneDone));
            });
        }

        @Override
        public void writesReleased() {
            loop.execute(order::retryHeld);
        }
    }

    /** It has been told that this is gone. It may see it again all the same: then it is counted anew. */
    private void part(DeviceServer device) {
        if (device instanceof LogicalUnit unit) {
            traffic.leave(unit);
            shared.events().parted(info, unit.identity().uuid());
        }
    }

    SessionTraffic traffic() {
        return traffic;
    }

    /** On any thread. */
    EventLoop loop() {
        return loop;
    }

    /** On any thread. */
    IoLane lane() {
        return lane;
    }

    /** What holds for the session; for its connections digests and segment lengths may differ. On any thread. */
    SessionParameters agreed() {
        return agreed;
    }

    /** On any thread. */
    SessionEvents.Session info() {
        return info;
    }

    CommandOrder commands() {
        return commands;
    }

    CommandWindow window() {
        return commands.window();
    }

    /** Who of its tasks waits for whom. */
    TaskOrder order() {
        return order;
    }

    /** Discovery sessions execute nothing. */
    boolean isDiscovery() {
        return nexus == null;
    }

    /** On any thread. */
    Nexus nexus() {
        return Objects.requireNonNull(nexus, "a discovery session has no nexus");
    }

    LunView luns() {
        return Objects.requireNonNull(luns, "a discovery session sees no logical units");
    }

    @Nullable
    Membership membership() {
        return membership;
    }

    // ------------------------------------------------------------------ connections

    /** True if a request may be missing that can still come: by another connection, or once more. */
    boolean mayBeCompleted() {
        return several || agreed.errorRecoveryLevel() > 0;
    }

    boolean hasSeveralConnections() {
        return connections.size() > 1;
    }

    /** It cannot be joined any more. */
    boolean isOver() {
        return over;
    }

    boolean isFull() {
        return open().size() >= agreed.maxConnections();
    }

    private List<FullFeaturePhase> open() {
        return connections.values().stream().filter(each -> !each.isClosing()).toList();
    }

    /** A connection with this identifier, also one that is ending. */
    @Nullable
    FullFeaturePhase connection(int connectionId) {
        return connections.get(connectionId);
    }

    boolean hasOthersThan(FullFeaturePhase connection) {
        return connections.size() > (connections.containsValue(connection) ? 1 : 0);
    }

    /** A connection's login has been answered. */
    void join(FullFeaturePhase connection, int connectionId) {
        connections.put(connectionId, connection);
        several |= connections.size() > 1;
        if (writesAdmitted) {
            connection.tasks().admitWrites();
        }
        if (membership == null) {
            return;
        }
        if (opened) {
            connection
                    .about(log.atInfo())
                    .log("{}: joined its session, {} connections now", connection, connections.size());
            return;
        }
        opened = true;
        connection.about(log.atInfo()).log("{}: logged in to {}", connection, info.targetName());
        luns().joined(nexus());
        shared.sessions().add(this);
        shared.events().opened(info, traffic);
        membership.join();
    }

    /** A connection is gone and its last task has ended. */
    void left(FullFeaturePhase connection) {
        connections.values().remove(connection);
        order.remove(connection.tasks());
        changed();
        endIfEmpty();
    }

    /** Something that watchers may wait for has happened. */
    void changed() {
        List.copyOf(watchers).forEach(Runnable::run);
    }

    private void endIfEmpty() {
        if (over || !connections.isEmpty() || joining > 0) {
            return;
        }
        over = true;
        if (membership != null) {
            shared.sessions().remove(this);
            membership.leave();
            luns().left(nexus());
            shared.directory().left(info);
            shared.events().closed(info);
            nexus().end();
        }
    }

    /** Runs something whenever a connection is gone, until {@link #unwatch}. */
    void watch(Runnable watcher) {
        watchers.add(watcher);
    }

    void unwatch(Runnable watcher) {
        watchers.remove(watcher);
    }

    /** A login is about to join: the session is not over before that has succeeded or failed. */
    void joinBegins() {
        joining++;
    }

    void joinEnds() {
        joining--;
        endIfEmpty();
    }

    /** Ends all connections, which are given the reason in the log. */
    void close(String why) {
        open().forEach(each -> each.close(why));
    }

    /** Ends the connections beside one. */
    void closeOthersThan(FullFeaturePhase connection) {
        open().stream().filter(each -> each != connection).forEach(FullFeaturePhase::closeQuietly);
    }

    // ------------------------------------------------------------------ tasks of all connections

    private void admitWrites() {
        writesAdmitted = true;
        open().forEach(each -> each.tasks().admitWrites());
    }

    /** True if there is such a task, whichever connection it came by. */
    boolean abortTask(int tag, Runnable done) {
        return List.copyOf(connections.values()).stream()
                .anyMatch(each -> each.tasks().abortTask(tag, done));
    }

    /** Ends the session's tasks at some device servers, and runs {@code done} when they have ended. */
    void abortTasksAt(Set<? extends DeviceServer> devices, Runnable done) {
        List<TaskSet> all = taskSets();
        Runnable oneDone = afterAll(all.size(), done);
        all.forEach(each -> each.abortTasksAt(devices, oneDone));
    }

    private void abortTasksForOthersAt(Set<? extends DeviceServer> devices, Runnable done) {
        List<TaskSet> all = taskSets();
        Runnable oneDone = afterAll(all.size(), done);
        all.forEach(each -> each.abortTasksForOthersAt(devices, oneDone));
    }

    private List<TaskSet> taskSets() {
        List<TaskSet> all = new ArrayList<>();
        connections.values().forEach(each -> all.add(each.tasks()));
        return all;
    }

    private static Runnable afterAll(int count, Runnable done) {
        if (count == 0) {
            done.run();
        }
        int[] left = {count};
        return () -> {
            if (--left[0] == 0) {
                done.run();
            }
        };
    }
}
