package io.holdfast.management.doctor;

/**
 * What one look found.
 *
 * @param check short and stable, for scripts: {@code limit-nofile}
 * @param what with the value that was found
 * @param advice what to do; empty if nothing need be done
 */
public record Finding(Level level, String check, String what, String advice) {
    /** How bad it is. */
    public enum Level {
        OK,
        /** It works, and less well than it could, or not on a bad day. */
        WARN,
        /** It does not work, or data or secrets are in danger. */
        FAIL
    }

    static Finding ok(String check, String what) {
        return new Finding(Level.OK, check, what, "");
    }

    static Finding warn(String check, String what, String advice) {
        return new Finding(Level.WARN, check, what, advice);
    }

    static Finding fail(String check, String what, String advice) {
        return new Finding(Level.FAIL, check, what, advice);
    }
}
