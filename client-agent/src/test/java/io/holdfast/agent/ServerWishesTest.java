package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.EventAction;
import io.holdfast.control.VmActions;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerWishesTest {
    private static ServerWishes judged(String vm, Map<String, String> actions) throws AgentConfigException {
        return ServerWishes.of(new VmActions("web1", 1, actions), VmConfig.parse(vm));
    }

    @Test
    void shouldTakeWhatItCanDoAndRefuseTheRest() throws AgentConfigException {
        ServerWishes wishes = judged(
                "web1=/q", Map.of("server-crash", "leave", "x-maintenance", "reclaim", "server-stop", "explode"));

        assertThat(wishes.taken())
                .containsOnly(
                        Map.entry("server-crash", EventAction.LEAVE), Map.entry("x-maintenance", EventAction.RECLAIM));
        assertThat(wishes.refused())
                .singleElement()
                .asString()
                .startsWith("server-stop=explode: 'explode' is no action; actions are freeze,");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "server-crush | leave     | there is no event 'server-crush'; events are server-crash,",
                "x-           | leave     | there is no event 'x-'",
                "guest-request | leave    | 'guest-request' is the guest's own event, and no server's",
                "server-crash | hook      | its agent's settings give it no hook=PROGRAM",
                "server-crash | power-off | its agent's settings do not say limit=SECONDS:power-off",
                "server-crash | /bin/sh   | '/bin/sh' is no action",
            })
    void shouldSayWhyItRefuses(String event, String action, String why) throws AgentConfigException {
        ServerWishes wishes = judged("web1=/q", Map.of(event, action));

        assertThat(wishes.taken()).isEmpty();
        assertThat(wishes.refused()).singleElement().asString().contains(event + "=" + action + ": " + why);
    }

    @Test
    void shouldRunTheHookAndEndTheVmWhereItsSettingsHaveThem() throws AgentConfigException {
        ServerWishes wishes = judged(
                "web1=/q,hook=/h,limit=60:power-off", Map.of("server-crash", "power-off", "server-stop", "hook"));

        assertThat(wishes.refused()).isEmpty();
        assertThat(wishes.taken()).hasSize(2);
    }

    @Test
    void shouldNotEndAVmWhoseHostWantsToBeToldOnly() throws AgentConfigException {
        ServerWishes wishes = judged("web1=/q,limit=60:alert", Map.of("server-crash", "power-off"));

        assertThat(wishes.taken()).isEmpty();
    }

    @Test
    void shouldTakeNoMoreThanTheLimit() throws AgentConfigException {
        Map<String, String> many = new TreeMap<>();
        for (int i = 0; i <= VmActions.MAX_EVENTS; i++) {
            many.put("x-" + (char) ('A' + i % 26 + 32) + i, "leave");
        }

        ServerWishes wishes = judged("web1=/q", many);

        assertThat(wishes.taken()).hasSize(VmActions.MAX_EVENTS);
        assertThat(wishes.refused()).singleElement().asString().contains("the limit is " + VmActions.MAX_EVENTS);
    }

    @Test
    void shouldTellOfNonsenseInOneLine() throws AgentConfigException {
        ServerWishes wishes = judged("web1=/q", Map.of("a\nb", "c\u001b[31m".repeat(100)));

        assertThat(wishes.refused()).singleElement().asString().matches("[ -~]{1,500}");
    }
}
