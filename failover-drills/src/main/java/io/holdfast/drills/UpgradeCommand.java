package io.holdfast.drills;

import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command line of {@code scripts/upgrade-drill.sh}. */
@Command(
        name = "upgrade-drill.sh",
        mixinStandardHelpOptions = true,
        version = "Holdfast 0.1.0",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Restarts the storage server, as an upgrade does, under guests that write all the time, and "
                + "checks from inside and outside that they lost nothing, and how long each of them stood "
                + "still.",
        footer = {"", "Exit code: 0 every guest survived, within the limit; 1 one did not; 2 wrong usage."})
public final class UpgradeCommand implements Callable<Integer> {
    private static final int MAX_GUESTS = 64;
    private static final int MAX_RESTARTS = 1000;
    private static final int MAX_PAUSE_MS = 10_000;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--guests", paramLabel = "N", defaultValue = "10", description = "How many. Default: 10")
    private int guests = 10;

    @Option(
            names = "--restarts",
            paramLabel = "N",
            defaultValue = "3",
            description = "How often the server is restarted under them. Default: 3")
    private int restarts = 3;

    @Option(
            names = "--pause",
            paramLabel = "MS",
            defaultValue = "50",
            description = "What each of a guest's four writers waits between two records. Default: 50")
    private int pauseMs = 50;

    @Option(
            names = "--limit",
            paramLabel = "MS",
            description = "Fails if a guest's writes stood still for longer. Without it nobody judges that.")
    private @Nullable Integer limitMs;

    @Option(names = "--keep-logs", description = "Leaves the work folder of a failed drill where it is.")
    private boolean keepLogs;

    @Mixin
    private WhereOptions where = new WhereOptions();

    /** Runs the drill and ends this process. */
    public static void main(String[] arguments) {
        DrillCommandLine.run(new UpgradeCommand(), arguments);
    }

    static CommandLine commandLine() {
        return DrillCommandLine.of(new UpgradeCommand());
    }

    @Override
    public Integer call() throws InterruptedException {
        UpgradeDrill.Plan plan = plan();
        PrintWriter out = spec.commandLine().getOut();
        try {
            UpgradeResult result = judged(new UpgradeDrill(
                            plan,
                            setting(),
                            (who, what) -> {
                                out.println(String.format(Locale.ROOT, "%-8s %s", who, what));
                                out.flush();
                            },
                            Judgement.EXACT)
                    .run());
            result.logs().forEach(out::println);
            result.reasons().forEach(reason -> out.println("FAILED   " + reason));
            out.println(result.line());
            out.flush();
            return result.survived() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
        } catch (IOException e) {
            spec.commandLine().getErr().println("upgrade-drill.sh: " + Verdict.oneLine("" + e.getMessage()));
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    private UpgradeResult judged(UpgradeResult result) {
        Integer limit = limitMs;
        OptionalDouble longest = result.longestStallMs();
        return limit != null && longest.isPresent() && longest.getAsDouble() > limit
                ? result.failed("a guest stood still for " + Numbers.span(longest.getAsDouble()) + ", more than "
                        + limit + " ms")
                : result;
    }

    UpgradeDrill.Plan plan() {
        Choices choices = new Choices(spec);
        return new UpgradeDrill.Plan(
                choices.within("--guests", guests, 1, MAX_GUESTS),
                choices.within("--restarts", restarts, 1, MAX_RESTARTS),
                choices.within("--pause", pauseMs, 0, MAX_PAUSE_MS));
    }

    private Drill.Setting setting() throws IOException, InterruptedException {
        return new Drill.Setting(
                where.program(), GuestImages.build(), where.work(), keepLogs ? Drill.KeepLogs.YES : Drill.KeepLogs.NO);
    }
}
