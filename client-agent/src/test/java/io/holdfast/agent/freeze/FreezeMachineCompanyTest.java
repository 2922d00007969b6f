package io.holdfast.agent.freeze;

import static io.holdfast.agent.freeze.FreezeState.ABSENT;
import static io.holdfast.agent.freeze.FreezeState.FREEZING;
import static io.holdfast.agent.freeze.FreezeState.FROZEN;
import static io.holdfast.agent.freeze.FreezeState.HELD_BY_OTHER;
import static io.holdfast.agent.freeze.FreezeState.PROVING;
import static io.holdfast.agent.freeze.FreezeState.RUNNING;
import static io.holdfast.agent.freeze.FreezeState.THAWING;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.FreezeAction.AnswerAnnouncement;
import io.holdfast.agent.freeze.FreezeAction.CloseStandIns;
import io.holdfast.agent.freeze.FreezeAction.PortalRedirect;
import io.holdfast.agent.freeze.FreezeAction.SendCont;
import io.holdfast.agent.freeze.FreezeAction.SendStop;
import io.holdfast.agent.freeze.FreezeEvent.Attached;
import io.holdfast.agent.freeze.FreezeEvent.Detached;
import io.holdfast.agent.freeze.FreezeEvent.DisksKnown;
import io.holdfast.agent.freeze.FreezeEvent.QemuEnded;
import io.holdfast.agent.freeze.FreezeEvent.RelayChosen;
import io.holdfast.agent.freeze.FreezeEvent.Resumed;
import io.holdfast.agent.freeze.FreezeEvent.ServerGoingAway;
import io.holdfast.agent.freeze.FreezeEvent.ServerLost;
import io.holdfast.agent.freeze.FreezeEvent.ServerServes;
import io.holdfast.agent.freeze.FreezeEvent.SessionsAtServer;
import io.holdfast.agent.freeze.FreezeEvent.StandInAnswered;
import io.holdfast.agent.freeze.FreezeEvent.StandInsClosed;
import io.holdfast.agent.freeze.FreezeEvent.StopReplied;
import io.holdfast.agent.freeze.FreezeEvent.Stopped;
import io.holdfast.agent.freeze.FreezeEvent.StoppingOnIoError;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.VmOutcome;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Somebody else pauses and resumes, the server announces its stop, QEMU and the agent come and go. */
class FreezeMachineCompanyTest extends MachineBench {
    // ------------------------------------------------------------------ somebody else

    @Test
    void shouldNeverResumeAVmThatSomebodyElsePaused() {
        running();
        apply(new Stopped());
        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);

        apply(new ServerLost("lost"));
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        pass(FreezeMachine.PROVE_LIMIT_UNTOLD_MS);

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
        assertThat(count(SendCont.class)).isZero();
        assertThat(count(SendStop.class)).isZero();
        assertThat(count(CloseStandIns.class)).isPositive();
    }

    @Test
    void shouldTakeAVmThatIsFoundPausedWithoutARecordForSomebodyElses() {
        apply(new ServerServes(server(1, DISK)));

        apply(new Attached(PID, false, "paused"));

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    @Test
    void shouldRespectAResumeByHand() {
        frozen();

        apply(new Resumed());

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(saved().state()).isEqualTo(RUNNING);
        apply(new ServerLost("still away"));
        assertThat(machine.state()).as("a new loss freezes again").isEqualTo(FREEZING);
    }

    @Test
    void shouldThawAVmThatWasResumedByHandAndPausedOnTheStandInsError() {
        frozen();
        apply(new Resumed());

        apply(new StandInAnswered());
        apply(new StoppingOnIoError());
        apply(new Stopped());
        assertThat(machine.state()).isEqualTo(FROZEN);

        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(machine.state()).isEqualTo(THAWING);
    }

    @Test
    void shouldLeaveAnIoErrorOfQemusOwnToItsOperator() {
        running();

        apply(new StoppingOnIoError());
        apply(new Stopped());

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
        assertThat(machine.reason()).contains("I/O error of its own");
    }

    @Test
    void shouldLeaveAnIoErrorLongAfterAResumeByHandToItsOperator() {
        frozen();
        apply(new StandInAnswered());
        apply(new Resumed());
        serverBack();
        now += FreezeMachine.SETTLE_MS;

        apply(new StoppingOnIoError());
        apply(new Stopped());

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    @Test
    void shouldNotHoldTheStandInsAnswersAgainstTheNextProcess() {
        running();
        apply(new StandInAnswered());
        apply(new Detached("ended"));

        apply(new Attached(PID + 1, false, "io-error"));

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    @Test
    void shouldFreezeAVmThatIsResumedBySomebodyElseWhileTheServerIsAway() {
        running();
        apply(new Stopped());
        apply(new ServerLost("lost"));

        apply(new Resumed());

        assertThat(machine.state()).isEqualTo(FREEZING);
    }

    @Test
    void shouldLeaveAVmThatSomebodyPausesWhileItThaws() {
        thawing();

        apply(new Stopped());

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    // ------------------------------------------------------------------ an announced stop

    @Test
    void shouldAnswerAnAnnouncementOnlyWhenStopIsAnswered() {
        running();

        apply(new ServerGoingAway(7, "PLANNED_STOP"));
        assertThat(kinds()).containsExactly("Save", "SendStop", "Report");
        apply(new Stopped());
        assertThat(count(AnswerAnnouncement.class)).isZero();

        apply(new StopReplied(""));

        assertThat(kinds()).containsExactly("PortalStandIn", "AnswerAnnouncement");
        assertThat(answer()).isEqualTo(VmOutcome.State.FROZEN);
    }

    @Test
    void shouldAnswerAtOnceForAVmThatStandsAlready() {
        running();
        apply(new Stopped());
        apply(new ServerGoingAway(7, "PLANNED_STOP"));
        assertThat(answer()).isEqualTo(VmOutcome.State.ALREADY_PAUSED);
    }

    @Test
    void shouldAnswerAtOnceForAVmThatIsNotThere() {
        apply(new ServerGoingAway(7, "PLANNED_STOP"));
        assertThat(answer()).isEqualTo(VmOutcome.State.ABSENT);
    }

    @Test
    void shouldAnswerWhenTheVmEndsInsteadOfStopping() {
        running();
        apply(new ServerGoingAway(7, "PLANNED_STOP"));

        apply(new Detached("QEMU closed it"));

        assertThat(answer()).isEqualTo(VmOutcome.State.ABSENT);
    }

    @Test
    void shouldSayWhenTheVmCannotBeStopped() {
        running();
        apply(new ServerGoingAway(7, "PLANNED_STOP"));

        apply(new StopReplied("no"));

        assertThat(answer()).isEqualTo(VmOutcome.State.FAILED);
    }

    @Test
    void shouldNotTryAFailedThawAgainForAServerThatGoes() {
        thawing();
        apply(new FreezeEvent.ContReplied("no"));
        assertThat(machine.state()).isEqualTo(FROZEN);
        apply(new ServerGoingAway(7, "PLANNED_STOP"));
        assertThat(answer()).isEqualTo(VmOutcome.State.FROZEN);
        long redirects = count(PortalRedirect.class);

        pass(FreezeMachine.SETTLE_MS);

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(count(PortalRedirect.class)).isEqualTo(redirects);
        assertThat(count(SendCont.class)).isEqualTo(1);
    }

    @Test
    void shouldFreezeAVmThatAppearsWhileTheServerGoes() {
        running();
        apply(new Detached("reset"));
        apply(new ServerGoingAway(7, "PLANNED_STOP"));
        assertThat(answer()).isEqualTo(VmOutcome.State.ABSENT);

        apply(new Attached(PID, true, "running"));
        assertThat(machine.state()).isEqualTo(FREEZING);
        apply(new StopReplied(""));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(kinds()).contains("PortalStandIn");
    }

    @Test
    void shouldNotGoBackToAServerThatGoesForAVmThatAppearsFrozen() {
        frozen();
        serverBack();
        apply(new Detached("reset"));
        apply(new ServerGoingAway(7, "PLANNED_STOP"));

        apply(new Attached(PID, false, "paused"));

        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldNotStopAVmThatHasNoDiskAtTheServerThatGoes() {
        apply(new ServerServes(server(1, DISK)));
        apply(new Attached(PID, true, "running"));
        apply(new DisksKnown(Set.of(), 0));

        apply(new ServerGoingAway(7, "PLANNED_STOP"));

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(count(SendStop.class)).isZero();
        assertThat(answer()).isEqualTo(VmOutcome.State.ABSENT);

        apply(new DisksKnown(Set.of(TARGET), 1));
        assertThat(machine.state()).as("it turns out to have one").isEqualTo(FREEZING);
    }

    @Test
    void shouldThawWhenAnAnnouncedServerStays() {
        running();
        apply(new SessionsAtServer(1));
        apply(new ServerGoingAway(7, "PLANNED_STOP"));
        apply(new StopReplied(""));

        apply(new ServerServes(server(1, DISK)));
        apply(new StandInsClosed(0));

        assertThat(machine.state()).isEqualTo(THAWING);
    }

    @Test
    void shouldThawAfterAnAnnouncedRestart() {
        running();
        apply(new ServerGoingAway(7, "RESTART"));
        apply(new StopReplied(""));
        apply(new ServerLost("closed"));
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));

        assertThat(machine.state()).isEqualTo(THAWING);
        assertThat(count(SendStop.class)).isEqualTo(1);
    }

    // ------------------------------------------------------------------ QEMU and the agent come and go

    @Test
    void shouldBeAbsentWhenQemuEnds() {
        frozen();

        apply(new Detached("QEMU closed it"));

        assertThat(machine.state()).isEqualTo(ABSENT);
        serverBack();
        assertThat(count(SendCont.class)).isZero();
    }

    @Test
    void shouldGoOnWhereItWasWhenTheMonitorComesBack() {
        frozen();
        apply(new Detached("reset"));
        serverBack();

        apply(new Attached(PID, false, "paused"));

        assertThat(machine.state()).isEqualTo(PROVING);
    }

    @Test
    void shouldForgetWhatItKnewOfAnotherProcess() {
        frozen();
        apply(new Detached("ended"));
        apply(new ServerServes(server(9, new ExportedUnit(TARGET, 0, "another", 5, false))));

        apply(new Attached(PID + 1, false, "paused"));

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    @ParameterizedTest
    @ValueSource(strings = {"FREEZING", "FROZEN", "PROVING", "THAWING"})
    void shouldThawWhatAnEarlierRunOfTheAgentFroze(String state) {
        restart(FreezeState.valueOf(state));
        apply(new Attached(PID, false, "paused"));
        assertThat(machine.state()).isEqualTo(FROZEN);

        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));

        assertThat(machine.state()).isEqualTo(THAWING);
    }

    @Test
    void shouldRefuseOtherDisksAfterARestartOfTheAgentToo() {
        restart(FROZEN);
        apply(new Attached(PID, false, "paused"));

        apply(new ServerServes(server(2, new ExportedUnit(TARGET, 0, "other", 1 << 30, false))));

        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldNotTakeARecordOfAnotherProcessForThisOne() {
        restart(FROZEN);

        apply(new Attached(PID + 1, false, "paused"));

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    @Test
    void shouldNotResumeAVmThatWasRunningByTheRecord() {
        restart(RUNNING);

        apply(new Attached(PID, false, "paused"));

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    @Test
    void shouldFreezeWhenTheAgentDiedBetweenRecordAndStop() {
        restart(FREEZING);

        apply(new Attached(PID, true, "running"));

        assertThat(machine.state()).isEqualTo(FREEZING);
        assertThat(count(SendStop.class)).isEqualTo(1);
    }

    @Test
    void shouldRespectAResumeByHandWhileTheAgentWasAway() {
        restart(FROZEN);

        apply(new Attached(PID, true, "running"));

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(count(SendStop.class)).isZero();
    }

    @Test
    void shouldFreezeAVmThatStallsBecauseServerAndAgentWereAway() {
        restart(RUNNING);

        apply(new Attached(PID, true, "running"));

        assertThat(machine.state()).isEqualTo(FREEZING);
    }

    @Test
    void shouldThawAVmThatTheStandInPausedBeforeTheMonitorWasConnected() {
        restart(RUNNING);
        apply(new StandInAnswered());
        assertThat(saved().state()).isEqualTo(FREEZING);
        assertThat(saved().pid()).isEqualTo(PID);

        apply(new Attached(PID, false, "io-error"));
        assertThat(machine.state()).isEqualTo(FROZEN);

        serverBack();
        assertThat(machine.state()).isEqualTo(PROVING);
    }

    @Test
    void shouldThawAVmThatAnEarlierRunsStandInPaused() {
        restart(FREEZING);

        apply(new Attached(PID, false, "io-error"));

        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldNotLearnOtherDisksFromAServerThatWasThereBeforeTheMonitor() {
        restart(RUNNING);
        apply(new ServerServes(server(2, new ExportedUnit(TARGET, 0, "other", 1 << 30, false))));
        apply(new Attached(PID, true, "running"));
        apply(new DisksKnown(Set.of(TARGET), 1));
        // It stalled while both were away; now its requests reach the stand-in.
        apply(new StandInAnswered());
        apply(new StoppingOnIoError());
        apply(new Stopped());
        assertThat(machine.state()).isEqualTo(FROZEN);

        pass(FreezeMachine.PROVE_LIMIT_UNTOLD_MS);

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("another disk");
        assertThat(count(PortalRedirect.class)).isZero();
        assertThat(count(SendCont.class)).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldLetTheSuccessorOfAnEndedQemuUseOtherDisks(boolean agentRestarted) {
        if (agentRestarted) {
            restart(RUNNING);
        } else {
            running();
            apply(new Detached("monitor closed"));
        }
        apply(new ServerLost("lost"));
        long before = count(PortalRedirect.class);

        apply(new QemuEnded());
        apply(new ServerServes(server(2, new ExportedUnit(TARGET, 0, "other", 1 << 30, false))));

        assertThat(count(PortalRedirect.class)).isEqualTo(before + 1);
    }

    @Test
    void shouldKeepAQemuFromOtherDisksWhileItMayStillLive() {
        running();
        apply(new Detached("monitor closed"));
        apply(new ServerLost("lost"));
        long before = count(PortalRedirect.class);

        apply(new ServerServes(server(2, new ExportedUnit(TARGET, 0, "other", 1 << 30, false))));

        assertThat(count(PortalRedirect.class)).isEqualTo(before);
    }

    @Test
    void shouldRecordThatSomebodyElsePausedIt() {
        thawing();

        apply(new Stopped());

        assertThat(saved().state()).isEqualTo(HELD_BY_OTHER);
        assertThat(saved().pausedByUs()).isFalse();
    }

    @Test
    void shouldRecordThatItWasFoundRunning() {
        restart(FROZEN);

        apply(new Attached(PID, true, "running"));

        assertThat(saved().pausedByUs()).isFalse();
    }

    @Test
    void shouldRecordThatItsDataMustBeRelayed() {
        running();

        apply(new RelayChosen(true));
        assertThat(saved().relay()).isTrue();
        apply(new ServerLost("lost"));

        assertThat(saved().relay()).isTrue();
        assertThat(saved().state()).isEqualTo(FREEZING);
    }
}
