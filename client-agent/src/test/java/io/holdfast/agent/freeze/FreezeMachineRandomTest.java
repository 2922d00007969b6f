package io.holdfast.agent.freeze;

import static io.holdfast.agent.freeze.FreezeState.FREEZING;
import static io.holdfast.agent.freeze.FreezeState.FROZEN;
import static io.holdfast.agent.freeze.FreezeState.PROVING;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.FreezeAction.Save;
import io.holdfast.agent.freeze.FreezeAction.SendCont;
import io.holdfast.agent.freeze.FreezeAction.SendStop;
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
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FreezeMachineRandomTest extends MachineBench {
    /**
     * Whatever happens in whatever order: what somebody else paused is not resumed, nothing flips quickly, and nothing is
     * resumed for a server that has said that it goes.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldKeepItsPromisesUnderRandomEvents(long seed) {
        Random random = new Random(seed);
        status = "";
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
                new StatusReported(false, "paused"),
                new StatusReported(false, "postmigrate"),
                new StatusReported(false, "suspended"),
                new FreezeEvent.WokeUp(),
                new Tick());
        boolean leaving = false;
        long lastCont = Long.MIN_VALUE / 2;
        for (int i = 0; i < 20_000; i++) {
            FreezeState before = machine.state();
            now += random.nextInt(400);
            FreezeEvent event = events.get(random.nextInt(events.size()));
            apply(event);
            leaving = event instanceof ServerGoingAway
                    || leaving && !(event instanceof ServerServes || event instanceof ServerLost);
            for (FreezeAction action : last) {
                if (action instanceof SendCont) {
                    assertThat(leaving).as("the server may go at any moment").isFalse();
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
}
