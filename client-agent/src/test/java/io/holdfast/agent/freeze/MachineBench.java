package io.holdfast.agent.freeze;

import static io.holdfast.agent.freeze.FreezeState.FROZEN;
import static io.holdfast.agent.freeze.FreezeState.PROVING;
import static io.holdfast.agent.freeze.FreezeState.RUNNING;
import static io.holdfast.agent.freeze.FreezeState.THAWING;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.FreezeAction.AnswerAnnouncement;
import io.holdfast.agent.freeze.FreezeAction.AskStatus;
import io.holdfast.agent.freeze.FreezeAction.Save;
import io.holdfast.agent.freeze.FreezeAction.SendStop;
import io.holdfast.agent.freeze.FreezeAction.Warn;
import io.holdfast.agent.freeze.FreezeEvent.Attached;
import io.holdfast.agent.freeze.FreezeEvent.DisksKnown;
import io.holdfast.agent.freeze.FreezeEvent.ServerLost;
import io.holdfast.agent.freeze.FreezeEvent.ServerServes;
import io.holdfast.agent.freeze.FreezeEvent.SessionsAtServer;
import io.holdfast.agent.freeze.FreezeEvent.StandInsClosed;
import io.holdfast.agent.freeze.FreezeEvent.StatusReported;
import io.holdfast.agent.freeze.FreezeEvent.StopReplied;
import io.holdfast.agent.freeze.FreezeEvent.Stopped;
import io.holdfast.agent.freeze.FreezeEvent.Tick;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.VmOutcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** A freeze machine on a bench: events go in, the clock is turned by hand. */
abstract class MachineBench {
    static final String TARGET = "iqn.2026-11.io.holdfast:disk";
    static final ExportedUnit DISK = new ExportedUnit(TARGET, 0, "uuid-1", 1 << 30, false);
    static final int PID = 4711;

    FreezeMachine machine = new FreezeMachine("web1", "127.0.0.1:3270", null);
    long now = 1_000_000;
    List<FreezeAction> last = List.of();
    final List<FreezeAction> all = new ArrayList<>();
    /** What QEMU says when it is asked before a thaw; empty if it says nothing. */
    String status = "paused";

    private boolean stopOwed;
    private boolean statusOwed;

    final void running() {
        apply(new ServerServes(server(1, DISK)));
        apply(new Attached(PID, true, "running"));
        apply(new DisksKnown(Set.of(TARGET), 1));
        assertThat(machine.state()).isEqualTo(RUNNING);
        now += 60_000;
    }

    final void frozen() {
        running();
        apply(new ServerLost("server s lost: connection closed"));
        apply(new Stopped());
        apply(new StopReplied(""));
        assertThat(machine.state()).isEqualTo(FROZEN);
    }

    final void serverBack() {
        apply(new ServerServes(server(2, DISK)));
    }

    final void thawing() {
        frozen();
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(machine.state()).isEqualTo(THAWING);
    }

    final long crashAndReturn() {
        apply(new ServerLost("lost"));
        apply(new StopReplied(""));
        serverBack();
        apply(new StandInsClosed(1));
        apply(new SessionsAtServer(1));
        assertThat(machine.state()).isEqualTo(THAWING);
        return now;
    }

    final void restart(FreezeState recorded) {
        machine = new FreezeMachine(
                "web1",
                "127.0.0.1:3270",
                new FreezeRecord(
                        "web1",
                        "127.0.0.1:3270",
                        recorded,
                        "because",
                        1,
                        PID,
                        1,
                        List.of(TARGET),
                        List.of(DISK),
                        1,
                        false,
                        List.of(),
                        "",
                        List.of(),
                        Map.of()));
    }

    static ServerView server(long epoch, ExportedUnit... units) {
        return new ServerView(
                "127.0.0.1:3260", epoch, new ServerDescription("vios1", List.of("127.0.0.1:3260"), List.of(units)));
    }

    final void apply(FreezeEvent event) {
        last = machine.apply(event, now);
        all.addAll(last);
        stopOwed = !(event instanceof StopReplied) && (stopOwed || holds(SendStop.class));
        statusOwed |= machine.state() == PROVING && holds(AskStatus.class);
        // QEMU answers in order.
        if (statusOwed && !stopOwed && !status.isEmpty()) {
            statusOwed = false;
            List<FreezeAction> before = last;
            last = machine.apply(new StatusReported(false, status), now);
            all.addAll(last);
            last = Stream.concat(before.stream(), last.stream()).toList();
        }
    }

    private boolean holds(Class<? extends FreezeAction> kind) {
        return last.stream().anyMatch(kind::isInstance);
    }

    final void pass(long ms) {
        passTo(now + ms);
    }

    final void passTo(long ms) {
        now = ms;
        apply(new Tick());
    }

    final List<String> kinds() {
        return last.stream().map(action -> action.getClass().getSimpleName()).toList();
    }

    final long count(Class<? extends FreezeAction> kind) {
        return all.stream().filter(kind::isInstance).count();
    }

    final <T extends FreezeAction> T lastOf(Class<T> kind) {
        return all.stream()
                .filter(kind::isInstance)
                .map(kind::cast)
                .reduce((first, second) -> second)
                .orElseThrow();
    }

    final FreezeRecord saved() {
        return lastOf(Save.class).record();
    }

    final VmOutcome.State answer() {
        return lastOf(AnswerAnnouncement.class).outcome();
    }

    final String text(Class<Warn> kind) {
        return lastOf(kind).what();
    }
}
