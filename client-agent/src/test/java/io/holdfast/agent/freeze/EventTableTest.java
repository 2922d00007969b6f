package io.holdfast.agent.freeze;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.RaisedEvent;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventTableTest {
    private static final String ONLY = FreezeEvent.ONLY_SERVER;

    private final EventTable table = new EventTable(Map.of("storage-full", EventAction.LEAVE));

    @Test
    void shouldFreezeForAnEventThatNobodyKnows() {
        assertThat(table.actionFor(ONLY, "flood-in-the-cellar")).isEqualTo(EventAction.FREEZE);
    }

    @Test
    void shouldPutTheGuestsWordBeforeTheAdministratorsAndHisBeforeTheBuiltInOne() {
        assertThat(table.actionFor(ONLY, RaisedEvent.STORAGE_FULL)).isEqualTo(EventAction.LEAVE);
        assertThat(table.register("storage-full", EventAction.RECLAIM)).isEmpty();
        assertThat(table.actionFor(ONLY, RaisedEvent.STORAGE_FULL)).isEqualTo(EventAction.RECLAIM);
        assertThat(table.lines()).contains("storage-full reclaim guest", "server-crash freeze built-in");

        assertThat(table.withdraw("storage-full")).isTrue();

        assertThat(table.actionFor(ONLY, RaisedEvent.STORAGE_FULL)).isEqualTo(EventAction.LEAVE);
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

        table.registeredAt("s1", Map.of("server-crash", EventAction.RECLAIM));

        EventTable next = new EventTable(Map.of());
        next.restore(
                List.of("a=leave", "b=something-of-a-later-version", "nonsense"),
                Map.of("s1", List.of("server-crash=reclaim", "B=leave", "server-stop=something-of-a-later-version")));

        assertThat(next.registered()).isEqualTo(table.registered());
        assertThat(next.operators()).isEqualTo(table.operators());
    }

    @Test
    void shouldPutTheAdministratorsWordBeforeTheOperatorsAndTheirsBeforeTheBuiltInOne() {
        assertThat(table.registeredAt(
                        ONLY, Map.of("storage-full", EventAction.HOOK, "x-maintenance", EventAction.LEAVE)))
                .isTrue();

        assertThat(table.actionFor(ONLY, "storage-full")).isEqualTo(EventAction.LEAVE);
        assertThat(table.overruled(List.of("storage-full", "x-maintenance")))
                .containsExactly("storage-full (administrator)");
        assertThat(table.actionFor(ONLY, "x-maintenance")).isEqualTo(EventAction.LEAVE);
        assertThat(table.lines())
                .contains(
                        "storage-full leave administrator",
                        "x-maintenance leave server",
                        "server-crash freeze built-in");

        table.register("x-maintenance", EventAction.QUIESCE);
        assertThat(table.actionFor(ONLY, "x-maintenance")).isEqualTo(EventAction.QUIESCE);
    }

    @Test
    void shouldLetAServerSpeakForItsOwnEventsOnly() {
        table.registeredAt("s1", Map.of("server-crash", EventAction.LEAVE));

        assertThat(table.actionFor("s1", "server-crash")).isEqualTo(EventAction.LEAVE);
        assertThat(table.actionFor("s2", "server-crash")).isEqualTo(EventAction.FREEZE);
        assertThat(table.lines()).contains("server-crash leave server s1", "server-crash freeze built-in");
    }

    @Test
    void shouldForgetWhatOperatorsHaveWithdrawn() {
        assertThat(table.registeredAt(ONLY, Map.of())).as("nothing, as before").isFalse();
        table.registeredAt(ONLY, Map.of("server-crash", EventAction.LEAVE));
        assertThat(table.registeredAt(ONLY, Map.of("server-crash", EventAction.LEAVE)))
                .as("the same again")
                .isFalse();

        assertThat(table.registeredAt(ONLY, Map.of("server-stop", EventAction.LEAVE)))
                .isTrue();

        assertThat(table.actionFor(ONLY, "server-crash")).isEqualTo(EventAction.FREEZE);
        assertThat(table.operators()).containsExactly(Map.entry(ONLY, List.of("server-stop=leave")));
    }
}
