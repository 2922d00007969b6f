package io.holdfast.drills;

import io.holdfast.drills.CheckResult.Outcome;
import io.holdfast.testimages.InitiatorImages;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command line of {@code scripts/initiator.sh}. */
@Command(
        name = "initiator.sh",
        mixinStandardHelpOptions = true,
        version = "Holdfast 0.1.0",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Boots a QEMU guest with Debian's kernel, open-iscsi, sg3-utils, multipath-tools and fio, "
                + "and lets it check a Holdfast server as a Linux initiator.",
        footer = {
            "",
            "A check that the server has nothing for is skipped, and says so.",
            "Exit code: 0 no check failed, 1 one did, 2 wrong usage."
        })
public final class InitiatorCommand implements Callable<Integer> {
    private static final Duration LIMIT = Duration.ofMinutes(12);
    private static final int OUTPUT_LINES = 25;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "CHECK", arity = "0..*", description = "Checks to run. Default: all of them")
    private List<String> checks = List.of();

    @Option(names = "--list", description = "Only lists the checks.")
    private boolean list;

    @Option(names = "--verbose", description = "Prints what the tools printed in every check, not only in failed ones.")
    private boolean verbose;

    @Mixin
    private WhereOptions where = new WhereOptions();

    /** Runs the command line and ends the process. */
    public static void main(String[] args) {
        DrillCommandLine.run(new InitiatorCommand(), args);
    }

    @Override
    public Integer call() throws IOException, DrillFailure, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        List<String> table = table();
        if (list) {
            table.forEach(out::println);
            return 0;
        }
        List<String> known = table.stream().map(row -> row.split(" ", 2)[0]).toList();
        for (String check : checks) {
            if (!known.contains(check)) {
                throw new ParameterException(
                        spec.commandLine(), "no check '" + check + "': there are " + String.join(", ", known));
            }
        }
        Path log = WhereOptions.checkout().resolve("failover-drills/target/initiator.log");
        Files.createDirectories(log.getParent());
        InitiatorRun.Setting setting =
                new InitiatorRun.Setting(where.program(), InitiatorImages.build(), where.work(), checks, LIMIT, log);
        List<CheckResult> results = new InitiatorRun(setting, result -> print(out, result)).run();
        out.println("all they printed is in " + log);
        out.println(CheckLog.summary(results));
        out.flush();
        return InitiatorRun.good(results) ? 0 : 1;
    }

    private void print(PrintWriter out, CheckResult result) {
        out.println(result.line());
        if (verbose || result.outcome() == Outcome.FAIL) {
            List<String> output = result.output();
            int from = verbose ? 0 : Math.max(0, output.size() - OUTPUT_LINES);
            output.subList(from, output.size()).forEach(line -> out.println("    " + line));
        }
        out.flush();
    }

    /** The checks, each as its name and its sentence. */
    private static List<String> table() throws IOException {
        List<String> rows = new ArrayList<>();
        Path file = WhereOptions.checkout().resolve("test-images/src/main/initiator/checks/list");
        for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                rows.add(line.split(" ", 2)[1]);
            }
        }
        return rows;
    }
}
