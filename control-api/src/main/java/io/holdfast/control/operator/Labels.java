package io.holdfast.control.operator;

import java.util.Locale;

/** How constants are written for people and programs: {@code READ_ONLY} is {@code read-only}. */
public final class Labels {
    private Labels() {}

    public static String of(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
