package io.holdfast.block;

import org.jspecify.annotations.Nullable;

/** A backend could not be opened. The message is one line for people: what is wrong, with the value, and what to do. */
public final class BackendException extends Exception {
    private static final long serialVersionUID = 1L;

    public BackendException(String message) {
        this(message, null);
    }

    public BackendException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
