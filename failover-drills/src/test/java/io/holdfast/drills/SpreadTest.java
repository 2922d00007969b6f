package io.holdfast.drills;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SpreadTest {

    @Test
    void shouldTakePercentilesByNearestRank() {
        List<Double> values =
                IntStream.rangeClosed(1, 20).mapToObj(Double::valueOf).toList();

        assertThat(Spread.of(values)).isEqualTo(new Spread(20, 10, 19, 20, 20));
    }

    @Test
    void shouldNotDependOnTheOrder() {
        List<Double> values = new java.util.ArrayList<>(
                IntStream.rangeClosed(1, 200).mapToObj(Double::valueOf).toList());
        Collections.reverse(values);

        assertThat(Spread.of(values)).isEqualTo(new Spread(200, 100, 190, 198, 200));
    }

    @Test
    void shouldBeTheValueItselfWhenThereIsOne() {
        assertThat(Spread.of(List.of(7.5))).isEqualTo(new Spread(1, 7.5, 7.5, 7.5, 7.5));
    }

    @Test
    void shouldRefuseToDescribeNothing() {
        assertThatThrownBy(() -> Spread.of(List.of())).isInstanceOf(IllegalArgumentException.class);
    }
}
