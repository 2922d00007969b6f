package io.holdfast.agent.freeze;

import io.holdfast.agent.freeze.FreezeEvent.ServerGoingAway;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.RaisedEvent;
import io.holdfast.control.VmOutcome;
import io.holdfast.net.Spans;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is done to a VM when its server goes, when it is back, and when time passes in between. Part of
 * {@link FreezeMachine}, and owned by its thread.
 */
final class OutageRules {
    private static final int BACKOFF_DOUBLINGS = 5;
    private static final long NEVER = Long.MAX_VALUE;
    private static final int STATUS_AGAIN_MS = 1_000;

    private final VmStanding vm;
    private final ThawProof proof;
    private final IoAfterThaw io = new IoAfterThaw();
    /** Requests were waiting when it was resumed. */
    private boolean waiting;

    private long lastContMs = FreezeMachine.LONG_AGO;
    private int failedThaws;
    private long retryAtMs = NEVER;
    /** A server that serves has other units than the VM's. */
    private boolean objected;

    private long askAgainAtMs;
    private boolean overdueTold;

    /** The freeze whose limit has been told of, by its beginning. */
    private long limitToldOfMs = FreezeMachine.LONG_AGO;

    /** What its table wants beside the freeze that is under way. */
    private boolean reclaim;

    private boolean powerOff;

    OutageRules(VmStanding vm) {
        this.vm = vm;
        proof = new ThawProof(vm.used);
    }

    // ------------------------------------------------------------------ the server goes

    void serverLost(FreezeEvent.ServerLost lost) {
        ServerStanding server = vm.server(lost.server());
        server.lose();
        if (vm.hasOneServer()) {
            proof.sessionsAtServer(0);
        }
        boolean leaves = server.leavesWhenLost || vm.table.actionFor(server.name, lost.event()) == EventAction.LEAVE;
        // One that stands still already, such as for the stop that was announced, has nothing to run on with.
        boolean standsStill =
                vm.state == FreezeState.FREEZING || vm.state == FreezeState.FROZEN || vm.state == FreezeState.PROVING;
        if (leaves && !standsStill && vm.dependsOn(server)) {
            leave(server, lost.event() + ": it is left running, as its table says");
            return;
        }
        vm.act(new FreezeAction.PortalStandIn(server.name));
        if (vm.dependsOn(server)) {
            takeAway(server, lost.event(), lost.why());
        }
    }

    /** Its table says that it is to run on. A stand-in would pause it: it waits instead. */
    private void leave(ServerStanding server, String why) {
        server.left = true;
        vm.act(new FreezeAction.PortalHold(server.name));
        vm.warn(why);
    }

    /** Nobody saw how its servers went: it is taken for a crash. An earlier run of the agent may have left it running. */
    void foundRunningWithoutServer() {
        vm.lostServers().stream()
                .filter(server -> vm.table.actionFor(server.name, EventTable.SERVER_CRASH) == EventAction.LEAVE)
                .forEach(server -> leave(
                        server,
                        "found running, and its server is not heard: it is left running, as its table says for "
                                + EventTable.SERVER_CRASH));
        if (vm.serverAway()) {
            freeze("found running while the server is away");
        }
    }

    /** Something is wrong at a server that goes on serving. */
    void eventRaised(String name, RaisedEvent event) {
        ServerStanding server = vm.server(name);
        boolean before = server.trouble(vm.used, vm.table).isPresent();
        server.raise(event, vm.table);
        boolean concerned = event.target().isEmpty() ? vm.dependsOn(server) : vm.used.uses(event.target());
        if (server.lost || !concerned) {
            return;
        }
        if (event.event().equals(RaisedEvent.STORAGE_LOST_WRITES)) {
            vm.hold = event.detail();
        }
        Optional<RaisedEvent> trouble = server.trouble(vm.used, vm.table);
        if (trouble.isEmpty()) {
            vm.warn(event.event() + ": it is left running, as its table says");
        } else if (!before && event.concernsStorage()) {
            vm.act(new FreezeAction.PortalStandIn(server.name));
            if (vm.state == FreezeState.PROVING) {
                // The proof itself may be what its storage does not bear: the next one waits, and longer each time.
                postpone(vm.nowMs);
            }
            takeAway(server, event.event(), event.event() + " at the server: " + event.detail());
            // After stop is on its way: what QEMU has in flight there is failed by the stand-in, and kept.
            vm.act(new FreezeAction.BreakConnections(server.name));
        } else if (!before) {
            // The storage answers: what is in flight ends by itself.
            takeAway(server, event.event(), event.event() + ": " + event.detail(), stopFor(server, event.event()));
        }
    }

    void eventCleared(String name, RaisedEvent event) {
        ServerStanding server = vm.server(name);
        boolean before = server.trouble(vm.used, vm.table).isPresent();
        server.clear(event);
        ServerView view = server.view;
        if (before && view != null && !server.away(vm.used, vm.table)) {
            goOn(server, view);
        }
    }

    /** What its table says now holds for an event that lasts too, as far as the VM stands still for it. */
    void tableChanged() {
        vm.saveTable();
        if (vm.state == FreezeState.FREEZING || vm.state == FreezeState.FROZEN) {
            proveIfServerServes();
        }
    }

    /** What its table wants beside the freeze. */
    private void beside(ServerStanding server, String event, String why) {
        EventAction action = vm.table.actionFor(server.name, event);
        if (action == EventAction.HOOK) {
            vm.act(new FreezeAction.RunHook(event, why));
        }
        reclaim = action == EventAction.RECLAIM;
        powerOff = action == EventAction.POWER_OFF;
    }

    private FreezeAction stopFor(ServerStanding server, String event) {
        return vm.table.actionFor(server.name, event) == EventAction.QUIESCE
                ? new FreezeAction.QuiesceAndStop()
                : new FreezeAction.SendStop();
    }

    private void takeAway(ServerStanding server, String event, String why) {
        takeAway(server, event, why, new FreezeAction.SendStop());
    }

    private void takeAway(ServerStanding server, String event, String why, FreezeAction stop) {
        // Frozen already, it is for the event that it was frozen for: an announced stop ends in a loss.
        boolean freezesNow = vm.state == FreezeState.THAWING
                || vm.state == FreezeState.PROVING
                || vm.state == FreezeState.RUNNING && vm.serverEverSeen() && !vm.used.none();
        if (freezesNow) {
            beside(server, event, why);
        }
        switch (vm.state) {
            case RUNNING -> {
                // A server that was never seen is a wrong address, not an outage; nothing is frozen for that.
                if (vm.serverEverSeen() && !vm.used.none()) {
                    freeze(why, stop);
                }
            }
            // cont may have been carried out or not: stop settles it.
            case THAWING -> freeze(why + ", while the VM was thawed");
            case PROVING -> backToFrozen(why + ", before the VM was resumed");
            case HELD_BY_OTHER -> {
                // Its requests failed a moment before the reason was told: this is our pause after all.
                if (vm.nowMs - vm.heldOnIoErrorAtMs < FreezeMachine.SETTLE_MS) {
                    vm.save(FreezeState.FROZEN, why);
                    vm.enter(FreezeState.FROZEN, why);
                }
            }
            case ABSENT, FREEZING, FROZEN -> {
                // Nothing to stop.
            }
        }
    }

    void serverGoingAway(ServerGoingAway going) {
        ServerStanding server = vm.server(going.server());
        server.unansweredAnnouncement = going.announcementId();
        server.leaving = true;
        EventAction action = vm.table.actionFor(server.name, EventTable.SERVER_STOP);
        String why = "server announces that it goes: " + going.reason();
        server.leavesWhenLost = action == EventAction.LEAVE;
        // The same as when it is lost: for a server that was never seen nothing is stopped.
        boolean seen = vm.serverEverSeen() || vm.state != FreezeState.RUNNING;
        boolean concerned = vm.dependsOn(server) && seen && !vm.used.none();
        if (!concerned || server.leavesWhenLost) {
            vm.answerAnnouncement(
                    server,
                    VmOutcome.State.ABSENT,
                    server.leavesWhenLost ? "left running, as its table says" : "it has no disk there");
            return;
        }
        beside(server, EventTable.SERVER_STOP, why);
        switch (vm.state) {
            // The portal leads to the server until stop is done: its last requests need it.
            case RUNNING, THAWING -> freeze(why, stopFor(server, EventTable.SERVER_STOP));
            case PROVING -> {
                vm.act(new FreezeAction.PortalStandIn(server.name));
                backToFrozen(why);
            }
            case FREEZING, FROZEN -> {
                // Answered below, or when stop is done.
            }
            case HELD_BY_OTHER -> vm.answerAnnouncement(server, VmOutcome.State.ALREADY_PAUSED, vm.reason);
            case ABSENT -> vm.answerAnnouncement(server, VmOutcome.State.ABSENT, vm.reason);
        }
        if (vm.state == FreezeState.FROZEN && !vm.stopPending) {
            serverMayGo();
        }
    }

    /** Everything in flight has drained: whoever announced that it goes may go. */
    void serverMayGo() {
        vm.leavingServers().forEach(server -> vm.act(new FreezeAction.PortalStandIn(server.name)));
        vm.answerAnnouncements(VmOutcome.State.FROZEN, vm.reason);
    }

    void freeze(String why) {
        freeze(why, new FreezeAction.SendStop());
    }

    private void freeze(String why, FreezeAction stop) {
        io.end();
        vm.stopPending = true;
        vm.stopFailed = false;
        overdueTold = false;
        if (!contLately()) {
            failedThaws = 0;
        }
        retryAtMs = NEVER;
        vm.save(FreezeState.FREEZING, why);
        vm.act(stop);
        vm.enter(FreezeState.FREEZING, why);
    }

    private void backToFrozen(String why) {
        vm.enter(vm.stopPending ? FreezeState.FREEZING : FreezeState.FROZEN, why);
    }

    // ------------------------------------------------------------------ the server is back

    void serverServes(String name, ServerView view) {
        ServerStanding server = vm.server(name);
        server.serves(view);
        Optional<RaisedEvent> trouble = server.trouble(vm.used, vm.table);
        if (trouble.isPresent()) {
            vm.act(new FreezeAction.PortalStandIn(name));
            String why =
                    trouble.get().event() + " at the server: " + trouble.get().detail();
            vm.reason = why;
            takeAway(server, trouble.get().event(), why);
            return;
        }
        goOn(server, view);
    }

    private Optional<String> objection() {
        ServerView all = vm.everything();
        // A unit that is nowhere may be at a server that is still away.
        return all == null || vm.serverAway() && !vm.hasOneServer() ? Optional.empty() : vm.used.objectionTo(all);
    }

    private void goOn(ServerStanding server, ServerView view) {
        Optional<String> objection = objection();
        objected = objection.isPresent();
        if (objection.isPresent()) {
            vm.warn(objection.get());
            if (vm.state == FreezeState.PROVING) {
                vm.act(new FreezeAction.PortalStandIn(server.name));
                backToFrozen(objection.get());
            }
            if (vm.state == FreezeState.FROZEN && !objection.get().equals(vm.reason)) {
                // No attempt is planned any more, whatever the last one said.
                vm.save(FreezeState.FROZEN, objection.get());
                vm.enter(FreezeState.FROZEN, objection.get());
            }
            vm.reason = objection.get();
            // Only what the server says of its units can change that.
            retryAtMs = NEVER;
            return;
        }
        boolean frozen = vm.state == FreezeState.FREEZING || vm.state == FreezeState.FROZEN;
        if (frozen && vm.serverAway()) {
            leadBack(server.name, view);
            vm.reason = server.name + " is back; waits for " + vm.awayServers();
            vm.warn("stays frozen: " + vm.reason);
        } else if (frozen) {
            prove(server, view);
        } else {
            leadBack(server.name, view);
            if (vm.state == FreezeState.RUNNING) {
                rememberUnits();
            }
        }
    }

    void unitsProved(String objection) {
        if (vm.state != FreezeState.PROVING || proof.unitsProved()) {
            return;
        }
        if (objection.isEmpty()) {
            proof.unitsAnswered();
            thawIfReady();
        } else {
            vm.warn(objection);
            thawFailed(objection, vm.nowMs);
        }
    }

    void sessionsAtServer(int count) {
        proof.sessionsAtServer(count);
        thawIfReady();
    }

    void standInsClosed(int count) {
        proof.standInsClosed(count, vm.nowMs);
        thawIfReady();
    }

    private void prove(ServerStanding server, ServerView view) {
        if (retryAtMs != NEVER && vm.nowMs < retryAtMs) {
            return;
        }
        if (!vm.hold.isEmpty()) {
            leadBack(server.name, view);
            vm.reason = "stays frozen until somebody resumes it: " + vm.hold;
            vm.warn(vm.reason);
            return;
        }
        retryAtMs = NEVER;
        proof.begin(vm.nowMs);
        vm.enter(FreezeState.PROVING, "the server's portal " + view.address() + " answers");
        // Asked now, to be known when the sessions are there. QEMU answers in order: stop first.
        overdueTold = false;
        askStatus();
        List<ExportedUnit> units = unitsToProve();
        if (!units.isEmpty()) {
            proof.unitsAsked();
            leadBack(server.name, view);
            vm.act(new FreezeAction.ProveUnits(units));
        } else {
            proof.unitsAnswered();
            leadBack(server.name, view);
        }
    }

    List<ExportedUnit> unitsToProve() {
        return vm.policy.units() == VmPolicy.Units.PROVED ? vm.used.units() : List.of();
    }

    private void leadBack(String name, ServerView view) {
        vm.act(new FreezeAction.PortalRedirect(name, view.description().portals()));
        vm.act(new FreezeAction.CloseStandIns(name));
    }

    private long thawDueMs() {
        if (!proof.unitsProved()) {
            return NEVER;
        }
        if (vm.stopPending) {
            return overdueTold ? NEVER : proof.deadlineMs();
        }
        long due =
                Math.max(lastContMs + FreezeMachine.FLIP_LIMIT_MS, proof.sessionsAreThere() ? 0 : proof.deadlineMs());
        return proof.resumable(vm.nowMs) ? due : Math.max(due, askAgainAtMs);
    }

    void thawIfReady() {
        boolean due = proof.unitsProved() && (proof.sessionsAreThere() || vm.nowMs >= proof.deadlineMs());
        if (vm.state != FreezeState.PROVING || vm.nowMs < lastContMs + FreezeMachine.FLIP_LIMIT_MS || !due) {
            return;
        }
        if (vm.stopPending) {
            if (!overdueTold) {
                overdueTold = true;
                vm.warn("QEMU has not answered stop " + Spans.print(vm.nowMs - vm.sinceMs)
                        + " after the server's return: the VM is resumed when it has");
            }
        } else if (!proof.resumable(vm.nowMs)) {
            if (vm.nowMs >= askAgainAtMs) {
                askStatus();
            }
        } else if (proof.sessionsAreThere()) {
            int there = proof.sessionsAtServer();
            thaw(there == 1 ? "its session is at the server" : "its " + there + " sessions are at the server");
        } else {
            vm.warn("only " + proof.sessionsAtServer() + " of " + proof.sessionsWanted()
                    + " sessions are at the server after " + Spans.print(vm.nowMs - vm.sinceMs)
                    + "; resuming all the same");
            thaw("time is up");
        }
    }

    /** @return whether QEMU's word for the VM's state allows it; remembered for a second */
    boolean mayResumeFrom(String status) {
        return proof.statusIs(status, vm.nowMs);
    }

    /** Whether the VM was resumed so lately that a new pause may be the same affair. */
    boolean contLately() {
        return vm.nowMs - lastContMs < FreezeMachine.SETTLE_MS;
    }

    void askAgainLater() {
        askAgainAtMs = vm.nowMs + STATUS_AGAIN_MS;
    }

    void askStatus() {
        askAgainLater();
        vm.act(new FreezeAction.AskStatus());
    }

    private void thaw(String why) {
        lastContMs = vm.nowMs;
        waiting = vm.ioErrorPause || vm.standInAnsweredAtMs != FreezeMachine.LONG_AGO;
        vm.ioErrorPause = false;
        vm.standInAnsweredAtMs = FreezeMachine.LONG_AGO;
        askAgainAtMs = vm.nowMs + STATUS_AGAIN_MS;
        vm.save(FreezeState.THAWING, why);
        vm.act(new FreezeAction.SendCont());
        vm.enter(FreezeState.THAWING, why);
    }

    /** It runs; whether its disks work for it is still to be seen. */
    void thawed() {
        io.begin(waiting, vm.nowMs);
        rememberUnits();
    }

    /** What became of the requests that were waiting. */
    void ioSeen(boolean moves) {
        if (vm.state != FreezeState.RUNNING || !io.underWay()) {
            return;
        }
        if (moves) {
            io.end();
        } else if (io.overdue(vm.nowMs)) {
            ioStands();
        }
    }

    /** Its programs would wait for ever: it is frozen anew, and its requests are led to the server once more. */
    private void ioStands() {
        String why = "none of its requests has ended " + (vm.nowMs - io.sinceMs()) + " ms after it was resumed";
        vm.warn(why);
        List<String> present = List.copyOf(vm.present().keySet());
        present.forEach(name -> vm.act(new FreezeAction.PortalStandIn(name)));
        // That it was resumed long ago does not mean that it went well.
        int failed = failedThaws;
        freeze(why);
        failedThaws = failed;
        present.forEach(name -> vm.act(new FreezeAction.BreakConnections(name)));
        postpone(vm.nowMs);
    }

    void thawFailed(String why) {
        thawFailed(why, lastContMs);
    }

    private void thawFailed(String why, long sinceMs) {
        postpone(sinceMs);
        vm.save(FreezeState.FROZEN, why);
        vm.enter(FreezeState.FROZEN, why + "; next attempt in " + Spans.print(Math.max(0, retryAtMs - vm.nowMs)));
    }

    private void postpone(long sinceMs) {
        retryAtMs = sinceMs + ((long) FreezeMachine.FLIP_LIMIT_MS << Math.min(failedThaws, BACKOFF_DOUBLINGS));
        failedThaws++;
    }

    private long limitDueMs() {
        return vm.policy.limitMs() == 0 || limitToldOfMs == vm.frozenSinceMs
                ? NEVER
                : vm.frozenSinceMs + vm.policy.limitMs();
    }

    private void limitReached() {
        limitToldOfMs = vm.frozenSinceMs;
        long frozenMs = vm.nowMs - vm.frozenSinceMs;
        VmPolicy.Then then = powerOff ? VmPolicy.Then.POWER_OFF : vm.policy.then();
        vm.warn("frozen for " + Spans.print(frozenMs) + ", its limit"
                + switch (then) {
                    case ALERT -> "; it stays frozen";
                    case POWER_OFF -> "; QEMU is ended";
                    case HOOK -> "; its hook is run";
                });
        if (then == VmPolicy.Then.POWER_OFF) {
            vm.act(new FreezeAction.PowerOff());
        } else if (then == VmPolicy.Then.HOOK) {
            vm.act(new FreezeAction.RunHook("limit", vm.reason));
        }
    }

    /** The virtual CPUs stand still. */
    void standsStill() {
        if (reclaim) {
            reclaim = false;
            vm.act(new FreezeAction.ReclaimMemory());
        }
    }

    void rememberUnits() {
        ServerView view = vm.everything();
        if (view != null && vm.used.learnFrom(view)) {
            vm.save(vm.state, vm.reason);
        }
    }

    /**
     * What is unmapped while its server says so is not missed when the server comes back; what is larger stays larger. A VM that
     * stays frozen for want of its own units goes on when they are there.
     */
    void unitsChanged(FreezeEvent.UnitsChanged told) {
        vm.server(told.name()).changed(told.server());
        if (vm.used.follow(told.change())) {
            vm.save(vm.state, vm.reason);
        }
        Optional<String> objection = objection();
        if (objected && (objection.isEmpty() || !objection.get().equals(vm.reason))) {
            proveIfServerServes();
        }
    }

    void disksKnown(FreezeEvent.DisksKnown known) {
        boolean before = vm.leavingServers().isEmpty();
        vm.used.disksKnown(known);
        if (vm.state == FreezeState.RUNNING && before && !vm.leavingServers().isEmpty()) {
            freeze("it turns out to have a disk at a server that goes");
        }
        if (vm.state == FreezeState.RUNNING && !vm.serverAway()) {
            rememberUnits();
        }
    }

    void proveIfServerServes() {
        if (!vm.serverAway()) {
            Map<String, ServerView> present = vm.present();
            present.forEach((name, view) -> goOn(vm.server(name), view));
        }
    }

    // ------------------------------------------------------------------ time passes

    /** The next time a {@link FreezeEvent.Tick} is wanted, in the caller's milliseconds, or empty. */
    OptionalLong deadlineMs() {
        long due = switch (vm.state) {
            case FREEZING ->
                vm.stopFailed ? askAgainAtMs : overdueTold ? NEVER : vm.sinceMs + FreezeMachine.STOP_OVERDUE_MS;
            case FROZEN -> Math.min(limitDueMs(), vm.serverAway() ? NEVER : retryAtMs);
            case PROVING -> thawDueMs();
            case THAWING -> askAgainAtMs;
            case RUNNING -> io.lookAtMs();
            case ABSENT, HELD_BY_OTHER -> NEVER;
        };
        return due == NEVER ? OptionalLong.empty() : OptionalLong.of(Math.max(vm.nowMs + 1, due));
    }

    void tick() {
        switch (vm.state) {
            case FREEZING -> {
                if (vm.stopFailed && vm.nowMs >= askAgainAtMs) {
                    freeze(vm.reason);
                } else if (!overdueTold && vm.nowMs >= vm.sinceMs + FreezeMachine.STOP_OVERDUE_MS) {
                    overdueTold = true;
                    vm.warn("QEMU has not answered stop for " + (vm.nowMs - vm.sinceMs)
                            + " ms: it waits for requests in flight");
                }
            }
            case FROZEN -> {
                if (vm.nowMs >= limitDueMs()) {
                    limitReached();
                } else if (retryAtMs != NEVER && vm.nowMs >= retryAtMs) {
                    proveIfServerServes();
                }
            }
            case PROVING -> thawIfReady();
            case THAWING -> {
                if (vm.nowMs >= askAgainAtMs) {
                    askStatus();
                }
            }
            case RUNNING -> {
                if (vm.nowMs >= io.lookAtMs()) {
                    io.looking(vm.nowMs);
                    vm.act(new FreezeAction.AskIo(io.sinceMs()));
                }
            }
            case ABSENT, HELD_BY_OTHER -> {
                // Nothing is due.
            }
        }
    }
}
