package io.holdfast.agent.freeze;

import static io.holdfast.agent.freeze.FreezeState.FROZEN;
import static io.holdfast.agent.freeze.FreezeState.HELD_BY_OTHER;
import static io.holdfast.agent.freeze.FreezeState.PROVING;
import static io.holdfast.agent.freeze.FreezeState.RUNNING;
import static io.holdfast.agent.freeze.FreezeState.THAWING;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.FreezeAction.SendCont;
import io.holdfast.agent.freeze.FreezeAction.SendStop;
import io.holdfast.agent.freeze.FreezeEvent.Attached;
import io.holdfast.agent.freeze.FreezeEvent.DisksKnown;
import io.holdfast.agent.freeze.FreezeEvent.EventCleared;
import io.holdfast.agent.freeze.FreezeEvent.EventRaised;
import io.holdfast.agent.freeze.FreezeEvent.Resumed;
import io.holdfast.agent.freeze.FreezeEvent.ServerGoingAway;
import io.holdfast.agent.freeze.FreezeEvent.ServerLost;
import io.holdfast.agent.freeze.FreezeEvent.ServerServes;
import io.holdfast.agent.freeze.FreezeEvent.SessionsAtServer;
import io.holdfast.agent.freeze.FreezeEvent.StandInsClosed;
import io.holdfast.agent.freeze.FreezeEvent.StatusReported;
import io.holdfast.agent.freeze.FreezeEvent.StopReplied;
import io.holdfast.agent.freeze.FreezeEvent.Stopped;
import io.holdfast.agent.freeze.FreezeEvent.StoppingOnIoError;
import io.holdfast.agent.freeze.FreezeEvent.UnitsChanged;
import io.holdfast.agent.freeze.FreezeEvent.UnitsProved;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.RaisedEvent;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.ServerMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Storage that fails while its server goes on, several servers, the table, the proof by the units, the limit. */
class FreezeMachineEventsTest extends MachineBench {
    private static final String ONLY = FreezeEvent.ONLY_SERVER;
    private static final RaisedEvent GONE = new RaisedEvent(RaisedEvent.STORAGE_GONE, TARGET, "disk.img is not there");
    private static final RaisedEvent OTHERS =
            new RaisedEvent(RaisedEvent.STORAGE_GONE, "iqn.t:other", "x is not there");
    private static final ExportedUnit SECOND = new ExportedUnit("iqn.t:second", 0, "uuid-2", 1 << 20, false);

    private void machine(VmPolicy policy, Map<String, EventAction> table) {
        machine = new FreezeMachine("web1", "127.0.0.1:3270", null, policy, new EventTable(table));
    }

    private void raise(RaisedEvent event) {
        apply(new EventRaised(ONLY, event));
    }

    // ------------------------------------------------------------------ units that change while the server serves

    private static final ExportedUnit MORE = new ExportedUnit(TARGET, 1, "uuid-9", 1 << 20, false);

    private void changed(List<ExportedUnit> served, List<ExportedUnit> gone, ExportedUnit... all) {
        apply(new UnitsChanged(ONLY, server(1, all), new ServerMessage.UnitsChanged(served, gone)));
    }

    private void outage(ExportedUnit... then) {
        apply(new ServerLost("lost"));
        apply(new Stopped());
        apply(new StopReplied(""));
        apply(new ServerServes(server(2, then)));
    }

    @Test
    void shouldNotMissAUnitThatWasUnmappedWhileItsServerServed() {
        running();
        changed(List.of(MORE), List.of(), DISK, MORE);
        changed(List.of(), List.of(MORE), DISK);

        outage(DISK);

        assertThat(machine.state()).isEqualTo(PROVING);
    }

    @Test
    void shouldMissAUnitThatWasMappedWhileItsServerServed() {
        running();
        changed(List.of(MORE), List.of(), DISK, MORE);

        outage(DISK);

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains(MORE.name());
    }

    @Test
    void shouldTakeNoSmallerDiskThanTheOneThatWasMadeLarger() {
        running();
        ExportedUnit larger = new ExportedUnit(TARGET, 0, DISK.uuid(), DISK.sizeBytes() * 2, false);
        changed(List.of(larger), List.of(), larger);

        outage(DISK);

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("has another disk as");
    }

    @Test
    void shouldNotTakeAnotherDiskForItsOwnBecauseAServerSaysSo() {
        running();
        ExportedUnit other = new ExportedUnit(TARGET, 0, "another", DISK.sizeBytes(), false);
        changed(List.of(other), List.of(), other);

        outage(other);

        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldNotCareForUnitsOfOthers() {
        running();
        changed(List.of(SECOND), List.of(), DISK, SECOND);
        assertThat(last).isEmpty();

        outage(DISK);

        assertThat(machine.state()).isEqualTo(PROVING);
    }

    @Test
    void shouldMissItsDiskWhenTheOtherOneInItsPlaceIsTakenAway() {
        running();
        ExportedUnit decoy = new ExportedUnit(TARGET, 0, "decoy", DISK.sizeBytes(), false);
        outage(decoy);
        assertThat(machine.state()).isEqualTo(FROZEN);

        changed(List.of(), List.of(decoy));
        assertThat(machine.state()).as("there is no disk at all").isEqualTo(FROZEN);
        ExportedUnit wrong = new ExportedUnit(TARGET, 0, "wrong", DISK.sizeBytes(), false);
        changed(List.of(wrong), List.of(), wrong);
        assertThat(machine.state()).as("a wrong one once more").isEqualTo(FROZEN);
        changed(List.of(), List.of(wrong));
        changed(List.of(DISK), List.of(), DISK);

        assertThat(machine.state()).isEqualTo(PROVING);
    }

    @Test
    void shouldMissTheRestOfItsDiskWhenWhatWasLeftOfItIsTakenAway() {
        running();
        ExportedUnit cut = new ExportedUnit(TARGET, 0, DISK.uuid(), DISK.sizeBytes() / 2, false);
        outage(cut);

        changed(List.of(), List.of(cut));

        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldTryMoreAndMoreSeldomWhenItsStorageFailsWithEachProof() {
        machine(new VmPolicy(Set.of(ONLY), VmPolicy.Units.PROVED, 0, VmPolicy.Then.ALERT), Map.of());
        running();
        raise(GONE);
        apply(new Stopped());
        apply(new StopReplied(""));
        List<Long> proofs = new ArrayList<>();
        while (proofs.size() < 4) {
            now += 150;
            apply(new EventCleared(ONLY, GONE));
            apply(new FreezeEvent.Tick());
            if (machine.state() == PROVING) {
                proofs.add(now);
            }
            now += 5;
            raise(GONE);
            apply(new FreezeEvent.UnitsProved("a durable write is answered with sense 3h"));
        }
        assertThat(proofs.get(1) - proofs.get(0)).isBetween(1_000L, 1_500L);
        assertThat(proofs.get(2) - proofs.get(1)).isBetween(2_000L, 2_500L);
        assertThat(proofs.get(3) - proofs.get(2)).isBetween(4_000L, 4_500L);
    }

    @Test
    void shouldGoOnWhenItsDiskIsWhatItWasAgain() {
        running();
        ExportedUnit cut = new ExportedUnit(TARGET, 0, DISK.uuid(), DISK.sizeBytes() / 2, false);
        outage(cut);
        assertThat(machine.state()).isEqualTo(FROZEN);

        changed(List.of(SECOND), List.of(), cut, SECOND);
        assertThat(machine.state()).as("another disk is no reason").isEqualTo(FROZEN);
        changed(List.of(DISK), List.of(), DISK, SECOND);

        assertThat(machine.state()).isEqualTo(PROVING);
    }

    // ------------------------------------------------------------------ storage

    @Test
    void shouldStandInStopAndBreakTheConnectionsWhenItsStorageFails() {
        running();

        raise(GONE);

        assertThat(kinds()).containsExactly("PortalStandIn", "Save", "SendStop", "Report", "BreakConnections");
        assertThat(machine.reason()).contains("storage-gone").contains("disk.img is not there");
    }

    @Test
    void shouldNotFreezeForTheStorageOfOthers() {
        running();

        raise(OTHERS);

        assertThat(last).isEmpty();
        assertThat(machine.state()).isEqualTo(RUNNING);
    }

    @Test
    void shouldThawWhenItsStorageIsWellAgain() {
        running();
        raise(GONE);
        apply(new Stopped());
        apply(new StopReplied(""));

        apply(new EventCleared(ONLY, GONE));
        assertThat(machine.state()).isEqualTo(PROVING);
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));

        assertThat(machine.state()).isEqualTo(THAWING);
        assertThat(count(SendCont.class)).isEqualTo(1);
    }

    @Test
    void shouldStayFrozenWhenTheServerComesBackAndItsStorageDoesNot() {
        frozen();

        apply(new ServerServes(new ServerView(
                "127.0.0.1:3260",
                2,
                new ServerDescription("vios1", List.of("127.0.0.1:3260"), List.of(DISK)),
                List.of(GONE))));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("storage-gone");
        assertThat(last).noneMatch(FreezeAction.PortalRedirect.class::isInstance);
    }

    @Test
    void shouldTakeAPauseForItsOwnThatCameAMomentBeforeItsReason() {
        running();
        apply(new StoppingOnIoError());
        apply(new Stopped());
        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
        now += 50;

        raise(GONE);

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(saved().state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldNotTakeAnAdministratorsPauseForItsOwn() {
        running();
        apply(new Stopped());
        now += 50;

        raise(GONE);

        assertThat(machine.state()).isEqualTo(HELD_BY_OTHER);
    }

    @Test
    void shouldNotResumeByItselfWhenAcknowledgedWritesAreLost() {
        running();
        raise(new RaisedEvent(RaisedEvent.STORAGE_LOST_WRITES, TARGET, "an fdatasync failed"));
        apply(new Stopped());
        apply(new StopReplied(""));
        assertThat(saved().state()).isEqualTo(FreezeState.FREEZING);
        apply(new ServerLost("restart"));

        serverBack();

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("until somebody resumes it");
        apply(new Resumed());
        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(saved().hold()).isEmpty();
    }

    // ------------------------------------------------------------------ the table

    @Test
    void shouldLeaveAVmRunningWhoseTableSaysSo() {
        machine(VmPolicy.PLAIN, Map.of(EventTable.SERVER_CRASH, EventAction.LEAVE));
        running();

        apply(new ServerLost("lost"));

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(kinds()).containsExactly("PortalHold", "Warn");
        serverBack();
        assertThat(kinds()).contains("PortalRedirect");
    }

    @Test
    void shouldAskTheGuestFirstWhereItsTableSaysSo() {
        machine(VmPolicy.PLAIN, Map.of("flood", EventAction.QUIESCE));
        running();

        raise(new RaisedEvent("flood", "", "in the cellar"));

        assertThat(kinds()).containsExactly("Save", "QuiesceAndStop", "Report");
    }

    @Test
    void shouldGiveMemoryBackOnceItStandsStill() {
        machine(VmPolicy.PLAIN, Map.of(EventTable.SERVER_CRASH, EventAction.RECLAIM));
        running();
        apply(new ServerLost("lost"));
        apply(new Stopped());
        assertThat(count(FreezeAction.ReclaimMemory.class)).isZero();

        apply(new StopReplied(""));

        assertThat(count(FreezeAction.ReclaimMemory.class)).isEqualTo(1);
    }

    // ------------------------------------------------------------------ several servers

    private void twoServers() {
        machine(new VmPolicy(Set.of("a", "b"), VmPolicy.Units.TRUSTED, 0, VmPolicy.Then.ALERT), Map.of());
        apply(new ServerServes("a", server(1, DISK)));
        apply(new ServerServes("b", server(7, SECOND)));
        apply(new Attached(PID, true, "running"));
        now += 60_000;
    }

    private void lose(String server) {
        apply(new ServerLost(server, EventTable.SERVER_CRASH, "server " + server + " lost"));
    }

    @Test
    void shouldThawWhenAllOfItsServersAreBack() {
        twoServers();
        apply(new DisksKnown(Set.of(TARGET, SECOND.target()), 2));
        lose("a");
        apply(new Stopped());
        apply(new StopReplied(""));
        lose("b");

        apply(new ServerServes("a", server(2, DISK)));
        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("waits for server b");

        apply(new ServerServes("b", server(8, SECOND)));
        assertThat(machine.state()).isEqualTo(PROVING);
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(2));
        assertThat(machine.state()).isEqualTo(THAWING);
        assertThat(count(SendStop.class)).isEqualTo(1);
    }

    @Test
    void shouldNotFreezeForAServerWhereItHasNoDisk() {
        twoServers();
        apply(new DisksKnown(Set.of(TARGET), 1));

        lose("b");

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(count(SendStop.class)).isZero();
    }

    @Test
    void shouldStayFrozenWhenOneOfTwoServersHasAnotherDisk() {
        twoServers();
        apply(new DisksKnown(Set.of(TARGET, SECOND.target()), 2));
        lose("b");
        apply(new Stopped());
        apply(new StopReplied(""));

        apply(new ServerServes("b", server(8, new ExportedUnit(SECOND.target(), 0, "uuid-9", 1 << 20, false))));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("another disk");
    }

    // ------------------------------------------------------------------ the proof by the units

    private void provedMachine() {
        machine(new VmPolicy(Set.of(ONLY), VmPolicy.Units.PROVED, 30_000, VmPolicy.Then.POWER_OFF), Map.of());
    }

    @Test
    void shouldNotResumeBeforeItsUnitsReadAndWrite() {
        provedMachine();
        frozen();
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(lastOf(FreezeAction.ProveUnits.class).units()).containsExactly(DISK);
        assertThat(count(SendCont.class)).isZero();

        apply(new UnitsProved(""));

        assertThat(count(SendCont.class)).isEqualTo(1);
    }

    @Test
    void shouldWaitForItsUnitsAsLongAsItIsFrozen() {
        provedMachine();
        assertThat(machine.unitsWaitedFor()).as("of one that does not run yet").isEmpty();
        frozen();
        assertThat(machine.unitsWaitedFor()).containsExactly(DISK);

        serverBack();

        assertThat(machine.unitsWaitedFor()).as("they are asked already").isEmpty();
    }

    @Test
    void shouldTryAgainLaterWhenAUnitDoesNotWrite() {
        provedMachine();
        frozen();
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));

        apply(new UnitsProved("disk: a durable write is answered with sense 3h/0c/00h"));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(machine.reason()).contains("3h/0c/00h").contains("next attempt");
        pass(FreezeMachine.FLIP_LIMIT_MS + 1);
        assertThat(machine.state()).isEqualTo(PROVING);
        assertThat(count(FreezeAction.ProveUnits.class)).isEqualTo(2);
    }

    // ------------------------------------------------------------------ the limit

    @Test
    void shouldEndQemuWhenItsLimitHasPassed() {
        provedMachine();
        frozen();
        pass(29_000);
        assertThat(count(FreezeAction.PowerOff.class)).isZero();

        pass(1_001);
        pass(60_000);

        assertThat(count(FreezeAction.PowerOff.class)).isEqualTo(1);
    }

    @Test
    void shouldNotEndAVmThatRanAgainBeforeItsLimit() {
        provedMachine();
        frozen();
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        apply(new UnitsProved(""));
        apply(new StatusReported(true, "running"));
        assertThat(machine.state()).isEqualTo(RUNNING);

        pass(60_000);

        assertThat(count(FreezeAction.PowerOff.class)).isZero();
    }

    // ------------------------------------------------------------------ what operators register

    /** A VM that runs, and its table, in which nothing is registered yet. */
    private EventTable runningByTable() {
        EventTable table = new EventTable(Map.of());
        machine = new FreezeMachine("web1", "127.0.0.1:3270", null, VmPolicy.PLAIN, table);
        running();
        return table;
    }

    @Test
    void shouldGoByWhatOperatorsRegisteredAtTheServerThatIsLost() {
        EventTable table = runningByTable();

        table.registeredAt(ONLY, Map.of(EventTable.SERVER_CRASH, EventAction.LEAVE));
        apply(new FreezeEvent.RegistrationsChanged());
        apply(new ServerLost("lost"));

        assertThat(machine.state()).isEqualTo(RUNNING);
    }

    @Test
    void shouldGoOnWhenOperatorsWantItToRunThroughAnEventThatLasts() {
        EventTable table = runningByTable();
        raise(new RaisedEvent("x-maintenance", "", "shelf is moved"));
        apply(new Stopped());
        apply(new StopReplied(""));
        assertThat(machine.state()).isEqualTo(FROZEN);

        table.registeredAt(ONLY, Map.of("x-other", EventAction.LEAVE));
        apply(new FreezeEvent.RegistrationsChanged());
        assertThat(machine.state()).as("that is another event").isEqualTo(FROZEN);

        table.registeredAt(ONLY, Map.of("x-maintenance", EventAction.LEAVE));
        apply(new FreezeEvent.RegistrationsChanged());
        assertThat(machine.state()).isEqualTo(PROVING);
    }

    @Test
    void shouldStillKnowThatAnEarlierRunFrozeItWhenOperatorsAreHeardBeforeQemu() {
        running();
        apply(new ServerLost("lost"));
        apply(new Stopped());
        apply(new StopReplied(""));
        FreezeRecord record = saved();
        assertThat(record.state()).isEqualTo(FreezeState.FREEZING);

        EventTable table = EventTable.of(Map.of(), record);
        machine = new FreezeMachine("web1", "127.0.0.1:3270", record, VmPolicy.PLAIN, table);
        table.registeredAt(ONLY, Map.of("server-stop", EventAction.LEAVE));
        apply(new FreezeEvent.RegistrationsChanged());

        assertThat(saved().state()).isEqualTo(FreezeState.FREEZING);
        assertThat(saved().operators()).containsEntry(ONLY, List.of("server-stop=leave"));
        apply(new Attached(PID, false, "paused"));
        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    @Test
    void shouldLeaveRunningWhatAnEarlierRunLeftRunning() {
        EventTable before = runningByTable();
        before.registeredAt(ONLY, Map.of(EventTable.SERVER_CRASH, EventAction.LEAVE));
        apply(new FreezeEvent.RegistrationsChanged());
        FreezeRecord record = saved();

        machine = new FreezeMachine("web1", "127.0.0.1:3270", record, VmPolicy.PLAIN, EventTable.of(Map.of(), record));
        apply(new Attached(PID, true, "running"));

        assertThat(machine.state()).isEqualTo(RUNNING);
        assertThat(last).contains(new FreezeAction.PortalHold(ONLY)).doesNotContain(new SendStop());
    }

    @Test
    void shouldFreezeForASecondEventAlthoughTheFirstIsNotLeftAloneAnyMore() {
        EventTable table = runningByTable();
        table.registeredAt(ONLY, Map.of("x-maintenance", EventAction.LEAVE));
        apply(new FreezeEvent.RegistrationsChanged());
        raise(new RaisedEvent("x-maintenance", "", "shelf is moved"));
        table.registeredAt(ONLY, Map.of());
        apply(new FreezeEvent.RegistrationsChanged());
        assertThat(machine.state())
                .as("it runs through the event that it was to run through")
                .isEqualTo(RUNNING);

        raise(new RaisedEvent("x-other", "", "and now"));

        assertThat(machine.state()).isEqualTo(FreezeState.FREEZING);
    }

    @Test
    void shouldStandInForAServerThatGoesAsAnnouncedWhateverIsToBeDoneWhenItCrashes() {
        EventTable table = runningByTable();
        table.registeredAt(ONLY, Map.of(EventTable.SERVER_CRASH, EventAction.LEAVE));
        apply(new FreezeEvent.RegistrationsChanged());
        apply(new ServerGoingAway(7, "PLANNED_STOP"));
        apply(new Stopped());
        apply(new StopReplied(""));
        assertThat(machine.state()).isEqualTo(FROZEN);

        apply(new ServerLost("lost"));

        assertThat(machine.state()).isEqualTo(FROZEN);
        assertThat(last).doesNotContain(new FreezeAction.PortalHold(ONLY));
    }
}
