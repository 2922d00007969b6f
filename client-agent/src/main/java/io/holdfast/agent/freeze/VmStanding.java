package io.holdfast.agent.freeze;

import io.holdfast.control.VmOutcome;
import java.util.ArrayList;
import java.util.List;
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
    long nowMs;

    // What is known of the server.
    boolean serverAway = true;

    @Nullable
    ServerView server;

    long unansweredAnnouncement;
    final UsedUnits used;
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

    VmStanding(String name, String portal, @Nullable FreezeRecord record) {
        this.name = name;
        this.portal = portal;
        restored = record;
        used = new UsedUnits(record);
        if (record != null) {
            pid = record.pid();
            relay = record.relay();
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

    void answerAnnouncement(VmOutcome.State outcome, String detail) {
        if (unansweredAnnouncement != 0) {
            actions.add(new FreezeAction.AnswerAnnouncement(unansweredAnnouncement, outcome, detail));
            unansweredAnnouncement = 0;
        }
    }

    /** The only line that changes the state. */
    void enter(FreezeState next, String why) {
        actions.add(new FreezeAction.Report(state, next, why));
        state = next;
        reason = why;
        sinceMs = nowMs;
    }

    void save(FreezeState as, String why) {
        actions.add(new FreezeAction.Save(record(as, why)));
    }

    /** On record, or the next run of the agent would find an older record of ours, and resume the VM. */
    void heldByOther(String why) {
        save(FreezeState.HELD_BY_OTHER, why);
        enter(FreezeState.HELD_BY_OTHER, why);
    }

    boolean serverEverSeen() {
        FreezeRecord before = restored;
        return server != null || before != null && before.serverEpoch() != 0;
    }

    FreezeRecord record(FreezeState as, String why) {
        ServerView view = server;
        FreezeRecord made = new FreezeRecord(
                name,
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
