package io.holdfast.management.cli;

import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.Labels;

/** What the exit code of a command to a running server tells a script. */
public enum CliExit {
    DONE(0, "done"),
    REFUSED(1, "could not be done: the message says why, and what to do"),
    USAGE(2, "the command line or the configuration is wrong"),
    UNREACHABLE(3, "no server answers"),
    NOT_PERMITTED(4, "the caller is not known, or may not do this"),
    NOT_FOUND(5, "what was named is not there"),
    STALE(6, "somebody else has changed it since the version that --if-version names");

    private final int code;
    private final String help;

    CliExit(int code, String help) {
        this.code = code;
        this.help = help;
    }

    public int code() {
        return code;
    }

    public String help() {
        return help;
    }

    static CliExit ofError(String label) {
        for (ErrorCode code : ErrorCode.values()) {
            if (Labels.of(code).equals(label)) {
                return switch (code) {
                    case BAD_VALUE -> USAGE;
                    case UNAUTHENTICATED, FORBIDDEN -> NOT_PERMITTED;
                    case NOT_FOUND -> NOT_FOUND;
                    case STALE -> STALE;
                    default -> REFUSED;
                };
            }
        }
        return REFUSED;
    }
}
