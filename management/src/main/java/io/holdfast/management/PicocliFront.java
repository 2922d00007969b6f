package io.holdfast.management;

import io.holdfast.management.cli.OperatorCommands;
import java.io.PrintWriter;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The command line as picocli sees it, made from the commands' tables: help, version, and errors for people. */
final class PicocliFront {
    private static final String VERSION = "holdfast " + Version.text();

    private PicocliFront() {}

    /** With all commands. */
    static CommandLine commandLine(List<Command> commands, PrintWriter out, PrintWriter err) {
        return commandLine(commands, name -> true, out, err);
    }

    /**
     * With the one that a command line begins with, if it asks a running server: to make all of them takes longer than most of
     * those take.
     */
    static CommandLine commandLine(List<Command> commands, List<String> arguments, PrintWriter out, PrintWriter err) {
        String first = arguments.isEmpty() ? "" : arguments.get(0);
        return OperatorCommands.begin(first)
                ? commandLine(List.of(), first::equals, out, err)
                : commandLine(commands, out, err);
    }

    private static CommandLine commandLine(
            List<Command> commands, Predicate<String> asking, PrintWriter out, PrintWriter err) {
        CommandSpec root = CommandSpec.create().name("holdfast").mixinStandardHelpOptions(true);
        root.version(VERSION);
        root.usageMessage()
                .description("The storage server that QEMU/KVM guests do not die with.")
                .commandListHeading("%nCommands:%n")
                .footer(
                        "",
                        "Exit codes: 0 done, 1 could not be done, 2 command line or configuration is wrong,"
                                + " 3 no server answers, 4 not permitted, 5 not found, 6 changed by somebody else.");
        for (Command command : commands) {
            root.addSubcommand(command.name(), spec(command));
        }
        OperatorCommands.addTo(root, asking);
        CommandLine line = new CommandLine(root);
        line.setExecutionStrategy(PicocliFront::run);
        line.setParameterExceptionHandler(PicocliFront::wrongUsage);
        line.setOut(out);
        line.setErr(err);
        return line;
    }

    private static CommandSpec spec(Command command) {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(command).mixinStandardHelpOptions(true);
        spec.version(VERSION);
        spec.usageMessage()
                .description(command.description().toArray(String[]::new))
                .hidden(command.hidden())
                .abbreviateSynopsis(true)
                .sortOptions(false);
        for (Command.Option option : command.options()) {
            spec.addOption(OptionSpec.builder(option.name())
                    .paramLabel(option.label())
                    .type(List.class)
                    .auxiliaryTypes(String.class)
                    .arity("1")
                    .required(option.required() == Command.Need.REQUIRED)
                    .description(option.help())
                    .build());
        }
        return spec;
    }

    private static int run(CommandLine.ParseResult parsed) {
        Integer help = CommandLine.executeHelpRequest(parsed);
        if (help != null) {
            return help;
        }
        CommandLine line = parsed.commandSpec().commandLine();
        if (!parsed.hasSubcommand()) {
            line.usage(line.getErr());
            return ExitCode.USAGE;
        }
        CommandLine.ParseResult sub = parsed.subcommand();
        if (OperatorCommands.isOne(sub)) {
            return OperatorCommands.run(sub, line.getOut(), line.getErr());
        }
        Command command = (Command) sub.commandSpec().userObject();
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (Command.Option option : command.options()) {
            List<String> given = sub.matchedOptionValue(option.name(), List.of());
            if (!given.isEmpty()) {
                values.put(option.name(), given);
            }
        }
        return command.run(new Arguments(values), line.getOut(), line.getErr());
    }

    private static int wrongUsage(CommandLine.ParameterException wrong, String[] arguments) {
        CommandLine line = wrong.getCommandLine();
        String name = line.getCommandSpec().qualifiedName();
        line.getErr().println(name + ": " + inWords(wrong));
        line.getErr().println("Try '" + name + " --help'.");
        return ExitCode.USAGE;
    }

    /** Picocli's own words, but for what is mistyped: it counts arguments, and people do not. */
    private static String inWords(CommandLine.ParameterException wrong) {
        if (!(wrong instanceof CommandLine.UnmatchedArgumentException unmatched)) {
            return String.valueOf(wrong.getMessage());
        }
        CommandLine line = wrong.getCommandLine();
        String first = unmatched.getUnmatched().get(0);
        Set<String> known;
        String said;
        if (first.startsWith("-")) {
            known = line.getCommandSpec().optionsMap().keySet();
            said = "there is no option '" + first.replaceFirst("=.*", "") + "'"
                    + (line.getParent() == null ? "; options stand behind the command" : "");
        } else if (line.getSubcommands().isEmpty()) {
            return "'" + first + "' is one argument too many";
        } else {
            known = line.getSubcommands().keySet();
            said = "there is no command '" + first + "'";
        }
        return known.stream()
                .filter(name -> isNear(first.replaceFirst("=.*", ""), name))
                .min(Comparator.naturalOrder())
                .map(name -> said + "; is '" + name + "' meant?")
                .orElse(said);
    }

    /** Whether one letter too many, too few, wrong or misplaced makes the one of the other. */
    private static boolean isNear(String typed, String name) {
        int shorter = Math.min(typed.length(), name.length());
        int front = 0;
        while (front < shorter && typed.charAt(front) == name.charAt(front)) {
            front++;
        }
        int back = 0;
        while (back < shorter - front
                && typed.charAt(typed.length() - 1 - back) == name.charAt(name.length() - 1 - back)) {
            back++;
        }
        String typedRest = typed.substring(front, typed.length() - back);
        String nameRest = name.substring(front, name.length() - back);
        boolean swapped = typedRest.length() == 2
                && new StringBuilder(typedRest).reverse().toString().equals(nameRest);
        return swapped || typedRest.length() <= 1 && nameRest.length() <= 1;
    }
}
