package io.holdfast.iscsi;

import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/**
 * A session towards {@link WriteAdmission}: proves that its initiator still uses it when a newer session of the same
 * initiator asks, and hears when its own writes are admitted. Methods of {@link WriteAdmission.Member} come on any thread;
 * everything else belongs to the session's event loop.
 */
final class Membership implements WriteAdmission.Member {
    /** How long an initiator may take to prove that it still uses an older session. */
    static final int PROOF_LIMIT_SECONDS = 5;

    private final WriteAdmission admission;
    private final WriteAdmission.Key key;
    private final long isid;
    private final int portalGroupTag;
    private final EventExecutor loop;
    private final BooleanSupplier unheard;
    private final IntConsumer asker;
    private final Runnable onAdmitted;
    private final Consumer<String> closer;
    private boolean left;
    /** Target transfer tags of the NOP-Ins that ask "are you still there?", each its own, ascending. */
    private int lastQuestion;
    /** The last of them that was answered. */
    private int lastAnswered;

    /**
     * @param unheard whether the network brings nothing to the initiator at present
     * @param asker asks the initiator, by a NOP-In with this target transfer tag, whether it is there
     * @param onAdmitted runs on the loop when no older session can write any more
     * @param closer closes the session's connections, with the reason
     */
    Membership(
            WriteAdmission admission,
            WriteAdmission.Key key,
            long isid,
            int portalGroupTag,
            EventExecutor loop,
            BooleanSupplier unheard,
            IntConsumer asker,
            Runnable onAdmitted,
            Consumer<String> closer) {
        this.admission = admission;
        this.key = key;
        this.isid = isid;
        this.portalGroupTag = portalGroupTag;
        this.loop = loop;
        this.unheard = unheard;
        this.asker = asker;
        this.onAdmitted = onAdmitted;
        this.closer = closer;
    }

    void join() {
        admission.join(key, this);
    }

    /** The session is over and its last task has ended. */
    void leave() {
        left = true;
        admission.left(key, this);
    }

    /**
     * The initiator answered a question. Only the answer to the last one settles: an earlier answer may have been on its way
     * before the newer session began, and proves nothing about now.
     */
    void answered(int targetTransferTag) {
        if (targetTransferTag > lastAnswered && targetTransferTag <= lastQuestion) {
            lastAnswered = targetTransferTag;
            if (targetTransferTag == lastQuestion) {
                admission.settled(this);
            }
        }
    }

    @Override
    public long isid() {
        return isid;
    }

    @Override
    public int portalGroupTag() {
        return portalGroupTag;
    }

    @Override
    public void settle(boolean reinstated) {
        loop.execute(() -> {
            if (reinstated) {
                // RFC 7143 §6.3.5: the same initiator port has logged in again.
                closer.accept("its initiator port logged in again");
            } else if (!left) {
                ask();
            }
        });
    }

    private void ask() {
        if (unheard.getAsBoolean()) {
            // The question would wait behind what TCP repeats at ever longer intervals, while the initiator has a way
            // to us: it has just come by it. One that still uses this connection as well loses a login's time.
            closer.accept("its initiator logged in again, and nothing reaches it here");
            return;
        }
        // Whoever asks 2³¹ times has other troubles.
        int question = ++lastQuestion;
        asker.accept(question);
        loop.schedule(
                () -> {
                    // Each question has a limit of its own: further logins do not give a silent session more time.
                    if (!left && lastAnswered < question) {
                        closer.accept("its initiator logged in again, and did not answer here for "
                                + PROOF_LIMIT_SECONDS + " s");
                    }
                },
                PROOF_LIMIT_SECONDS,
                TimeUnit.SECONDS);
    }

    @Override
    public void admitted() {
        if (loop.inEventLoop()) {
            onAdmitted.run();
        } else {
            loop.execute(onAdmitted);
        }
    }
}
