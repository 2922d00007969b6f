package io.holdfast.management.plane;

import io.holdfast.control.operator.CommandError;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.npiv.Refusal;

/** Carries a command's error from the rule that found it to {@link ControlPlane#ask}, and no further. */
final class Rejection extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient CommandError error;

    Rejection(CommandError error) {
        super(error.message(), null, false, false);
        this.error = error;
    }

    Rejection(ErrorCode code, String message) {
        this(CommandError.of(code, message));
    }

    Rejection(ErrorCode code, String message, String advice) {
        this(new CommandError(code, message, advice));
    }

    CommandError error() {
        return error;
    }

    static Rejection of(Refusal refusal) {
        ErrorCode code = codeOf(refusal);
        return code == ErrorCode.IN_USE
                ? new Rejection(code, refusal.message(), "remove or unassign that first")
                : new Rejection(code, refusal.message());
    }

    private static ErrorCode codeOf(Refusal refusal) {
        if (refusal instanceof Refusal.BadValue || refusal instanceof Refusal.Malformed) {
            return ErrorCode.BAD_VALUE;
        } else if (refusal instanceof Refusal.Unknown || refusal instanceof Refusal.NotMapped) {
            return ErrorCode.NOT_FOUND;
        } else if (refusal instanceof Refusal.Exists || refusal instanceof Refusal.AlreadyMapped) {
            return ErrorCode.EXISTS;
        } else if (refusal instanceof Refusal.InUse) {
            return ErrorCode.IN_USE;
        } else if (refusal instanceof Refusal.Stale || refusal instanceof Refusal.UnknownVersion) {
            return ErrorCode.STALE;
        } else if (refusal instanceof Refusal.LimitReached
                || refusal instanceof Refusal.PoolExhausted
                || refusal instanceof Refusal.PortFull) {
            return ErrorCode.LIMIT;
        }
        return ErrorCode.CONFLICT;
    }
}
