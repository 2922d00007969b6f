package io.holdfast.management;

/** What the program's exit code tells a script. */
public final class ExitCode {
    /** Done, or stopped as asked. */
    public static final int OK = 0;
    /** What was asked could not be done: a file is missing or locked, a port is busy. */
    public static final int FAILED = 1;
    /** The command line or the configuration file is wrong. */
    public static final int USAGE = 2;

    private ExitCode() {}
}
