package io.holdfast.drills;

import static io.holdfast.drills.Examples.ms;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.drills.Timeline.Tone;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimelinePrinterTest {
    private static final long ORIGIN_NS = ms(5000);

    private static List<Timeline.Moment> moments() {
        Timeline timeline = new Timeline();
        timeline.add(ORIGIN_NS + ms(2031.52), Tone.RETURN, "guest's first durable write", "31.5 ms after");
        timeline.add(ORIGIN_NS, Tone.LOSS, "server killed", "SIGKILL");
        timeline.add(ORIGIN_NS + ms(4.26), Tone.SHELTER, "guest is frozen", "STOP event");
        timeline.add(ORIGIN_NS - ms(8), Tone.NOTE, "guest's last tick", "");
        return timeline.moments();
    }

    @Test
    void shouldAlignTimesStepsAndWordsInOrder() {
        assertThat(new TimelinePrinter(Palette.PLAIN).lines(moments(), ORIGIN_NS))
                .containsExactly(
                        "        ms      step",
                        "      -8.0            guest's last tick",
                        "       0.0      +8.0  server killed                SIGKILL",
                        "       4.3      +4.3  guest is frozen              STOP event",
                        "    2031.5   +2027.3  guest's first durable write  31.5 ms after");
    }

    @Test
    void shouldColourWithoutChangingTheAlignment() {
        List<String> plain = new TimelinePrinter(Palette.PLAIN).lines(moments(), ORIGIN_NS);
        List<String> coloured = new TimelinePrinter(Palette.COLOURED).lines(moments(), ORIGIN_NS);

        assertThat(coloured).noneMatch(plain::contains);
        assertThat(coloured.stream().map(line -> line.replaceAll("\u001b\\[[0-9]*m", "")))
                .containsExactlyElementsOf(plain);
    }

    @Test
    void shouldPrintOnlyTheHeadingWhenNothingHappened() {
        assertThat(new TimelinePrinter(Palette.PLAIN).lines(List.of(), ORIGIN_NS))
                .hasSize(1);
    }
}
