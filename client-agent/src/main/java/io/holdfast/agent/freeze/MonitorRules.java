package io.holdfast.agent.freeze;

import io.holdfast.agent.freeze.FreezeEvent.Attached;
import io.holdfast.agent.freeze.FreezeEvent.StatusReported;
import io.holdfast.control.VmOutcome;
import org.jspecify.annotations.Nullable;

/**
 * What QEMU's words mean for a VM: whether a pause is ours or somebody else's, and whether a command has been carried out.
 * Part of {@link FreezeMachine}, and owned by its thread.
 */
final class MonitorRules {
    private final VmStanding vm;
    private final OutageRules outage;

    MonitorRules(VmStanding vm, OutageRules outage) {
        this.vm = vm;
        this.outage = outage;
    }

    void attached(Attached attached) {
        if (vm.pid != 0 && attached.pid() != 0 && vm.pid != attached.pid()) {
            vm.standInAnsweredAtMs = FreezeMachine.LONG_AGO;
        }
        vm.pid = attached.pid();
        vm.stopPending = false;
        vm.ioErrorPause = false;
        FreezeRecord before = vm.restored;
        if (before != null && before.pid() != 0 && vm.pid != 0 && before.pid() != vm.pid) {
            // Another process: what was known of the old one is void.
            before = null;
            vm.restored = null;
            vm.used.forgetUnits();
        }
        if (runsOrSleeps(attached.running(), attached.status())) {
            attachedRunning(before);
        } else if (before != null && before.pausedByUs()
                || vm.standInLately() && attached.status().equals(FreezeMachine.IO_ERROR)) {
            String earlier = before == null ? "its requests were failed by the stand-in" : before.reason();
            vm.enter(FreezeState.FROZEN, "found " + attached.status() + ", frozen by this agent earlier: " + earlier);
            outage.proveIfServerServes();
        } else {
            vm.heldByOther("found " + attached.status() + ", paused by somebody else");
        }
    }

    /** A guest that sleeps is not paused: cont does nothing to it, and its disks are used as soon as it wakes up. */
    private static boolean runsOrSleeps(boolean running, String status) {
        return running || status.equals(FreezeMachine.SUSPENDED);
    }

    /** Before 9.0, QEMU answers stop for a guest that sleeps and does nothing: it has to be stopped once more. */
    void wokeUp() {
        if (vm.state == FreezeState.FROZEN && vm.serverAway()) {
            outage.freeze("woke up while the server is away");
        }
    }

    void standInAnswered() {
        vm.standInAnsweredAtMs = vm.nowMs;
        if (vm.state == FreezeState.ABSENT || vm.state == FreezeState.RUNNING) {
            // QEMU is about to pause because of us, and the next run of the agent must know that too.
            vm.save(FreezeState.FREEZING, "its requests were failed by the stand-in");
        }
    }

    private void attachedRunning(@Nullable FreezeRecord before) {
        boolean byHand = before != null && before.pausedByUs() && before.state() != FreezeState.FREEZING;
        vm.hold = "";
        String why = byHand ? "found running: resumed by hand, or thawed" : "found running";
        vm.save(FreezeState.RUNNING, why);
        vm.enter(FreezeState.RUNNING, why);
        if (!vm.serverAway()) {
            outage.rememberUnits();
        } else if (!vm.leavingServers().isEmpty()) {
            outage.freeze("found running while the server is about to go");
        } else if (!byHand && vm.serverEverSeen()) {
            outage.foundRunningWithoutServer();
        }
    }

    void detached(String why) {
        if (vm.state != FreezeState.ABSENT) {
            vm.restored = vm.record(vm.state, vm.reason);
            vm.enter(FreezeState.ABSENT, why);
        } else {
            vm.reason = why;
        }
        vm.stopPending = false;
        vm.answerAnnouncements(VmOutcome.State.ABSENT, why);
    }

    /** What was known of it is void: the next process may be given other disks under the same names. */
    void qemuEnded() {
        if (vm.state == FreezeState.ABSENT) {
            vm.restored = null;
            vm.hold = "";
            vm.standInAnsweredAtMs = FreezeMachine.LONG_AGO;
            vm.used.forgetUnits();
        }
    }

    void stopped() {
        switch (vm.state) {
            case FREEZING -> vm.enter(FreezeState.FROZEN, vm.reason);
            case RUNNING -> {
                boolean ours = vm.ioErrorPause && (vm.serverAway() || vm.standInLately() || outage.contLately());
                if (!ours) {
                    if (vm.ioErrorPause) {
                        vm.heldOnIoErrorAtMs = vm.nowMs;
                    }
                    vm.heldByOther(
                            vm.ioErrorPause ? "paused by QEMU on an I/O error of its own" : "paused by somebody else");
                } else if (vm.serverAway()) {
                    String why = "paused on an I/O error while the server is away";
                    vm.save(FreezeState.FROZEN, why);
                    vm.enter(FreezeState.FROZEN, why);
                } else {
                    outage.thawFailed("paused again on an I/O error");
                }
            }
            case THAWING -> {
                if (vm.ioErrorPause) {
                    outage.thawFailed("paused again on an I/O error");
                } else {
                    vm.heldByOther("paused by somebody else while it was thawed");
                }
            }
            case ABSENT, FROZEN, PROVING, HELD_BY_OTHER -> {
                // It stands already.
            }
        }
    }

    void stopReplied(String error) {
        vm.stopPending = false;
        if (!error.isEmpty()) {
            vm.stopFailed = true;
            vm.warn("stop failed: " + error);
            outage.askStatus();
            vm.answerAnnouncements(VmOutcome.State.FAILED, "stop failed: " + error);
            return;
        }
        if (vm.state == FreezeState.FREEZING) {
            vm.enter(FreezeState.FROZEN, vm.reason);
        }
        if (vm.state == FreezeState.FROZEN) {
            outage.serverMayGo();
        }
        if (vm.state == FreezeState.FROZEN) {
            outage.standsStill();
        }
        outage.thawIfReady();
    }

    void resumed() {
        vm.ioErrorPause = false;
        switch (vm.state) {
            case THAWING -> vm.act(new FreezeAction.AskStatus());
            case FROZEN, PROVING -> {
                if (vm.stopPending) {
                    return;
                }
                vm.hold = "";
                vm.save(FreezeState.RUNNING, "resumed by hand");
                vm.enter(FreezeState.RUNNING, "resumed by hand; not frozen again for this outage");
            }
            case HELD_BY_OTHER -> {
                vm.enter(FreezeState.RUNNING, "resumed by somebody else");
                if (vm.serverAway() && vm.serverEverSeen() && !vm.used.none()) {
                    outage.freeze("resumed while the server is away");
                }
            }
            case ABSENT, RUNNING, FREEZING -> {
                // FREEZING: the echo of an earlier cont; our stop is behind it.
            }
        }
    }

    void contReplied(String error) {
        if (vm.state == FreezeState.THAWING && error.isEmpty()) {
            vm.act(new FreezeAction.AskStatus());
        } else if (vm.state == FreezeState.THAWING) {
            outage.thawFailed("cont failed: " + error);
        }
    }

    void statusReported(StatusReported status) {
        if (vm.state == FreezeState.THAWING) {
            if (runsOrSleeps(status.running(), status.status())) {
                vm.save(FreezeState.RUNNING, "thawed");
                vm.enter(FreezeState.RUNNING, "thawed");
                outage.thawed();
            } else if (vm.ioErrorPause || status.status().equals(FreezeMachine.IO_ERROR)) {
                outage.thawFailed("status is " + status.status() + " after cont");
            }
        } else if (vm.state == FreezeState.PROVING && !vm.stopPending) {
            statusBeforeThaw(status);
        } else if (vm.state == FreezeState.FREEZING && !vm.stopPending) {
            if (status.running()) {
                outage.askAgainLater();
            } else {
                vm.stopFailed = false;
                vm.enter(FreezeState.FROZEN, vm.reason);
            }
        }
    }

    private void statusBeforeThaw(StatusReported status) {
        if (runsOrSleeps(status.running(), status.status())) {
            vm.save(FreezeState.RUNNING, "found running");
            vm.enter(FreezeState.RUNNING, "found running when it was to be resumed");
        } else if (outage.mayResumeFrom(status.status())) {
            outage.thawIfReady();
        } else {
            vm.heldByOther("its status is " + status.status() + ", from which it is not resumed");
        }
    }
}
