package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumbersTest {

    @ParameterizedTest
    @CsvSource({"6,6", "0.5,0.5", "0,0", "61.25,61.25", "1.0004,1", "100,100"})
    void shouldTrimDecimalsThatSayNothing(double value, String expected) {
        assertThat(Numbers.trimmed(value)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"0.04,0.0 ms", "-0.04,0.0 ms", "31.46,31.5 ms", "287.4,287 ms", "3421,3.42 s"})
    void shouldTakeTheUnitThatSuitsTheSpan(double valueMs, String expected) {
        assertThat(Numbers.span(valueMs)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"1,1 line", "0,0 lines", "186,186 lines"})
    void shouldCountOneAsOne(long number, String expected) {
        assertThat(Numbers.count(number, "line")).isEqualTo(expected);
    }

    @Test
    void shouldSayNoneWhenThereIsNoTime() {
        assertThat(Numbers.ms(OptionalDouble.empty())).isEqualTo("none");
    }
}
