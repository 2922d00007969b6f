package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.EventAction;
import io.holdfast.agent.freeze.EventTable;
import io.holdfast.control.VmActions;
import io.holdfast.control.VmActionsTaken;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.helpers.NOPLogger;

class OperatorWishesTest {
    private final EventTable table = new EventTable(Map.of("server-stop", EventAction.LEAVE));
    private final List<String> warnings = new ArrayList<>();
    private final List<VmActionsTaken> answers = new ArrayList<>();
    private OperatorWishes wishes;

    @BeforeEach
    void oneVm() throws AgentConfigException {
        wishes = new OperatorWishes(VmConfig.parse("web1=/q"), table, NOPLogger.NOP_LOGGER, warnings::add);
    }

    private boolean registered(int revision, Map<String, String> actions) {
        return wishes.registered("s1", new VmActions("web1", revision, actions), answers::add);
    }

    @Test
    void shouldSayWhoseRowsGoFirst() {
        table.register("server-crash", EventAction.QUIESCE);

        registered(7, Map.of("server-crash", "leave", "server-stop", "freeze", "x-power", "freeze"));

        assertThat(answers)
                .containsExactly(
                        new VmActionsTaken("web1", 7, "", "server-crash (guest), server-stop (administrator)"));
    }

    @Test
    void shouldAnswerAnewWhenTheGuestGoesFirstNowAndWhenItDoesNotAnyMore() {
        registered(7, Map.of("server-crash", "leave"));
        assertThat(wishes.answeredAnew()).as("nothing has changed").isEmpty();

        table.register("server-crash", EventAction.FREEZE);
        assertThat(wishes.answeredAnew())
                .containsExactly(Map.entry("s1", new VmActionsTaken("web1", 7, "", "server-crash (guest)")));
        assertThat(wishes.answeredAnew()).as("said already").isEmpty();

        table.register("x-other", EventAction.FREEZE);
        assertThat(wishes.answeredAnew()).as("not theirs").isEmpty();

        table.withdraw("server-crash");
        assertThat(wishes.answeredAnew()).containsExactly(Map.entry("s1", new VmActionsTaken("web1", 7, "", "")));
    }

    @Test
    void shouldWarnOnceOfWhatIsNotDone() {
        assertThat(registered(7, Map.of("server-crash", "explode")))
                .as("the table has changed")
                .isFalse();
        registered(8, Map.of("server-crash", "explode"));

        assertThat(warnings).singleElement().asString().contains("server-crash=explode: 'explode' is no action");
        assertThat(answers).extracting(VmActionsTaken::revision).containsExactly(7L, 8L);
    }
}
