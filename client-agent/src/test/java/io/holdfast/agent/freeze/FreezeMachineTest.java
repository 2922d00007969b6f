package io.holdfast.agent.freeze;

import static io.holdfast.agent.freeze.FreezeState.FREEZING;
import static io.holdfast.agent.freeze.FreezeState.FROZEN;
import static io.holdfast.agent.freeze.FreezeState.HELD_BY_OTHER;
import static io.holdfast.agent.freeze.FreezeState.PROVING;
import static io.holdfast.agent.freeze.FreezeState.RUNNING;
import static io.holdfast.agent.freeze.FreezeState.THAWING;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.FreezeAction.AskStatus;
import io.holdfast.agent.freeze.FreezeAction.PortalRedirect;
import io.holdfast.agent.freeze.FreezeAction.PortalStandIn;
import io.holdfast.agent.freeze.FreezeAction.Report;
import io.holdfast.agent.freeze.FreezeAction.SendCont;
import io.holdfast.agent.freeze.FreezeAction.SendStop;
import io.holdfast.agent.freeze.FreezeAction.Warn;
import io.holdfast.agent.freeze.FreezeEvent.Attached;
import io.holdfast.agent.freeze.FreezeEvent.ContReplied;
import io.holdfast.agent.freeze.FreezeEvent.DisksKnown;
import io.holdfast.agent.freeze.FreezeEvent.Resumed;
import io.holdfast.agent.freeze.FreezeEvent.ServerLost;
import io.holdfast.agent.freeze.FreezeEvent.ServerServes;
import io.holdfast.agent.freeze.FreezeEvent.SessionsAtServer;
import io.holdfast.agent.freeze.FreezeEvent.StandInsClosed;
import io.holdfast.agent.freeze.FreezeEvent.StatusReported;
import io.holdfast.agent.freeze.FreezeEvent.StopReplied;
import io.holdfast.agent.freeze.FreezeEvent.Stopped;
import io.holdfast.agent.freeze.FreezeEvent.StoppingOnIoError;
import io.holdfast.control.ExportedUnit;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The server goes, and comes back. */
class FreezeMachineTest extends MachineBench {
    // ------------------------------------------------------------------ a crash

    @Test
    void shouldStandInThenRecordThenStopWhenTheServerIsLost() {
        running();

        apply(new ServerLost("server s lost: connection closed"));

        assertThat(kinds()).containsExactly("PortalStandIn", "Save", "SendStop", "Report");
        assertThat(machine.state()).isEqualTo(FREEZING);
        assertThat(machine.reason()).isEqualTo("server s lost: connection closed");
        assertThat(saved().state()).isEqualTo(FREEZING);
        assertThat(saved().units()).containsExactly(DISK);
        assertThat(saved().pid()).isEqualTo(PID);
    }

    @Test
    void shouldBeFrozenWithTheStopEvent() {
        running();
        apply(new ServerLost("lost"));

        apply(new Stopped());

        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldBeFrozenWithTheReplyToStopWhenNoEventCame() {
        running();
        apply(new ServerLost("lost"));

        apply(new StopReplied(""));

        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldStopOnlyOnceWhenTheLossIsToldTwice() {
        frozen();

        apply(new ServerLost("again"));

        assertThat(count(SendStop.class)).isEqualTo(1);
    }

    @Test
    void shouldNotFreezeForAServerThatWasNeverSeen() {
        apply(new Attached(PID, true, "running"));

        apply(new ServerLost("connection refused"));

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(count(SendStop.class)).isZero();
    }

    @Test
    void shouldNotFreezeAVmThatHasNoDiskAtTheServer() {
        apply(new ServerServes(server(1, DISK)));
        apply(new Attached(PID, true, "running"));
        apply(new DisksKnown(Set.of(), 0));

        apply(new ServerLost("lost"));

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(count(SendStop.class)).isZero();
    }

    @Test
    void shouldFreezeAVmThatOnceHadADiskAtTheServer() {
        running();
        apply(new DisksKnown(Set.of(), 0));

        apply(new ServerLost("lost"));

        assertThat(machine.state()).isEqualTo(FREEZING);
    }

    @Test
    void shouldSayThatStopIsOverdueOnce() {
        running();
        apply(new ServerLost("lost"));
        assertThat(machine.deadlineMs()).hasValue(now + FreezeMachine.STOP_OVERDUE_MS);

        pass(FreezeMachine.STOP_OVERDUE_MS);
        pass(FreezeMachine.STOP_OVERDUE_MS);

        assertThat(count(Warn.class)).isEqualTo(1);
        assertThat(machine.deadlineMs()).isEmpty();
        assertThat(machine.state()).isEqualTo(FREEZING);
    }

    @Test
    void shouldStopAgainWhenStopFailedAndTheGuestStillRuns() {
        running();
        apply(new ServerLost("lost"));

        apply(new StopReplied("not now"));
        assertThat(kinds()).contains("Warn", "AskStatus");
        apply(new StatusReported(true, "running"));
        pass(1_000);

        assertThat(count(SendStop.class)).isEqualTo(2);
    }

    // ------------------------------------------------------------------ the return

    @Test
    void shouldLeadBackThenLetGoBeforeAnythingIsResumed() {
        frozen();

        serverBack();

        assertThat(kinds()).containsExactly("Report", "AskStatus", "PortalRedirect", "CloseStandIns");
        assertThat(machine.state()).isEqualTo(PROVING);
        assertThat(count(SendCont.class)).isZero();
    }

    @Test
    void shouldResumeOnceWhenStopIsAnsweredAndAllSessionsAreAtTheServer() {
        frozen();
        serverBack();
        apply(new StandInsClosed(1));
        assertThat(machine.state()).isEqualTo(PROVING);

        apply(new SessionsAtServer(1));

        assertThat(kinds()).containsExactly("Save", "SendCont", "Report");
        assertThat(saved().state()).isEqualTo(THAWING);
        assertThat(machine.state()).isEqualTo(THAWING);

        apply(new Resumed());
        assertThat(kinds()).containsExactly("AskStatus");
        apply(new StatusReported(true, "running"));
        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(saved().state()).isEqualTo(RUNNING);
        assertThat(count(SendCont.class)).isEqualTo(1);
    }

    @Test
    void shouldWaitForEverySession() {
        running();
        apply(new DisksKnown(Set.of(TARGET), 2));
        apply(new ServerLost("lost"));
        apply(new StopReplied(""));
        serverBack();
        apply(new StandInsClosed(2));

        apply(new SessionsAtServer(1));
        assertThat(count(SendCont.class)).isZero();

        apply(new SessionsAtServer(2));
        assertThat(count(SendCont.class)).isEqualTo(1);
    }

    @Test
    void shouldNotResumeBeforeStopIsAnswered() {
        running();
        apply(new ServerLost("lost"));
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(machine.state()).isEqualTo(PROVING);
        assertThat(count(SendCont.class)).isZero();

        apply(new StopReplied(""));

        assertThat(machine.state()).isEqualTo(THAWING);
    }

    @Test
    void shouldResumeWithAWarningWhenSessionsDoNotComeInTime() {
        frozen();
        serverBack();
        apply(new StandInsClosed(1));
        assertThat(machine.deadlineMs()).hasValue(now + FreezeMachine.PROVE_LIMIT_MS);

        pass(FreezeMachine.PROVE_LIMIT_MS);

        assertThat(kinds()).contains("Warn", "SendCont");
        assertThat(text(Warn.class)).contains("only 0 of 1 sessions");
    }

    @Test
    void shouldWaitForLibiscsisBackOffWhenNobodyCouldTellItThatTheServerIsBack() {
        frozen();
        serverBack();
        apply(new StandInsClosed(0));

        pass(FreezeMachine.PROVE_LIMIT_MS);
        assertThat(count(SendCont.class)).isZero();

        pass(FreezeMachine.PROVE_LIMIT_UNTOLD_MS - FreezeMachine.PROVE_LIMIT_MS);
        assertThat(count(SendCont.class)).isEqualTo(1);
    }

    @Test
    void shouldResumeAtOnceWhenItHasNoDiskAtTheServer() {
        apply(new ServerServes(server(1, DISK)));
        apply(new Attached(PID, true, "running"));
        apply(new ServerLost("lost"));
        apply(new StopReplied(""));

        serverBack();
        apply(new StandInsClosed(0));

        assertThat(machine.state()).isEqualTo(THAWING);
    }

    @Test
    void shouldAskForTheStatusAgainWhenNobodySaysThatItRuns() {
        thawing();

        long before = count(AskStatus.class);

        pass(1_000);
        pass(1_000);

        assertThat(count(AskStatus.class)).isEqualTo(before + 2);
        assertThat(count(SendCont.class)).isEqualTo(1);
    }

    // ------------------------------------------------------------------ other disks

    @Test
    void shouldStayFrozenWhenAUnitHasAnotherIdentity() {
        frozen();

        apply(new ServerServes(server(2, new ExportedUnit(TARGET, 0, "uuid-2", 1 << 30, false))));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(text(Warn.class))
                .contains("another disk as " + TARGET + "/0")
                .contains("uuid-2");
        assertThat(machine.reason()).contains("another disk");
        assertThat(count(PortalRedirect.class)).isEqualTo(1);
    }

    @Test
    void shouldStayFrozenWhenAUnitHasAnotherSize() {
        frozen();

        apply(new ServerServes(server(2, new ExportedUnit(TARGET, 0, "uuid-1", 1 << 20, false))));

        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldStayFrozenWhenAUnitIsMissing() {
        frozen();

        apply(new ServerServes(server(2)));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(text(Warn.class)).contains("serves, but not " + TARGET + "/0");
    }

    @Test
    void shouldThawWhenTheRightUnitIsThereAfterAll() {
        frozen();
        apply(new ServerServes(server(2)));

        serverBack();

        assertThat(machine.state()).isEqualTo(PROVING);
    }

    // ------------------------------------------------------------------ losses in the middle

    @Test
    void shouldFreezeAgainWhenTheServerIsLostWhileItThaws() {
        thawing();

        apply(new ServerLost("lost again"));

        assertThat(machine.state()).isEqualTo(FREEZING);
        assertThat(kinds()).containsExactly("PortalStandIn", "Save", "SendStop", "Report");

        // cont was carried out before our stop.
        apply(new Resumed());
        assertThat(machine.state()).isEqualTo(FREEZING);
        apply(new Stopped());
        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldStayFrozenWhenTheServerIsLostBeforeTheResume() {
        frozen();
        serverBack();

        apply(new ServerLost("lost again"));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(kinds()).startsWith("PortalStandIn");
        assertThat(count(SendStop.class)).isEqualTo(1);
    }

    @Test
    void shouldNotCountSessionsOfBeforeTheLoss() {
        frozen();
        apply(new ServerLost("again"));
        serverBack();
        apply(new StandInsClosed(1));

        assertThat(machine.state()).isEqualTo(PROVING);
    }

    @Test
    void shouldGoRoundAgainWithBackOffWhenItPausesAgainOnAnIoError() {
        running();
        long first = crashAndReturn();

        apply(new StoppingOnIoError());
        apply(new Stopped());
        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("paused again");
        assertThat(machine.deadlineMs()).hasValue(first + FreezeMachine.FLIP_LIMIT_MS);

        passTo(first + FreezeMachine.FLIP_LIMIT_MS);
        apply(new StandInsClosed(0));
        assertThat(count(SendCont.class)).isEqualTo(2);

        apply(new StoppingOnIoError());
        apply(new Stopped());
        assertThat(machine.deadlineMs()).hasValue(now + 2 * FreezeMachine.FLIP_LIMIT_MS);
    }

    @Test
    void shouldNeverFlipMoreThanOnceASecond() {
        running();
        long first = crashAndReturn();
        apply(new StatusReported(true, "running"));
        now += 100;
        apply(new ServerLost("again"));
        apply(new StopReplied(""));
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));

        assertThat(count(SendCont.class)).isEqualTo(1);
        assertThat(machine.deadlineMs()).hasValue(first + FreezeMachine.FLIP_LIMIT_MS);

        passTo(first + FreezeMachine.FLIP_LIMIT_MS);
        assertThat(count(SendCont.class)).isEqualTo(2);
    }

    @Test
    void shouldTryAgainWhenContFails() {
        thawing();

        apply(new ContReplied("Failed to get a lock"));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("Failed to get a lock");
        assertThat(machine.deadlineMs()).isPresent();
    }

    @Test
    void shouldWaitForTheAnswerToStopEvenWhenTimeIsUp() {
        running();
        apply(new ServerLost("lost"));
        serverBack();
        apply(new StandInsClosed(1));

        pass(FreezeMachine.PROVE_LIMIT_MS);
        pass(FreezeMachine.PROVE_LIMIT_MS);

        assertThat(count(SendCont.class)).isZero();
        assertThat(count(Warn.class)).isEqualTo(1);
        assertThat(machine.deadlineMs()).isEmpty();
        apply(new Stopped());
        apply(new StopReplied(""));
        assertThat(machine.state()).isEqualTo(THAWING);
    }

    // ------------------------------------------------------------------ a guest that sleeps (ACPI S3)

    @Test
    void shouldTakeAGuestThatSleepsForOneThatRuns() {
        apply(new Attached(PID, false, "suspended"));

        assertThat(machine.state()).isEqualTo(RUNNING);
    }

    @Test
    void shouldHaveNothingToResumeWhenTheGuestSleeps() {
        frozen();
        status = "suspended";

        serverBack();

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(count(SendCont.class)).isZero();
    }

    @Test
    void shouldBeDoneWhenAGuestSleepsThatWasFrozenAwake() {
        thawing();

        apply(new StatusReported(false, "suspended"));

        assertThat(machine.state()).isEqualTo(RUNNING);
    }

    @Test
    void shouldStopAGuestThatWakesUpWhileTheServerIsAway() {
        frozen();
        long before = count(SendStop.class);

        apply(new FreezeEvent.WokeUp());

        assertThat(machine.state()).isEqualTo(FREEZING);
        assertThat(count(SendStop.class)).isEqualTo(before + 1);
    }

    // ------------------------------------------------------------------ what QEMU is, before it is resumed

    @ParameterizedTest
    @ValueSource(strings = {"postmigrate", "guest-panicked", "shutdown", "internal-error", "finish-migrate"})
    void shouldNotResumeAVmThatIsNotMerelyPaused(String is) {
        frozen();
        status = is;

        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        pass(FreezeMachine.PROVE_LIMIT_UNTOLD_MS);

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
        assertThat(machine.reason()).contains(is);
        assertThat(saved().pausedByUs()).isFalse();
        assertThat(count(SendCont.class)).isZero();
    }

    @Test
    void shouldNotResumeBeforeQemuSaysWhatItIs() {
        frozen();
        status = "";
        serverBack();
        apply(new StandInsClosed(1));

        apply(new SessionsAtServer(1));
        assertThat(count(SendCont.class)).isZero();

        apply(new StatusReported(false, "io-error"));
        assertThat(machine.state()).isEqualTo(THAWING);
    }

    @Test
    void shouldAskAgainWhenTheSessionsComeLongAfterTheAnswer() {
        frozen();
        serverBack();
        apply(new StandInsClosed(1));
        now += 3_000;
        status = "postmigrate";

        apply(new SessionsAtServer(1));

        assertThat(count(SendCont.class)).isZero();
        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    @Test
    void shouldAskAgainWhenQemuDoesNotSayWhatItIs() {
        frozen();
        status = "";
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(count(AskStatus.class)).isEqualTo(1);

        passTo(machine.deadlineMs().orElseThrow());

        assertThat(count(AskStatus.class)).isEqualTo(2);
    }

    @Test
    void shouldFindOutThatItRunsAlready() {
        frozen();
        status = "";
        serverBack();

        apply(new StatusReported(true, "running"));

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(saved().state()).isEqualTo(RUNNING);
    }

    @Test
    void shouldReportEveryChangeOfState() {
        thawing();
        assertThat(all.stream()
                        .filter(Report.class::isInstance)
                        .map(Report.class::cast)
                        .map(Report::to))
                .containsExactly(RUNNING, FREEZING, FROZEN, PROVING, THAWING);
        assertThat(all).hasAtLeastOneElementOfType(PortalStandIn.class);
    }
}
