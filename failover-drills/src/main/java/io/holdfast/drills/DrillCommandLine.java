package io.holdfast.drills;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** How the commands of this module read their arguments, and what they say of wrong ones. */
final class DrillCommandLine {
    private DrillCommandLine() {}

    static CommandLine of(Callable<Integer> command) {
        return new CommandLine(command)
                .setAbbreviatedOptionsAllowed(false)
                .setParameterExceptionHandler(DrillCommandLine::wrongUsage);
    }

    /** Runs a command and ends this process. */
    static void run(Callable<Integer> command, String... arguments) {
        System.exit(of(command).execute(arguments));
    }

    /** Two lines: the whole of the help would push the one that matters out of sight. */
    private static int wrongUsage(ParameterException wrong, String[] arguments) {
        String name = wrong.getCommandLine().getCommandName();
        PrintWriter err = wrong.getCommandLine().getErr();
        err.println(name + ": " + Verdict.oneLine(String.valueOf(wrong.getMessage())));
        err.println("Try 'scripts/" + name + " --help'.");
        return CommandLine.ExitCode.USAGE;
    }
}
