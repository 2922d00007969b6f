package io.holdfast.drills;

import java.util.ArrayList;
import java.util.List;

/** Writes a timeline as aligned lines: the time since the fault, the time since the line before, what happened. */
final class TimelinePrinter {
    private static final int TIME_WIDTH = 10;
    private static final int STEP_WIDTH = 10;

    private final Palette palette;

    TimelinePrinter(Palette palette) {
        this.palette = palette;
    }

    /** @param originNs {@link System#nanoTime()} of the moment that counts as 0.0 ms: the fault */
    List<String> lines(List<Timeline.Moment> moments, long originNs) {
        int whatWidth = moments.stream()
                .mapToInt(moment -> moment.what().length())
                .max()
                .orElse(0);
        List<String> lines = new ArrayList<>();
        lines.add(palette.dim(right("ms", TIME_WIDTH) + right("step", STEP_WIDTH)));
        long beforeNs = moments.isEmpty() ? originNs : moments.get(0).atNs();
        for (Timeline.Moment moment : moments) {
            double sinceFaultMs = Numbers.msBetween(originNs, moment.atNs());
            String step = moment.atNs() == beforeNs ? "" : "+" + Numbers.ms(Numbers.msBetween(beforeNs, moment.atNs()));
            String what = moment.detail().isEmpty() ? moment.what() : left(moment.what(), whatWidth);
            lines.add((palette.bold(right(Numbers.ms(sinceFaultMs), TIME_WIDTH))
                    + palette.dim(right(step, STEP_WIDTH))
                    + "  "
                    + palette.tone(moment.tone(), what)
                    + (moment.detail().isEmpty() ? "" : "  " + palette.dim(moment.detail()))));
            beforeNs = moment.atNs();
        }
        return lines;
    }

    private static String right(String text, int width) {
        return " ".repeat(Math.max(0, width - text.length())) + text;
    }

    private static String left(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }
}
