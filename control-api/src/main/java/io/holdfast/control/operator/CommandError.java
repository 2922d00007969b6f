package io.holdfast.control.operator;

/**
 * Why a request was not carried out: nothing has changed.
 *
 * @param error the kind, for programs
 * @param message what was wrong, with the value
 * @param advice what to do next
 */
public record CommandError(ErrorCode error, String message, String advice) {
    public static CommandError of(ErrorCode error, String message) {
        return new CommandError(error, message, error.advice());
    }
}
