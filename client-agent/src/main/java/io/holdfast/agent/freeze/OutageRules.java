package io.holdfast.agent.freeze;

import io.holdfast.agent.freeze.FreezeEvent.ServerGoingAway;
import io.holdfast.control.VmOutcome;
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
    private long lastContMs = FreezeMachine.LONG_AGO;
    private int failedThaws;
    private long retryAtMs = NEVER;
    private long askAgainAtMs;
    private boolean overdueTold;

    OutageRules(VmStanding vm) {
        this.vm = vm;
        proof = new ThawProof(vm.used);
    }

    // ------------------------------------------------------------------ the server goes

    void serverLost(String why) {
        vm.serverAway = true;
        proof.sessionsAtServer(0);
        vm.unansweredAnnouncement = 0;
        vm.act(new FreezeAction.PortalStandIn());
        switch (vm.state) {
            case RUNNING -> {
                // A server that was never seen is a wrong address, not an outage; nothing is frozen for that.
                if (vm.serverEverSeen() && !vm.used.none()) {
                    freeze(why);
                }
            }
            // cont may have been carried out or not: stop settles it.
            case THAWING -> freeze(why + ", while the VM was thawed");
            case PROVING -> backToFrozen(why + ", before the VM was resumed");
            case ABSENT, FREEZING, FROZEN, HELD_BY_OTHER -> {
                // Nothing to stop.
            }
        }
    }

    void serverGoingAway(ServerGoingAway going) {
        vm.unansweredAnnouncement = going.announcementId();
        String why = "server announces that it goes: " + going.reason();
        switch (vm.state) {
            // The portal leads to the server until stop is done: its last requests need it.
            case RUNNING, THAWING -> freeze(why);
            case PROVING -> {
                vm.act(new FreezeAction.PortalStandIn());
                backToFrozen(why);
            }
            case FREEZING, FROZEN -> {
                // Answered below, or when stop is done.
            }
            case HELD_BY_OTHER -> vm.answerAnnouncement(VmOutcome.State.ALREADY_PAUSED, vm.reason);
            case ABSENT -> vm.answerAnnouncement(VmOutcome.State.ABSENT, vm.reason);
        }
        if (vm.state == FreezeState.FROZEN && !vm.stopPending) {
            vm.act(new FreezeAction.PortalStandIn());
            vm.answerAnnouncement(VmOutcome.State.FROZEN, vm.reason);
        }
    }

    void freeze(String why) {
        vm.stopPending = true;
        vm.stopFailed = false;
        overdueTold = false;
        if (!contLately()) {
            failedThaws = 0;
        }
        retryAtMs = NEVER;
        vm.save(FreezeState.FREEZING, why);
        vm.act(new FreezeAction.SendStop());
        vm.enter(FreezeState.FREEZING, why);
    }

    private void backToFrozen(String why) {
        vm.enter(vm.stopPending ? FreezeState.FREEZING : FreezeState.FROZEN, why);
    }

    // ------------------------------------------------------------------ the server is back

    void serverServes(ServerView view) {
        vm.serverAway = false;
        vm.unansweredAnnouncement = 0;
        vm.server = view;
        Optional<String> objection = vm.used.objectionTo(view);
        if (objection.isPresent()) {
            vm.warn(objection.get());
            if (vm.state == FreezeState.PROVING) {
                vm.act(new FreezeAction.PortalStandIn());
                backToFrozen(objection.get());
            }
            vm.reason = objection.get();
            // Only another introduction of the server can change that.
            retryAtMs = NEVER;
            return;
        }
        if (vm.state == FreezeState.RUNNING) {
            leadBack(view);
            rememberUnits();
        } else if (vm.state == FreezeState.FREEZING || vm.state == FreezeState.FROZEN) {
            prove(view);
        } else {
            leadBack(view);
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

    private void prove(ServerView view) {
        if (retryAtMs != NEVER && vm.nowMs < retryAtMs) {
            return;
        }
        retryAtMs = NEVER;
        proof.begin(vm.nowMs);
        vm.enter(FreezeState.PROVING, "the server's portal " + view.address() + " answers");
        // Asked now, to be known when the sessions are there. QEMU answers in order: stop first.
        overdueTold = false;
        askStatus();
        leadBack(view);
    }

    private void leadBack(ServerView view) {
        vm.act(new FreezeAction.PortalRedirect(view.description().portals()));
        vm.act(new FreezeAction.CloseStandIns());
    }

    private long thawDueMs() {
        if (vm.stopPending) {
            return overdueTold ? NEVER : proof.deadlineMs();
        }
        long due =
                Math.max(lastContMs + FreezeMachine.FLIP_LIMIT_MS, proof.sessionsAreThere() ? 0 : proof.deadlineMs());
        return proof.resumable(vm.nowMs) ? due : Math.max(due, askAgainAtMs);
    }

    void thawIfReady() {
        boolean due = proof.sessionsAreThere() || vm.nowMs >= proof.deadlineMs();
        if (vm.state != FreezeState.PROVING || vm.nowMs < lastContMs + FreezeMachine.FLIP_LIMIT_MS || !due) {
            return;
        }
        if (vm.stopPending) {
            if (!overdueTold) {
                overdueTold = true;
                vm.warn("QEMU has not answered stop " + (vm.nowMs - vm.sinceMs)
                        + " ms after the server's return: the VM is resumed when it has");
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
                    + " sessions are at the server after " + (vm.nowMs - vm.sinceMs) + " ms; resuming all the same");
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
        vm.ioErrorPause = false;
        vm.standInAnsweredAtMs = FreezeMachine.LONG_AGO;
        askAgainAtMs = vm.nowMs + STATUS_AGAIN_MS;
        vm.save(FreezeState.THAWING, why);
        vm.act(new FreezeAction.SendCont());
        vm.enter(FreezeState.THAWING, why);
    }

    void thawFailed(String why) {
        long pauseMs = (long) FreezeMachine.FLIP_LIMIT_MS << Math.min(failedThaws, BACKOFF_DOUBLINGS);
        failedThaws++;
        retryAtMs = lastContMs + pauseMs;
        vm.save(FreezeState.FROZEN, why);
        vm.enter(FreezeState.FROZEN, why + "; next attempt in " + Math.max(0, retryAtMs - vm.nowMs) + " ms");
    }

    void rememberUnits() {
        ServerView view = vm.server;
        if (view != null && vm.used.learnFrom(view)) {
            vm.save(vm.state, vm.reason);
        }
    }

    void disksKnown(FreezeEvent.DisksKnown known) {
        vm.used.disksKnown(known);
        if (vm.state == FreezeState.RUNNING && !vm.serverAway) {
            rememberUnits();
        }
    }

    void proveIfServerServes() {
        ServerView view = vm.server;
        if (!vm.serverAway && view != null) {
            serverServes(view);
        }
    }

    // ------------------------------------------------------------------ time passes

    /** The next time a {@link FreezeEvent.Tick} is wanted, in the caller's milliseconds, or empty. */
    OptionalLong deadlineMs() {
        long due = switch (vm.state) {
            case FREEZING ->
                vm.stopFailed ? askAgainAtMs : overdueTold ? NEVER : vm.sinceMs + FreezeMachine.STOP_OVERDUE_MS;
            case FROZEN -> vm.serverAway ? NEVER : retryAtMs;
            case PROVING -> thawDueMs();
            case THAWING -> askAgainAtMs;
            case ABSENT, RUNNING, HELD_BY_OTHER -> NEVER;
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
                if (retryAtMs != NEVER && vm.nowMs >= retryAtMs) {
                    proveIfServerServes();
                }
            }
            case PROVING -> thawIfReady();
            case THAWING -> {
                if (vm.nowMs >= askAgainAtMs) {
                    askStatus();
                }
            }
            case ABSENT, RUNNING, HELD_BY_OTHER -> {
                // Nothing is due.
            }
        }
    }
}
