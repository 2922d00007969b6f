package io.holdfast.drills;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.OptionalDouble;

/** Numbers as people read them. Independent of the locale, because scripts read them too. */
final class Numbers {
    private Numbers() {}

    /** At most three decimals, none that say nothing: {@code 6}, {@code 0.5}. */
    static String trimmed(double value) {
        BigDecimal rounded =
                BigDecimal.valueOf(value).setScale(3, RoundingMode.HALF_UP).stripTrailingZeros();
        return rounded.signum() == 0 ? "0" : rounded.toPlainString();
    }

    /** Milliseconds with one decimal, {@code none} if there is no such time. */
    static String ms(OptionalDouble valueMs) {
        return valueMs.isPresent() ? ms(valueMs.getAsDouble()) : "none";
    }

    static String ms(double valueMs) {
        // Not String.format, which knows a "-0.0".
        return BigDecimal.valueOf(valueMs).setScale(1, RoundingMode.HALF_UP).toPlainString();
    }

    /** A length of time in the unit that suits it: {@code 0.4 ms}, {@code 287 ms}, {@code 3.42 s}. */
    static String span(double valueMs) {
        if (Math.abs(valueMs) < 100) {
            return ms(valueMs) + " ms";
        }
        if (Math.abs(valueMs) < 1000) {
            return String.format(Locale.ROOT, "%.0f ms", valueMs);
        }
        return String.format(Locale.ROOT, "%.2f s", valueMs / 1000);
    }

    /** {@code 1 line}, {@code 3 lines}. */
    static String count(long number, String what) {
        return number + " " + what + (number == 1 ? "" : "s");
    }

    static double msBetween(long fromNs, long toNs) {
        return (toNs - fromNs) / 1e6;
    }
}
