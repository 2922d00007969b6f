package io.holdfast.drills;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** How the commands of this module read their arguments, and what they say of wrong ones. */
final class DrillCommandLine {
    private DrillCommandLine() {}

    static CommandLine of(Callable<Integer> command) {
        return new CommandLine(command)
                .setAbbreviatedOptionsAllowed(false)
                .registerConverter(Double.class, text -> number(text, Double::valueOf, "a number"))
                .registerConverter(int.class, text -> number(text, Integer::valueOf, "a whole number"))
                .setParameterExceptionHandler(DrillCommandLine::wrongUsage);
    }

    /** Picocli would say of a word that it is no double. */
    private static <T> T number(String text, Function<String, T> reader, String what) {
        try {
            return reader.apply(text);
        } catch (NumberFormatException e) {
            throw new CommandLine.TypeConversionException("'" + text + "' is not " + what);
        }
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
