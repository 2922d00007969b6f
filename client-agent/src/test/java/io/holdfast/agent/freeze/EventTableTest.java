package io.holdfast.agent.freeze;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.RaisedEvent;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventTableTest {
    private final EventTable table = new EventTable(Map.of("storage-full", EventAction.LEAVE));

    @Test
    void shouldFreezeForAnEventThatNobodyKnows() {
        assertThat(table.actionFor("flood-in-the-cellar")).isEqualTo(EventAction.FREEZE);
    }

    @Test
    void shouldPutTheGuestsWordBeforeTheAdministratorsAndHisBeforeTheBuiltInOne() {
        assertThat(table.actionFor(RaisedEvent.STORAGE_FULL)).isEqualTo(EventAction.LEAVE);
        assertThat(table.register("storage-full", EventAction.RECLAIM)).isEmpty();
        assertThat(table.actionFor(RaisedEvent.STORAGE_FULL)).isEqualTo(EventAction.RECLAIM);
        assertThat(table.lines()).contains("storage-full reclaim guest", "server-crash freeze built-in");

        assertThat(table.withdraw("storage-full")).isTrue();

        assertThat(table.actionFor(RaisedEvent.STORAGE_FULL)).isEqualTo(EventAction.LEAVE);
        assertThat(table.withdraw("storage-full")).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-x", "Storage", "a b", "a\nb", "ä"})
    void shouldRefuseWhatIsNoName(String event) {
        assertThat(table.register(event, EventAction.FREEZE)).get().asString().contains("is no event");
    }

    @Test
    void shouldLimitWhatAGuestRegisters() {
        for (int i = 0; i < EventTable.MAX_REGISTERED; i++) {
            assertThat(table.register("e" + i, EventAction.LEAVE)).isEmpty();
        }

        assertThat(table.register("one-more", EventAction.LEAVE)).isPresent();
        assertThat(table.register("e1", EventAction.FREEZE)).as("known already").isEmpty();
    }

    @Test
    void shouldComeBackFromTheRecord() {
        table.register("a", EventAction.LEAVE);

        EventTable next = new EventTable(Map.of());
        next.restore(List.of("a=leave", "b=something-of-a-later-version", "nonsense"));

        assertThat(next.registered()).isEqualTo(table.registered());
    }
}
