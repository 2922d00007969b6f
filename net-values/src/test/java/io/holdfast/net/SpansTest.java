package io.holdfast.net;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpansTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0 ms",
        "340, 340 ms",
        "999, 999 ms",
        "1000, 1 s",
        "2440, 2.4 s",
        "10000, 10 s",
        "61999, 61 s",
        "120000, 2 min",
        "303000, 5 min 3 s",
        "3600000, 1 h",
        "7620000, 2 h 7 min",
        "273600000, 3 d 4 h",
        "-1500, -1.5 s"
    })
    void shouldChooseTheUnitThatPeopleRead(long ms, String text) {
        assertThat(Spans.print(ms)).isEqualTo(text);
    }
}
