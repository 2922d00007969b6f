package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.VmOutcome;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TargetServerTest {
    @Test
    void shouldSayInWordsWhatBecameOfTheVms() {
        Map<String, List<VmOutcome>> answered = new LinkedHashMap<>();
        answered.put(
                "agent-17",
                List.of(
                        new VmOutcome("web1", VmOutcome.State.FROZEN, "server announces that it goes"),
                        new VmOutcome("web2", VmOutcome.State.ALREADY_PAUSED, "x"),
                        new VmOutcome("web3", VmOutcome.State.ABSENT, "x")));
        answered.put("agent-18", List.of(new VmOutcome("db1", VmOutcome.State.FAILED, "stop failed: no")));

        assertThat(TargetServer.inWords(answered))
                .isEqualTo("agent-17: web1 is frozen, web2 was paused before, web3 does not run;"
                        + " agent-18: db1 could not be frozen (stop failed: no)");
    }
}
