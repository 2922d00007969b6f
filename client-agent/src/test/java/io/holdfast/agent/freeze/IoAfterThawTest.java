package io.holdfast.agent.freeze;

import static io.holdfast.agent.freeze.FreezeState.FREEZING;
import static io.holdfast.agent.freeze.FreezeState.FROZEN;
import static io.holdfast.agent.freeze.FreezeState.PROVING;
import static io.holdfast.agent.freeze.FreezeState.RUNNING;
import static io.holdfast.agent.freeze.FreezeState.THAWING;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.FreezeAction.AskIo;
import io.holdfast.agent.freeze.FreezeAction.SendCont;
import io.holdfast.agent.freeze.FreezeAction.Warn;
import io.holdfast.agent.freeze.FreezeEvent.IoSeen;
import io.holdfast.agent.freeze.FreezeEvent.SessionsAtServer;
import io.holdfast.agent.freeze.FreezeEvent.StandInAnswered;
import io.holdfast.agent.freeze.FreezeEvent.StandInsClosed;
import io.holdfast.agent.freeze.FreezeEvent.StatusReported;
import io.holdfast.agent.freeze.FreezeEvent.StopReplied;
import io.holdfast.agent.freeze.FreezeEvent.Stopped;
import io.holdfast.agent.freeze.FreezeEvent.Tick;
import org.junit.jupiter.api.Test;

/** A VM was resumed: do its disks work for it? */
class IoAfterThawTest extends MachineBench {
    private void thawed() {
        serverBack();
        led();
    }

    private void led() {
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(machine.state()).isEqualTo(THAWING);
        apply(new StatusReported(true, "running"));
        assertThat(machine.state()).isEqualTo(RUNNING);
    }

    /** The next look, as wanted. */
    private void look() {
        now = machine.deadlineMs().orElseThrow();
        apply(new Tick());
        assertThat(last).hasAtLeastOneElementOfType(AskIo.class);
    }

    private void frozenWithARequestWaiting() {
        frozen();
        apply(new StandInAnswered());
    }

    @Test
    void shouldLookOnceWhenARequestThatWaitedHasEnded() {
        frozenWithARequestWaiting();
        thawed();

        look();
        apply(new IoSeen(true));

        assertThat(machine.deadlineMs()).isEmpty();
        assertThat(count(Warn.class)).isZero();
    }

    @Test
    void shouldNotJudgeAVmThatAsksForNothing() {
        frozen();
        thawed();

        assertThat(machine.deadlineMs()).isEmpty();
    }

    @Test
    void shouldLookAtGrowingIntervalsAndFreezeAnewWhenNothingEnds() {
        frozenWithARequestWaiting();
        thawed();
        long resumedMs = now;

        while (machine.state() == RUNNING) {
            look();
            apply(new IoSeen(false));
        }

        assertThat(now - resumedMs).isBetween((long) FreezeMachine.IO_LIMIT_MS, 2L * FreezeMachine.IO_LIMIT_MS);
        assertThat(machine.state()).isEqualTo(FREEZING);
        assertThat(machine.reason()).contains("none of its requests has ended");
        assertThat(kinds()).containsSubsequence("Warn", "PortalStandIn", "Save", "SendStop", "BreakConnections");
    }

    @Test
    void shouldBeLedToTheServerOnceMoreLaterAndLater() {
        frozenWithARequestWaiting();
        thawed();
        long waitedMs = 0;
        for (int i = 0; i < 3; i++) {
            while (machine.state() == RUNNING) {
                look();
                apply(new IoSeen(false));
            }
            apply(new Stopped());
            apply(new StopReplied(""));
            apply(new StandInAnswered());
            assertThat(machine.state()).isEqualTo(FROZEN);
            long frozenMs = now;
            now = machine.deadlineMs().orElseThrow();
            assertThat(now - frozenMs).as("pause %s", i).isGreaterThan(waitedMs);
            waitedMs = now - frozenMs;

            apply(new Tick());
            assertThat(machine.state()).isEqualTo(PROVING);
            apply(new StatusReported(false, "paused"));
            led();
        }
        assertThat(count(SendCont.class)).isEqualTo(4);
    }

    @Test
    void shouldNotTakeAnAnswerForOneOfAnotherThaw() {
        frozenWithARequestWaiting();
        thawed();
        look();
        apply(new FreezeEvent.ServerLost("again"));

        apply(new IoSeen(false));

        assertThat(machine.state()).isEqualTo(FREEZING);
        assertThat(machine.reason()).isEqualTo("again");
    }
}
