package io.holdfast.agent.freeze;

import io.holdfast.control.ExportedUnit;
import io.holdfast.control.RaisedEvent;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.VmOutcome;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Where a VM stands, and what is known of it: what the rules of a {@link FreezeMachine} share. Owned by its thread; the
 * rules write the fields, and change the state by {@link #enter} only.
 */
final class VmStanding {
    private final String name;
    private final String portal;
    private final List<FreezeAction> actions = new ArrayList<>();

    FreezeState state = FreezeState.ABSENT;
    String reason = "no monitor connection yet";
    long sinceMs;
    /** Since when it has been paused by us, thaws that failed included. */
    long frozenSinceMs;

    long nowMs;

    final VmPolicy policy;
    final EventTable table;

    // What is known of its servers.
    private final Map<String, ServerStanding> servers = new LinkedHashMap<>();
    final UsedUnits used;
    /** Why it must not be resumed by itself, whatever comes; empty if nothing is. */
    String hold = "";

    /** When it was paused on an I/O error that nobody had announced. */
    long heldOnIoErrorAtMs = FreezeMachine.LONG_AGO;

    boolean relay;

    // What is known of QEMU.
    int pid;

    @Nullable
    FreezeRecord restored;

    boolean stopPending;
    boolean stopFailed;
    /** QEMU has said that it pauses because of an I/O error. */
    boolean ioErrorPause;

    long standInAnsweredAtMs = FreezeMachine.LONG_AGO;

    VmStanding(String name, String portal, @Nullable FreezeRecord record, VmPolicy policy, EventTable table) {
        this.name = name;
        this.portal = portal;
        this.policy = policy;
        this.table = table;
        policy.servers().stream().sorted().forEach(server -> servers.put(server, new ServerStanding(server)));
        restored = record;
        used = new UsedUnits(record);
        if (record != null) {
            pid = record.pid();
            relay = record.relay();
            hold = record.hold();
        }
    }

    /** An event has come; what is to be done for it is gathered from now on. */
    void begin(long now) {
        nowMs = now;
        actions.clear();
    }

    List<FreezeAction> actions() {
        return List.copyOf(actions);
    }

    void act(FreezeAction action) {
        actions.add(action);
    }

    void warn(String what) {
        actions.add(new FreezeAction.Warn(what));
    }

    /** QEMU pauses within milliseconds of such an answer: a pause long after it has another cause. */
    boolean standInLately() {
        return nowMs - standInAnsweredAtMs < FreezeMachine.SETTLE_MS;
    }

    /** To every server that waits for an answer: each has announced the same to a VM that stands still once. */
    void answerAnnouncements(VmOutcome.State outcome, String detail) {
        servers.values().forEach(server -> answerAnnouncement(server, outcome, detail));
    }

    void answerAnnouncement(ServerStanding server, VmOutcome.State outcome, String detail) {
        if (server.unansweredAnnouncement != 0) {
            actions.add(new FreezeAction.AnswerAnnouncement(server.unansweredAnnouncement, outcome, detail));
            server.unansweredAnnouncement = 0;
        }
    }

    /** The only line that changes the state. */
    void enter(FreezeState next, String why) {
        actions.add(new FreezeAction.Report(state, next, why));
        if (heldByUs(next) && !heldByUs(state)) {
            frozenSinceMs = nowMs;
        }
        state = next;
        reason = why;
        sinceMs = nowMs;
    }

    private static boolean heldByUs(FreezeState state) {
        return switch (state) {
            case FREEZING, FROZEN, PROVING, THAWING -> true;
            case ABSENT, RUNNING, HELD_BY_OTHER -> false;
        };
    }

    void save(FreezeState as, String why) {
        actions.add(new FreezeAction.Save(record(as, why)));
    }

    /**
     * Puts what the table says on record. Before QEMU is heard the rest of the record is the only word for where the VM stands:
     * written anew from what is known then, it would make a VM that was frozen by an earlier run somebody else's.
     */
    void saveTable() {
        FreezeRecord before = restored;
        if (state == FreezeState.ABSENT && before != null) {
            restored = before.with(table);
            actions.add(new FreezeAction.Save(restored));
        } else {
            save(state, reason);
        }
    }

    /** On record, or the next run of the agent would find an older record of ours, and resume the VM. */
    void heldByOther(String why) {
        save(FreezeState.HELD_BY_OTHER, why);
        enter(FreezeState.HELD_BY_OTHER, why);
    }

    boolean serverEverSeen() {
        FreezeRecord before = restored;
        return servers.values().stream().anyMatch(server -> server.view != null)
                || before != null && before.serverEpoch() != 0;
    }

    ServerStanding server(String which) {
        return servers.computeIfAbsent(which, ServerStanding::new);
    }

    /** Whether there is one server only, which is then the VM's in any case. */
    boolean hasOneServer() {
        return servers.size() == 1;
    }

    /** Whether the VM has disks at it, as far as is known. */
    boolean dependsOn(ServerStanding server) {
        FreezeRecord before = restored;
        return hasOneServer()
                || used.usesAny(server.targets())
                || server.view == null && before != null && before.servers().contains(server.name);
    }

    /** Whether a server that it depends on does not serve it, and it is not to run on all the same. */
    boolean serverAway() {
        return servers.values().stream().anyMatch(server -> dependsOn(server) && server.away(used, table));
    }

    /** Those that it depends on and that are lost. */
    List<ServerStanding> lostServers() {
        return servers.values().stream()
                .filter(server -> server.lost && dependsOn(server))
                .toList();
    }

    /** Those that it depends on and that have announced that they go. */
    List<ServerStanding> leavingServers() {
        return servers.values().stream()
                .filter(server -> server.leaving && !server.leavesWhenLost && dependsOn(server) && !used.none())
                .toList();
    }

    /** Those that are away, for people. */
    String awayServers() {
        return servers.values().stream()
                .filter(server -> dependsOn(server) && server.away(used, table))
                .map(server -> server.lost || server.leaving
                        ? "server " + server.name
                        : server.trouble(used, table).map(RaisedEvent::event).orElse(""))
                .collect(Collectors.joining(", "));
    }

    /** All that its servers serve, as one; null if none was ever seen. */
    @Nullable
    ServerView everything() {
        List<ServerView> views = new ArrayList<>();
        for (ServerStanding server : servers.values()) {
            ServerView view = server.view;
            if (view != null && dependsOn(server)) {
                views.add(view);
            }
        }
        if (views.size() < 2) {
            return views.isEmpty() ? null : views.get(0);
        }
        List<ExportedUnit> units = new ArrayList<>();
        views.forEach(view -> units.addAll(view.description().units()));
        return new ServerView(
                views.stream().map(ServerView::address).collect(Collectors.joining(", ")),
                views.stream().mapToLong(ServerView::epoch).max().orElse(0),
                new ServerDescription("", List.of(), units));
    }

    /** Every server that serves it now, with what was seen of it. */
    Map<String, ServerView> present() {
        Map<String, ServerView> views = new LinkedHashMap<>();
        for (ServerStanding server : servers.values()) {
            ServerView view = server.view;
            if (view != null && !server.away(used, table)) {
                views.put(server.name, view);
            }
        }
        return views;
    }

    FreezeRecord record(FreezeState as, String why) {
        ServerView view = everything();
        FreezeRecord before = restored;
        List<String> depends = servers.values().stream()
                .filter(this::dependsOn)
                .map(server -> server.name)
                .toList();
        FreezeRecord made = new FreezeRecord(
                name,
                portal,
                as,
                why,
                // The steady clock means nothing to the next run of the agent; whoever stores the record dates it.
                0,
                pid,
                view == null ? (before == null ? 0 : before.serverEpoch()) : view.epoch(),
                used.targets(),
                used.units(),
                used.sessions(),
                relay,
                depends,
                hold,
                table.registered(),
                table.operators());
        restored = made;
        return made;
    }
}
