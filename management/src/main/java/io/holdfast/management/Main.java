package io.holdfast.management;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * {@code holdfast}: the server, the agent, and what operates them. Commands are tables in code, not found by reflection: a
 * server that guests wait for has no time for that.
 */
public final class Main {
    /** Every command; a new one is a line here. */
    static final List<Command> COMMANDS = List.of(
            new ServeCommand(), new AgentCommand(), new DoctorCommand(), new GenerateCommand(), new WarmUpCommand());

    private Main() {}

    /** Runs a command and exits with its {@link ExitCode}. */
    public static void main(String[] arguments) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int code = run(Arrays.asList(arguments), out, err);
        out.flush();
        err.flush();
        System.exit(code);
    }

    /** Runs a command. */
    static int run(List<String> arguments, PrintWriter out, PrintWriter err) {
        for (Command command : COMMANDS) {
            if (!arguments.isEmpty() && arguments.get(0).equals(command.name())) {
                Optional<Arguments> simple = Arguments.simple(command, arguments.subList(1, arguments.size()));
                if (simple.isPresent()) {
                    return command.run(simple.get(), out, err);
                }
            }
        }
        return PicocliFront.commandLine(COMMANDS, arguments, out, err).execute(arguments.toArray(String[]::new));
    }
}
