package io.holdfast.agent.freeze;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.ExportedUnit;
import io.holdfast.control.ServerDescription;
import java.util.List;
import org.junit.jupiter.api.Test;

class ServerViewTest {
    private static final String TARGET = "iqn.2026-11.io.holdfast:vfchost0";
    private static final ExportedUnit KNOWN = new ExportedUnit(TARGET, 0, "uuid-1", 1 << 30, false);

    private static ServerView serving(ExportedUnit... units) {
        return new ServerView("192.0.2.1:3260", 1, new ServerDescription("server", List.of(), List.of(units)));
    }

    @Test
    void shouldTakeADiskThatWasMadeLargerForTheSame() {
        ExportedUnit larger = new ExportedUnit(TARGET, 0, "uuid-1", 1L << 31, false);

        assertThat(serving(larger).objectionTo(List.of(KNOWN))).isEmpty();
        assertThat(serving(KNOWN).objectionTo(List.of(larger)))
                .hasValueSatisfying(why -> assertThat(why).contains("another disk as " + TARGET + "/0"));
    }

    @Test
    void shouldObjectToAnotherUnitAndToOneThatMayNotBeWrittenAnyMore() {
        assertThat(serving(new ExportedUnit(TARGET, 0, "uuid-2", 1L << 31, false))
                        .objectionTo(List.of(KNOWN)))
                .isPresent();
        assertThat(serving(new ExportedUnit(TARGET, 0, "uuid-1", 1 << 30, true)).objectionTo(List.of(KNOWN)))
                .isPresent();
        assertThat(serving().objectionTo(List.of(KNOWN))).isPresent();
    }
}
