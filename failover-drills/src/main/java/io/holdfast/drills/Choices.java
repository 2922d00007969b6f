package io.holdfast.drills;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * What the options of a command may say.
 *
 * @param command for the message to those who say something else
 */
record Choices(CommandSpec command) {
    private static final String ALL = "all";
    private static final double MAX_OUTAGE_SECONDS = 3_600;

    /** The ones that are named, in the order of the naming; {@code all} is every one. */
    <T> List<T> each(String option, List<String> labels, List<T> known, Function<T, String> labelOf) {
        if (labels.contains(ALL)) {
            return known;
        }
        String allowed = labels(known, labelOf) + ", " + ALL;
        return labels.stream()
                .map(label -> find(option, label, known, labelOf, allowed))
                .toList();
    }

    /** The one that is named. */
    <T> T one(String option, String label, List<T> known, Function<T, String> labelOf) {
        return find(option, label, known, labelOf, labels(known, labelOf));
    }

    private <T> T find(String option, String label, List<T> known, Function<T, String> labelOf, String allowed) {
        return known.stream()
                .filter(candidate -> labelOf.apply(candidate).equals(label))
                .findFirst()
                .orElseThrow(() -> wrong(option, label, "allowed are " + allowed));
    }

    private static <T> String labels(List<T> known, Function<T, String> labelOf) {
        return String.join(", ", known.stream().map(labelOf).toList());
    }

    /** How long something is away, of the option {@code --outage}. */
    Duration outage(double seconds) {
        if (!(seconds >= 0 && seconds <= MAX_OUTAGE_SECONDS)) {
            throw wrong(
                    "--outage",
                    Numbers.trimmed(seconds),
                    "0 to " + Numbers.trimmed(MAX_OUTAGE_SECONDS) + " seconds are allowed");
        }
        return Duration.ofMillis(Math.round(seconds * 1000));
    }

    int within(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw wrong(option, String.valueOf(value), "a number from " + least + " to " + most + " is allowed");
        }
        return value;
    }

    ParameterException wrong(String option, String value, String why) {
        return new ParameterException(
                command.commandLine(), String.format(Locale.ROOT, "%s %s: %s", option, value, why));
    }
}
