package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.RaisedEvent;
import io.holdfast.control.operator.Answer;
import io.holdfast.control.operator.Caller;
import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.OperatorQuery;
import io.holdfast.control.operator.OperatorRequest;
import io.holdfast.control.operator.Role;
import io.holdfast.control.operator.Row;
import io.holdfast.management.plane.ControlPlane;
import io.holdfast.management.plane.JournalStore;
import io.holdfast.management.plane.ServedSide;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RaisedEventsTest implements UnitWatch.Agents {
    private static final Caller OPERATOR = new Caller("ops", Role.OPERATOR, "local");

    @TempDir
    private Path folder = Path.of("");

    private final List<String> told = new ArrayList<>();

    @Override
    public void raise(RaisedEvent event) {
        told.add("raise " + event.event() + " '" + event.target() + "' " + event.detail());
    }

    @Override
    public void clear(RaisedEvent event) {
        told.add("clear " + event.event());
    }

    /** The control plane of a server that has been started, and whose agents' port is open. */
    private ControlPlane started() throws IOException {
        RaisedEvents raised = new RaisedEvents();
        JournalStore store = JournalStore.open(folder, "test");
        ServedSide side = ServedSide.NOTHING.alsoShowing(raised::show);
        ControlPlane plane = new ControlPlane(store, side, "iqn.t:", "test", Clock.systemUTC());
        side.begin(plane.state());
        raised.tellTo(this);
        return plane;
    }

    private static Answer ask(ControlPlane plane, OperatorRequest request) {
        return plane.ask(request, OPERATOR, OptionalLong.empty());
    }

    @Test
    void shouldTellAgentsWhatIsRaisedAndCleared() throws IOException {
        try (ControlPlane plane = started()) {
            ask(plane, new OperatorCommand.RaiseEvent("x-maintenance", "shelf is moved", null));
            ask(plane, new OperatorCommand.RaiseEvent("x-web", null, "iqn.t:web1"));
            ask(plane, new OperatorCommand.ClearEvent("x-maintenance"));

            assertThat(told)
                    .containsExactly(
                            "raise x-maintenance '' shelf is moved",
                            "raise x-web 'iqn.t:web1' raised by an operator",
                            "clear x-maintenance");
            assertThat(ask(plane, new OperatorQuery.ListRaised()))
                    .isInstanceOfSatisfying(
                            Answer.Rows.class,
                            rows -> assertThat(rows.rows())
                                    .singleElement()
                                    .isInstanceOfSatisfying(
                                            Row.RaisedRow.class,
                                            row -> assertThat(row.name()).isEqualTo("x-web")));
        }
    }

    @Test
    void shouldNotClearWhatIsRaisedAgainWithOtherWords() throws IOException {
        try (ControlPlane plane = started()) {
            ask(plane, new OperatorCommand.RaiseEvent("x-maintenance", "shelf is moved", null));
            ask(plane, new OperatorCommand.RaiseEvent("x-maintenance", "shelf is back at ten", null));

            assertThat(told)
                    .containsExactly(
                            "raise x-maintenance '' shelf is moved", "raise x-maintenance '' shelf is back at ten");
        }
    }

    @Test
    void shouldRaiseAgainWhatIsStillRaisedWhenTheServerStarts() throws IOException {
        try (ControlPlane plane = started()) {
            ask(plane, new OperatorCommand.RaiseEvent("x-maintenance", "shelf is moved", null));
        }
        told.clear();

        try (ControlPlane plane = started()) {
            assertThat(told).containsExactly("raise x-maintenance '' shelf is moved");
            ask(plane, new OperatorCommand.ClearEvent("x-maintenance"));
        }
        assertThat(told).last().isEqualTo("clear x-maintenance");
    }

    @ParameterizedTest
    @ValueSource(strings = {"maintenance", "storage-full", "x-", "x-Big", "x--", "server-crash", ""})
    void shouldRefuseANameThatIsNoOperators(String name) throws IOException {
        try (ControlPlane plane = started()) {
            assertThat(ask(plane, new OperatorCommand.RaiseEvent(name, null, null)))
                    .isInstanceOfSatisfying(
                            Answer.Failed.class,
                            failed -> assertThat(failed.error().message())
                                    .contains("'" + name + "'")
                                    .contains("begins with x-"));
        }
        assertThat(told).isEmpty();
    }
}
