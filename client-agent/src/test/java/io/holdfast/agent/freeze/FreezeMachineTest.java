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
import io.holdfast.agent.freeze.FreezeAction.AskStatus;
import io.holdfast.agent.freeze.FreezeAction.CloseStandIns;
import io.holdfast.agent.freeze.FreezeAction.PortalRedirect;
import io.holdfast.agent.freeze.FreezeAction.PortalStandIn;
import io.holdfast.agent.freeze.FreezeAction.Report;
import io.holdfast.agent.freeze.FreezeAction.Save;
import io.holdfast.agent.freeze.FreezeAction.SendCont;
import io.holdfast.agent.freeze.FreezeAction.SendStop;
import io.holdfast.agent.freeze.FreezeAction.Warn;
import io.holdfast.agent.freeze.FreezeEvent.Attached;
import io.holdfast.agent.freeze.FreezeEvent.ContReplied;
import io.holdfast.agent.freeze.FreezeEvent.Detached;
import io.holdfast.agent.freeze.FreezeEvent.DisksKnown;
import io.holdfast.agent.freeze.FreezeEvent.Resumed;
import io.holdfast.agent.freeze.FreezeEvent.ServerGoingAway;
import io.holdfast.agent.freeze.FreezeEvent.ServerLost;
import io.holdfast.agent.freeze.FreezeEvent.ServerServes;
import io.holdfast.agent.freeze.FreezeEvent.SessionsAtServer;
import io.holdfast.agent.freeze.FreezeEvent.StandInAnswered;
import io.holdfast.agent.freeze.FreezeEvent.StandInsClosed;
import io.holdfast.agent.freeze.FreezeEvent.StatusReported;
import io.holdfast.agent.freeze.FreezeEvent.StopReplied;
import io.holdfast.agent.freeze.FreezeEvent.Stopped;
import io.holdfast.agent.freeze.FreezeEvent.StoppingOnIoError;
import io.holdfast.agent.freeze.FreezeEvent.Tick;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.VmOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FreezeMachineTest {
    private static final String TARGET = "iqn.2026-11.io.holdfast:disk";
    private static final ExportedUnit DISK = new ExportedUnit(TARGET, 0, "uuid-1", 1 << 30, false);
    private static final int PID = 4711;

    private FreezeMachine machine = new FreezeMachine("web1", "127.0.0.1:3270", null);
    private long now = 1_000_000;
    private List<FreezeAction> last = List.of();
    private final List<FreezeAction> all = new ArrayList<>();

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

        assertThat(kinds()).containsExactly("Report", "PortalRedirect", "CloseStandIns");
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

        pass(1_000);
        pass(1_000);

        assertThat(count(AskStatus.class)).isEqualTo(2);
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
    void shouldIgnoreTheEchoOfItsOwnStopWhileItThaws() {
        running();
        apply(new ServerLost("lost"));
        serverBack();
        apply(new StandInsClosed(1));
        pass(FreezeMachine.PROVE_LIMIT_MS);
        assertThat(machine.state()).isEqualTo(THAWING);

        apply(new Stopped());

        assertThat(machine.state()).isEqualTo(THAWING);
    }

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

    // ------------------------------------------------------------------ anything at all

    /** Whatever happens in whatever order: what somebody else paused is not resumed, and nothing flips quickly. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldKeepItsPromisesUnderRandomEvents(long seed) {
        Random random = new Random(seed);
        List<FreezeEvent> events = List.of(
                new ServerLost("lost"),
                new ServerGoingAway(3, "PLANNED_STOP"),
                new ServerServes(server(1, DISK)),
                new ServerServes(server(2)),
                new SessionsAtServer(0),
                new SessionsAtServer(1),
                new DisksKnown(Set.of(TARGET), 1),
                new StandInAnswered(),
                new StandInsClosed(1),
                new StandInsClosed(0),
                new Attached(PID, true, "running"),
                new Attached(PID, false, "paused"),
                new Detached("gone"),
                new Stopped(),
                new Resumed(),
                new StoppingOnIoError(),
                new StopReplied(""),
                new StopReplied("error"),
                new ContReplied(""),
                new ContReplied("error"),
                new StatusReported(true, "running"),
                new StatusReported(false, "io-error"),
                new Tick());
        long lastCont = Long.MIN_VALUE / 2;
        for (int i = 0; i < 20_000; i++) {
            FreezeState before = machine.state();
            now += random.nextInt(400);
            apply(events.get(random.nextInt(events.size())));
            for (FreezeAction action : last) {
                if (action instanceof SendCont) {
                    assertThat(before).isIn(PROVING, FROZEN, FREEZING);
                    assertThat(now - lastCont).isGreaterThanOrEqualTo(FreezeMachine.FLIP_LIMIT_MS);
                    lastCont = now;
                }
                if (action instanceof SendStop) {
                    int at = last.indexOf(action);
                    assertThat(last.subList(0, at)).hasAtLeastOneElementOfType(Save.class);
                }
            }
            assertThat(machine.deadlineMs().orElse(now + 1)).isGreaterThan(now - 1);
        }
    }

    // ------------------------------------------------------------------ builders

    private void running() {
        apply(new ServerServes(server(1, DISK)));
        apply(new Attached(PID, true, "running"));
        apply(new DisksKnown(Set.of(TARGET), 1));
        assertThat(machine.state()).isEqualTo(RUNNING);
        now += 60_000;
    }

    private void frozen() {
        running();
        apply(new ServerLost("server s lost: connection closed"));
        apply(new Stopped());
        apply(new StopReplied(""));
        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    private void serverBack() {
        apply(new ServerServes(server(2, DISK)));
    }

    private void thawing() {
        frozen();
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(machine.state()).isEqualTo(THAWING);
    }

    private long crashAndReturn() {
        apply(new ServerLost("lost"));
        apply(new StopReplied(""));
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(machine.state()).isEqualTo(THAWING);
        return now;
    }

    private void restart(FreezeState recorded) {
        machine = new FreezeMachine(
                "web1",
                "127.0.0.1:3270",
                new FreezeRecord(
                        "web1", "127.0.0.1:3270", recorded, "because", 1, PID, 1, List.of(TARGET), List.of(DISK), 1));
    }

    private static ServerView server(long epoch, ExportedUnit... units) {
        return new ServerView(
                "127.0.0.1:3260", epoch, new ServerDescription("vios1", List.of("127.0.0.1:3260"), List.of(units)));
    }

    private void apply(FreezeEvent event) {
        last = machine.apply(event, now);
        all.addAll(last);
    }

    private void pass(long ms) {
        passTo(now + ms);
    }

    private void passTo(long ms) {
        now = ms;
        apply(new Tick());
    }

    private List<String> kinds() {
        return last.stream().map(action -> action.getClass().getSimpleName()).toList();
    }

    private long count(Class<? extends FreezeAction> kind) {
        return all.stream().filter(kind::isInstance).count();
    }

    private <T extends FreezeAction> T lastOf(Class<T> kind) {
        return all.stream()
                .filter(kind::isInstance)
                .map(kind::cast)
                .reduce((first, second) -> second)
                .orElseThrow();
    }

    private FreezeRecord saved() {
        return lastOf(Save.class).record();
    }

    private VmOutcome.State answer() {
        return lastOf(AnswerAnnouncement.class).outcome();
    }

    private String text(Class<Warn> kind) {
        return lastOf(kind).what();
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
