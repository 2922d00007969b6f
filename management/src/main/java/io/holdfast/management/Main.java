package io.holdfast.management;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * {@code holdfast}: the server, the agent, and what operates them. Commands are built from tables in code, not found by
 * reflection: a server that guests wait for has no time for that.
 */
public final class Main {
    private Main() {}

    /** Runs a command and exits with its {@link ExitCode}. */
    public static void main(String[] args) {
        int code = commandLine().execute(args);
        if (code != ExitCode.OK) {
            // A server that serves has threads of its own and stays; one that failed must not linger on them.
            System.exit(code);
        }
    }

    /** The whole command line, also for help and reference pages. */
    public static CommandLine commandLine() {
        CommandSpec root = CommandSpec.create().name("holdfast").mixinStandardHelpOptions(true);
        root.version("holdfast " + Version.text());
        root.usageMessage()
                .description("The storage server that QEMU/KVM guests do not die with.")
                .footer("", "Exit codes: 0 done, 1 could not be done, 2 command line or configuration is wrong.");
        root.addSubcommand("serve", ServeCommand.spec());
        root.addSubcommand("warm-up", WarmUpCommand.spec());
        CommandLine line = new CommandLine(root);
        line.setExecutionStrategy(Main::run);
        line.setParameterExceptionHandler(Main::wrongUsage);
        line.setOut(new PrintWriter(System.out, true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        return line;
    }

    private static int run(CommandLine.ParseResult parsed) {
        Integer help = CommandLine.executeHelpRequest(parsed);
        if (help != null) {
            return help;
        }
        if (!parsed.hasSubcommand()) {
            CommandLine line = parsed.commandSpec().commandLine();
            line.usage(line.getErr());
            return ExitCode.USAGE;
        }
        CommandLine.ParseResult sub = parsed.subcommand();
        Object command = sub.commandSpec().userObject();
        return ((Command) command).run(sub);
    }

    private static int wrongUsage(CommandLine.ParameterException wrong, String[] args) {
        CommandLine line = wrong.getCommandLine();
        line.getErr().println("holdfast: " + wrong.getMessage());
        line.getErr().println("Try '" + line.getCommandSpec().qualifiedName() + " --help'.");
        return ExitCode.USAGE;
    }

    /** A subcommand. */
    @FunctionalInterface
    interface Command {
        /** @return an {@link ExitCode} */
        int run(CommandLine.ParseResult parsed);
    }
}
