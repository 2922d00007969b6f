package io.holdfast.drills;

import org.jspecify.annotations.Nullable;

/** The drill could not go on. The message is for people: what was awaited or wrong, with the value. */
final class DrillFailure extends Exception {
    private static final long serialVersionUID = 1L;

    DrillFailure(String message) {
        super(message);
    }

    DrillFailure(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
