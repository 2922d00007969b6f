package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.EventAction;
import io.holdfast.agent.freeze.EventTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuestWishesTest implements GuestWishes.Vm {
    private final EventTable table = new EventTable(Map.of("storage-full", EventAction.LEAVE));
    private final List<String> heard = new ArrayList<>();
    private final GuestWishes wishes = new GuestWishes(this);

    @Override
    public EventTable table() {
        return table;
    }

    @Override
    public String standing() {
        return "RUNNING found running";
    }

    @Override
    public void registrationsChanged() {
        heard.add("changed");
    }

    @Override
    public void quiesce(int seconds) {
        heard.add("quiesce " + seconds);
    }

    @Test
    void shouldRegisterListAndWithdraw() {
        assertThat(wishes.answer("register storage-full reclaim")).containsExactly("ok");
        assertThat(wishes.answer("list"))
                .contains("row storage-full reclaim guest")
                .endsWith("ok");
        assertThat(wishes.answer("withdraw storage-full")).containsExactly("ok");
        assertThat(wishes.answer("list")).contains("row storage-full leave administrator");
        assertThat(heard).containsExactly("changed", "changed");
    }

    @Test
    void shouldTakeAnEventThatNobodyKnowsHere() {
        assertThat(wishes.answer("register flood-in-the-cellar leave")).containsExactly("ok");
        assertThat(table.actionFor("", "flood-in-the-cellar")).isEqualTo(EventAction.LEAVE);
    }

    @Test
    void shouldSayHowTheVmStandsAndStopItOnDemand() {
        assertThat(wishes.answer("status")).containsExactly("state RUNNING found running", "ok");
        assertThat(wishes.answer("quiesce")).containsExactly("ok");
        assertThat(wishes.answer("  quiesce   30 ")).containsExactly("ok");
        assertThat(heard).containsExactly("quiesce 10", "quiesce 30");
    }

    @ParameterizedTest
    @CsvSource({
        "'',is not understood",
        "reboot,is not understood",
        "register storage-full,write: register EVENT ACTION",
        "register storage-full explode,is no action",
        "register Storage leave,is no event",
        "withdraw nothing,is not registered",
        "list all,write: list",
        "quiesce 0,is no number of seconds",
        "quiesce -1,is no number of seconds",
        "quiesce 99999,is no number of seconds"
    })
    void shouldAnswerWhatIsWrongWithTheReason(String line, String reason) {
        List<String> answer = wishes.answer(line);

        assertThat(answer).singleElement().asString().startsWith("error ").contains(reason);
        assertThat(heard).isEmpty();
    }

    @Test
    void shouldAnswerAnyLine() {
        Random random = new Random(11);
        for (int i = 0; i < 10_000; i++) {
            StringBuilder line = new StringBuilder();
            for (int j = random.nextInt(40); j > 0; j--) {
                line.append((char) random.nextInt(1, 300));
            }

            List<String> answer = wishes.answer(line.toString());

            assertThat(answer.get(answer.size() - 1)).matches("(?s)ok|error .*").doesNotContain("\n");
        }
    }
}
