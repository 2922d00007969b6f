package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.holdfast.agent.qmp.QmpEvent;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ObserverTest {
    private static final Instant NOON = Instant.parse("2026-11-20T12:00:00Z");

    @Test
    void shouldTakeAnEventForAsOldAsQemuSays() throws Exception {
        assertThat(Observer.ageNs(stop(-1, 992_500), NOON)).isEqualTo(7_500_000);
    }

    @Test
    void shouldTakeAnEventFromTheFutureOrFromLongAgoForFresh() throws Exception {
        assertThat(Observer.ageNs(stop(3, 0), NOON)).isZero();
        assertThat(Observer.ageNs(stop(-3600, 0), NOON)).isZero();
    }

    @Test
    void shouldTakeAnEventWithoutATimeForFresh() {
        MissingNode none = MissingNode.getInstance();
        assertThat(Observer.ageNs(new QmpEvent("STOP", none, none), NOON)).isZero();
    }

    private static QmpEvent stop(long secondsFromNoon, long micros) throws JsonProcessingException {
        return new QmpEvent(
                "STOP",
                MissingNode.getInstance(),
                new ObjectMapper()
                        .readTree("{\"seconds\": " + (NOON.getEpochSecond() + secondsFromNoon) + ", \"microseconds\": "
                                + micros + "}"));
    }
}
