package io.holdfast.agent.freeze;

import io.holdfast.agent.freeze.FreezeEvent.Attached;
import io.holdfast.agent.freeze.FreezeEvent.ServerGoingAway;
import io.holdfast.agent.freeze.FreezeEvent.StatusReported;
import io.holdfast.control.VmOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Freezes and thaws one VM: events in, actions out, the time passed in. Owned by one thread. The
 * diagram is at {@link FreezeState}.
 *
 * <p>The order of a crash: the portal stops leading to the server, the record is on disk, {@code stop} is sent and never
 * waited for; the stand-in then fails what is in flight, which lets QEMU finish the {@code stop}. The order of a return:
 * the portal leads back, the stand-in lets its sessions go, QEMU's sessions arrive at the server, {@code cont} is sent
 * once, if QEMU still says that the VM is paused: any other status makes it HELD_BY_OTHER.
 */
public final class FreezeMachine {
    /** How long QEMU may take to log in again when it was just told to; then it is resumed regardless. */
    public static final int PROVE_LIMIT_MS = 5_000;
    /** The same when nobody could tell it: libiscsi's longest back-off is 30 s. */
    public static final int PROVE_LIMIT_UNTOLD_MS = 35_000;
    /** A VM changes between paused and running at most this often. */
    public static final int FLIP_LIMIT_MS = 1_000;
    /** A pause on an I/O error so soon after {@code cont} is still our affair. */
    public static final int SETTLE_MS = 10_000;
    /** A {@code stop} without an answer for so long is worth a word: the VM may still run. */
    public static final int STOP_OVERDUE_MS = 1_000;

    private static final int BACKOFF_DOUBLINGS = 5;
    private static final long NEVER = Long.MAX_VALUE;
    static final long LONG_AGO = Long.MIN_VALUE / 2;
    private static final int STATUS_AGAIN_MS = 1_000;
    /** QEMU's word for a VM it paused because a request failed. */
    static final String IO_ERROR = "io-error";

    private final String vm;
    private final String portal;
    private final List<FreezeAction> actions = new ArrayList<>();

    private FreezeState state = FreezeState.ABSENT;
    private String reason = "no monitor connection yet";
    private long sinceMs;
    private long nowMs;

    // What is known of the server.
    private boolean serverAway = true;
    private @Nullable ServerView server;
    private long unansweredAnnouncement;
    private final UsedUnits used;
    private final ThawProof proof;
    private boolean relay;

    // What is known of QEMU.
    private int pid;
    private @Nullable FreezeRecord restored;
    private boolean stopPending;
    private boolean stopFailed;
    private boolean ioErrorPause;
    private long standInAnsweredAtMs = LONG_AGO;

    // The thaw under way.
    private long lastContMs = LONG_AGO;
    private int failedThaws;
    private long retryAtMs = NEVER;
    private long askAgainAtMs;
    private boolean overdueTold;

    /**
     * @param portal address of the VM's portal, for the record
     * @param record what an earlier run of the agent left, or null
     */
    public FreezeMachine(String vm, String portal, @Nullable FreezeRecord record) {
        this.vm = vm;
        this.portal = portal;
        this.restored = record;
        used = new UsedUnits(record);
        proof = new ThawProof(used);
        if (record != null) {
            pid = record.pid();
            relay = record.relay();
        }
    }

    public FreezeState state() {
        return state;
    }

    /** Why it is in its state, for people. */
    public String reason() {
        return reason;
    }

    /** The next time a {@link FreezeEvent.Tick} is wanted, in the caller's milliseconds, or empty. */
    public OptionalLong deadlineMs() {
        long due = switch (state) {
            case FREEZING -> stopFailed ? askAgainAtMs : overdueTold ? NEVER : sinceMs + STOP_OVERDUE_MS;
            case FROZEN -> serverAway ? NEVER : retryAtMs;
            case PROVING -> thawDueMs();
            case THAWING -> askAgainAtMs;
            case ABSENT, RUNNING, HELD_BY_OTHER -> NEVER;
        };
        return due == NEVER ? OptionalLong.empty() : OptionalLong.of(Math.max(nowMs + 1, due));
    }

    /**
     * @param now milliseconds of any steady clock
     * @return what is to be done, in this order
     */
    public List<FreezeAction> apply(FreezeEvent event, long now) {
        nowMs = now;
        actions.clear();
        if (event instanceof FreezeEvent.ServerLost lost) {
            serverLost(lost.why());
        } else if (event instanceof ServerGoingAway going) {
            serverGoingAway(going);
        } else if (event instanceof FreezeEvent.ServerServes serves) {
            serverServes(serves.server());
        } else if (event instanceof FreezeEvent.SessionsAtServer sessionsThere) {
            proof.sessionsAtServer(sessionsThere.count());
            thawIfReady();
        } else if (event instanceof FreezeEvent.DisksKnown known) {
            disksKnown(known);
        } else if (event instanceof FreezeEvent.RelayChosen chosen) {
            relay = chosen.relay();
            if (state != FreezeState.ABSENT) {
                save(state, reason);
            }
        } else if (event instanceof FreezeEvent.StandInAnswered) {
            standInAnswered();
        } else if (event instanceof FreezeEvent.StandInsClosed closed) {
            proof.standInsClosed(closed.sessions(), nowMs);
            thawIfReady();
        } else if (event instanceof Attached attached) {
            attached(attached);
        } else if (event instanceof FreezeEvent.Detached detached) {
            detached(detached.why());
        } else if (event instanceof FreezeEvent.QemuEnded) {
            qemuEnded();
        } else if (event instanceof FreezeEvent.Stopped) {
            stopped();
        } else if (event instanceof FreezeEvent.Resumed) {
            resumed();
        } else if (event instanceof FreezeEvent.StoppingOnIoError) {
            ioErrorPause = true;
        } else if (event instanceof FreezeEvent.StopReplied reply) {
            stopReplied(reply.error());
        } else if (event instanceof FreezeEvent.ContReplied reply) {
            contReplied(reply.error());
        } else if (event instanceof StatusReported status) {
            statusReported(status);
        } else if (event instanceof FreezeEvent.Tick) {
            tick();
        }
        return List.copyOf(actions);
    }

    // ------------------------------------------------------------------ the server goes

    private void serverLost(String why) {
        serverAway = true;
        proof.sessionsAtServer(0);
        unansweredAnnouncement = 0;
        actions.add(new FreezeAction.PortalStandIn());
        switch (state) {
            case RUNNING -> {
                // A server that was never seen is a wrong address, not an outage; nothing is frozen for that.
                if (serverEverSeen() && !used.none()) {
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

    private void serverGoingAway(ServerGoingAway going) {
        unansweredAnnouncement = going.announcementId();
        String why = "server announces that it goes: " + going.reason();
        switch (state) {
            // The portal leads to the server until stop is done: its last requests need it.
            case RUNNING, THAWING -> freeze(why);
            case PROVING -> {
                actions.add(new FreezeAction.PortalStandIn());
                backToFrozen(why);
            }
            case FREEZING, FROZEN -> {
                // Answered below, or when stop is done.
            }
            case HELD_BY_OTHER -> answerAnnouncement(VmOutcome.State.ALREADY_PAUSED, reason);
            case ABSENT -> answerAnnouncement(VmOutcome.State.ABSENT, reason);
        }
        if (state == FreezeState.FROZEN && !stopPending) {
            actions.add(new FreezeAction.PortalStandIn());
            answerAnnouncement(VmOutcome.State.FROZEN, reason);
        }
    }

    private void answerAnnouncement(VmOutcome.State outcome, String detail) {
        if (unansweredAnnouncement != 0) {
            actions.add(new FreezeAction.AnswerAnnouncement(unansweredAnnouncement, outcome, detail));
            unansweredAnnouncement = 0;
        }
    }

    private void freeze(String why) {
        stopPending = true;
        stopFailed = false;
        overdueTold = false;
        if (nowMs - lastContMs > SETTLE_MS) {
            failedThaws = 0;
        }
        retryAtMs = NEVER;
        save(FreezeState.FREEZING, why);
        actions.add(new FreezeAction.SendStop());
        enter(FreezeState.FREEZING, why);
    }

    private void backToFrozen(String why) {
        enter(stopPending ? FreezeState.FREEZING : FreezeState.FROZEN, why);
    }

    // ------------------------------------------------------------------ the server is back

    private void serverServes(ServerView view) {
        serverAway = false;
        unansweredAnnouncement = 0;
        server = view;
        Optional<String> objection = used.objectionTo(view);
        if (objection.isPresent()) {
            actions.add(new FreezeAction.Warn(objection.get()));
            if (state == FreezeState.PROVING) {
                actions.add(new FreezeAction.PortalStandIn());
                backToFrozen(objection.get());
            }
            reason = objection.get();
            // Only another introduction of the server can change that.
            retryAtMs = NEVER;
            return;
        }
        if (state == FreezeState.RUNNING) {
            leadBack(view);
            rememberUnits();
        } else if (state == FreezeState.FREEZING || state == FreezeState.FROZEN) {
            prove(view);
        } else {
            leadBack(view);
        }
    }

    private void prove(ServerView view) {
        if (retryAtMs != NEVER && nowMs < retryAtMs) {
            return;
        }
        retryAtMs = NEVER;
        proof.begin(nowMs);
        enter(FreezeState.PROVING, "server " + view.address() + " serves");
        // Asked now, to be known when the sessions are there. QEMU answers in order: stop first.
        overdueTold = false;
        askStatus();
        leadBack(view);
    }

    private void leadBack(ServerView view) {
        actions.add(new FreezeAction.PortalRedirect(view.description().portals()));
        actions.add(new FreezeAction.CloseStandIns());
    }

    private long thawDueMs() {
        if (stopPending) {
            return overdueTold ? NEVER : proof.deadlineMs();
        }
        long due = Math.max(lastContMs + FLIP_LIMIT_MS, proof.sessionsAreThere() ? 0 : proof.deadlineMs());
        return proof.resumable(nowMs) ? due : Math.max(due, askAgainAtMs);
    }

    private void thawIfReady() {
        boolean due = proof.sessionsAreThere() || nowMs >= proof.deadlineMs();
        if (state != FreezeState.PROVING || nowMs < lastContMs + FLIP_LIMIT_MS || !due) {
            return;
        }
        if (stopPending) {
            if (!overdueTold) {
                overdueTold = true;
                actions.add(new FreezeAction.Warn("QEMU has not answered stop " + (nowMs - sinceMs)
                        + " ms after the server's return: the VM is resumed when it has"));
            }
        } else if (!proof.resumable(nowMs)) {
            if (nowMs >= askAgainAtMs) {
                askStatus();
            }
        } else if (proof.sessionsAreThere()) {
            thaw("all " + proof.sessionsAtServer() + " sessions are at the server");
        } else {
            actions.add(new FreezeAction.Warn("only " + proof.sessionsAtServer() + " of " + proof.sessionsWanted()
                    + " sessions are at the server after " + (nowMs - sinceMs) + " ms; resuming all the same"));
            thaw("time is up");
        }
    }

    private void askStatus() {
        askAgainAtMs = nowMs + STATUS_AGAIN_MS;
        actions.add(new FreezeAction.AskStatus());
    }

    private void thaw(String why) {
        lastContMs = nowMs;
        ioErrorPause = false;
        standInAnsweredAtMs = LONG_AGO;
        askAgainAtMs = nowMs + STATUS_AGAIN_MS;
        save(FreezeState.THAWING, why);
        actions.add(new FreezeAction.SendCont());
        enter(FreezeState.THAWING, why);
    }

    private void thawFailed(String why) {
        long pauseMs = (long) FLIP_LIMIT_MS << Math.min(failedThaws, BACKOFF_DOUBLINGS);
        failedThaws++;
        retryAtMs = lastContMs + pauseMs;
        save(FreezeState.FROZEN, why);
        enter(FreezeState.FROZEN, why + "; next attempt in " + Math.max(0, retryAtMs - nowMs) + " ms");
    }

    private void rememberUnits() {
        ServerView view = server;
        if (view != null && used.learnFrom(view)) {
            save(state, reason);
        }
    }

    private void disksKnown(FreezeEvent.DisksKnown known) {
        used.disksKnown(known);
        if (state == FreezeState.RUNNING && !serverAway) {
            rememberUnits();
        }
    }

    // ------------------------------------------------------------------ QEMU speaks

    private void attached(Attached attached) {
        if (pid != 0 && attached.pid() != 0 && pid != attached.pid()) {
            standInAnsweredAtMs = LONG_AGO;
        }
        pid = attached.pid();
        stopPending = false;
        ioErrorPause = false;
        FreezeRecord before = restored;
        if (before != null && before.pid() != 0 && pid != 0 && before.pid() != pid) {
            // Another process: what was known of the old one is void.
            before = null;
            restored = null;
            used.forgetUnits();
        }
        if (attached.running()) {
            attachedRunning(before);
        } else if (before != null && before.pausedByUs()
                || standInLately() && attached.status().equals(IO_ERROR)) {
            String earlier = before == null ? "its requests were failed by the stand-in" : before.reason();
            enter(FreezeState.FROZEN, "found " + attached.status() + ", frozen by this agent earlier: " + earlier);
            proveIfServerServes();
        } else {
            heldByOther("found " + attached.status() + ", paused by somebody else");
        }
    }

    private void standInAnswered() {
        standInAnsweredAtMs = nowMs;
        if (state == FreezeState.ABSENT || state == FreezeState.RUNNING) {
            // QEMU is about to pause because of us, and the next run of the agent must know that too.
            save(FreezeState.FREEZING, "its requests were failed by the stand-in");
        }
    }

    /** QEMU pauses within milliseconds of such an answer: a pause long after it has another cause. */
    private boolean standInLately() {
        return nowMs - standInAnsweredAtMs < SETTLE_MS;
    }

    private void attachedRunning(@Nullable FreezeRecord before) {
        boolean byHand = before != null && before.pausedByUs() && before.state() != FreezeState.FREEZING;
        String why = byHand ? "found running: resumed by hand, or thawed" : "found running";
        save(FreezeState.RUNNING, why);
        enter(FreezeState.RUNNING, why);
        if (!serverAway) {
            rememberUnits();
        } else if (!byHand && serverEverSeen()) {
            freeze("found running while the server is away");
        }
    }

    private void proveIfServerServes() {
        ServerView view = server;
        if (!serverAway && view != null) {
            serverServes(view);
        }
    }

    private void detached(String why) {
        if (state != FreezeState.ABSENT) {
            restored = record(state, reason);
            enter(FreezeState.ABSENT, why);
        } else {
            reason = why;
        }
        stopPending = false;
        answerAnnouncement(VmOutcome.State.ABSENT, why);
    }

    /** What was known of it is void: the next process may be given other disks under the same names. */
    private void qemuEnded() {
        if (state == FreezeState.ABSENT) {
            restored = null;
            standInAnsweredAtMs = LONG_AGO;
            used.forgetUnits();
        }
    }

    private void stopped() {
        switch (state) {
            case FREEZING -> enter(FreezeState.FROZEN, reason);
            case RUNNING -> {
                boolean ours = ioErrorPause && (serverAway || standInLately() || nowMs - lastContMs < SETTLE_MS);
                if (!ours) {
                    heldByOther(ioErrorPause ? "paused by QEMU on an I/O error of its own" : "paused by somebody else");
                } else if (serverAway) {
                    String why = "paused on an I/O error while the server is away";
                    save(FreezeState.FROZEN, why);
                    enter(FreezeState.FROZEN, why);
                } else {
                    thawFailed("paused again on an I/O error");
                }
            }
            case THAWING -> {
                if (ioErrorPause) {
                    thawFailed("paused again on an I/O error");
                } else {
                    heldByOther("paused by somebody else while it was thawed");
                }
            }
            case ABSENT, FROZEN, PROVING, HELD_BY_OTHER -> {
                // It stands already.
            }
        }
    }

    private void stopReplied(String error) {
        stopPending = false;
        if (!error.isEmpty()) {
            stopFailed = true;
            askAgainAtMs = nowMs + STATUS_AGAIN_MS;
            actions.add(new FreezeAction.Warn("stop failed: " + error));
            actions.add(new FreezeAction.AskStatus());
            answerAnnouncement(VmOutcome.State.FAILED, "stop failed: " + error);
            return;
        }
        if (state == FreezeState.FREEZING) {
            enter(FreezeState.FROZEN, reason);
        }
        if (state == FreezeState.FROZEN && unansweredAnnouncement != 0) {
            actions.add(new FreezeAction.PortalStandIn());
            answerAnnouncement(VmOutcome.State.FROZEN, reason);
        }
        thawIfReady();
    }

    private void resumed() {
        ioErrorPause = false;
        switch (state) {
            case THAWING -> actions.add(new FreezeAction.AskStatus());
            case FROZEN, PROVING -> {
                if (stopPending) {
                    return;
                }
                save(FreezeState.RUNNING, "resumed by hand");
                enter(FreezeState.RUNNING, "resumed by hand; not frozen again for this outage");
            }
            case HELD_BY_OTHER -> {
                enter(FreezeState.RUNNING, "resumed by somebody else");
                if (serverAway && serverEverSeen() && !used.none()) {
                    freeze("resumed while the server is away");
                }
            }
            case ABSENT, RUNNING, FREEZING -> {
                // FREEZING: the echo of an earlier cont; our stop is behind it.
            }
        }
    }

    private void contReplied(String error) {
        if (state == FreezeState.THAWING && error.isEmpty()) {
            actions.add(new FreezeAction.AskStatus());
        } else if (state == FreezeState.THAWING) {
            thawFailed("cont failed: " + error);
        }
    }

    private void statusReported(StatusReported status) {
        if (state == FreezeState.THAWING) {
            if (status.running()) {
                save(FreezeState.RUNNING, "thawed");
                enter(FreezeState.RUNNING, "thawed");
                rememberUnits();
            } else if (ioErrorPause || status.status().equals(IO_ERROR)) {
                thawFailed("status is " + status.status() + " after cont");
            }
        } else if (state == FreezeState.PROVING && !stopPending) {
            statusBeforeThaw(status);
        } else if (state == FreezeState.FREEZING && !stopPending) {
            if (status.running()) {
                askAgainAtMs = nowMs + STATUS_AGAIN_MS;
            } else {
                stopFailed = false;
                enter(FreezeState.FROZEN, reason);
            }
        }
    }

    private void statusBeforeThaw(StatusReported status) {
        if (status.running()) {
            save(FreezeState.RUNNING, "found running");
            enter(FreezeState.RUNNING, "found running when it was to be resumed");
        } else if (proof.statusIs(status.status(), nowMs)) {
            thawIfReady();
        } else {
            heldByOther("its status is " + status.status() + ", from which it is not resumed");
        }
    }

    private void tick() {
        switch (state) {
            case FREEZING -> {
                if (stopFailed && nowMs >= askAgainAtMs) {
                    freeze(reason);
                } else if (!overdueTold && nowMs >= sinceMs + STOP_OVERDUE_MS) {
                    overdueTold = true;
                    actions.add(new FreezeAction.Warn("QEMU has not answered stop for " + (nowMs - sinceMs)
                            + " ms: it waits for requests in flight"));
                }
            }
            case FROZEN -> {
                if (retryAtMs != NEVER && nowMs >= retryAtMs) {
                    proveIfServerServes();
                }
            }
            case PROVING -> thawIfReady();
            case THAWING -> {
                if (nowMs >= askAgainAtMs) {
                    askStatus();
                }
            }
            case ABSENT, RUNNING, HELD_BY_OTHER -> {
                // Nothing is due.
            }
        }
    }

    // ------------------------------------------------------------------ what the rest stands on

    /** The only line that changes the state. */
    private void enter(FreezeState next, String why) {
        actions.add(new FreezeAction.Report(state, next, why));
        state = next;
        reason = why;
        sinceMs = nowMs;
    }

    private void save(FreezeState as, String why) {
        actions.add(new FreezeAction.Save(record(as, why)));
    }

    /** On record, or the next run of the agent would find an older record of ours, and resume the VM. */
    private void heldByOther(String why) {
        save(FreezeState.HELD_BY_OTHER, why);
        enter(FreezeState.HELD_BY_OTHER, why);
    }

    private boolean serverEverSeen() {
        FreezeRecord before = restored;
        return server != null || before != null && before.serverEpoch() != 0;
    }

    private FreezeRecord record(FreezeState as, String why) {
        ServerView view = server;
        FreezeRecord made = new FreezeRecord(
                vm,
                portal,
                as,
                why,
                // The steady clock means nothing to the next run of the agent; whoever stores the record dates it.
                0,
                pid,
                view == null ? (restored == null ? 0 : restored.serverEpoch()) : view.epoch(),
                used.targets(),
                used.units(),
                used.sessions(),
                relay);
        restored = made;
        return made;
    }
}
