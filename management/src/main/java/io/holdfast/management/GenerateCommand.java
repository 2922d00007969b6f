package io.holdfast.management;

import io.holdfast.management.cli.ManualPages;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine;

/** {@code holdfast generate}: what packages install beside the program: completions and manual pages. */
final class GenerateCommand implements Command {
    private static final String COMPLETION = "--completion";
    private static final String MANUAL = "--manual";
    private static final String DATE = "--date";

    @Override
    public String name() {
        return "generate";
    }

    @Override
    public List<String> description() {
        return List.of("Writes completions for bash and pages for man(1), made from what the program knows of itself.");
    }

    @Override
    public List<Option> options() {
        return List.of(
                new Option(COMPLETION, "FILE", "Completions for bash (and zsh, by bashcompinit).", Need.OPTIONAL),
                new Option(MANUAL, "DIR", "A page for each command.", Need.OPTIONAL),
                new Option(DATE, "DATE", "For the foot of the pages. Default: none.", Need.OPTIONAL));
    }

    @Override
    public int run(Arguments arguments, PrintWriter out, PrintWriter err) {
        if (arguments.last(COMPLETION).isEmpty() && arguments.last(MANUAL).isEmpty()) {
            err.println("holdfast generate: give " + COMPLETION + " FILE, " + MANUAL + " DIR, or both");
            return ExitCode.USAGE;
        }
        CommandLine all = PicocliFront.commandLine(Main.COMMANDS, out, err);
        try {
            if (arguments.last(COMPLETION).isPresent()) {
                Files.writeString(Path.of(arguments.last(COMPLETION).get()), AutoComplete.bash("holdfast", all));
            }
            if (arguments.last(MANUAL).isPresent()) {
                ManualPages.write(
                        all,
                        Path.of(arguments.last(MANUAL).get()),
                        arguments.last(DATE).orElse(""));
            }
            return ExitCode.OK;
        } catch (IOException e) {
            err.println("holdfast generate: " + e.getMessage());
            return ExitCode.FAILED;
        }
    }
}
