package io.holdfast.drills;

import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command line of {@code scripts/failover.sh}. */
@Command(
        name = "failover.sh",
        mixinStandardHelpOptions = true,
        version = "Holdfast 0.1.0",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Takes the storage server away from QEMU guests that write, in every way there is, brings "
                + "it back, and judges from inside and outside what the guests noticed.",
        footer = {
            "",
            "What fails a drill: an I/O error or a complaint of the guest's kernel, an acknowledged write"
                    + " that is lost, a reboot, a clock that ran on, a freeze too many or too few. How long things"
                    + " took is in the report, with budgets beside it.",
            "Exit code: 0 no drill failed, 1 one did, 2 wrong usage.",
            "Example: scripts/failover.sh --fault kill,cut --disks virtio-scsi --load heavy --times 10"
        })
public final class FailoverCommand implements Callable<Integer> {
    private static final String ALL = "all";
    private static final int MAX_TIMES = 1_000;
    private static final int MAX_SAMPLE = 10_000;
    private static final int MAX_SOAK_MINUTES = 1_440;
    /** Each has a guest of 128 MiB or two, and two Java virtual machines. */
    private static final int MAX_TOGETHER = 32;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--quick", description = "Each fault once, disks, load and length by chance. Ten minutes at most.")
    private boolean quick;

    @Option(names = "--few", description = "A few faults, as the test command does. Two minutes.")
    private boolean few;

    @Option(
            names = "--all",
            description =
                    "Every fault with every length of outage; disks and loads take turns. Four hours, or one and a half"
                            + " with --together 6.")
    private boolean all;

    @Option(names = "--product", description = "Every fault with all disks, loads and lengths. Days.")
    private boolean product;

    @Option(names = "--sample", paramLabel = "N", description = "N drills by chance, of the faults of --fault.")
    private int sample;

    @Option(
            names = "--soak",
            paramLabel = "MINUTES",
            description = "Two guests under full load, and nothing goes wrong: they must not be frozen.")
    private int soakMinutes;

    @Option(
            names = "--part",
            paramLabel = "K/N",
            description = "Of what was chosen, every Nth drill from the Kth on: a long run in pieces.")
    private String part = "1/1";

    @Option(
            names = "--together",
            paramLabel = "N",
            defaultValue = "1",
            description = "Outages of 12 s and more are played so many at a time, after all others. They are judged"
                    + " as always; the table of figures is of the others. Default: 1")
    private int together = 1;

    @Option(
            names = "--fault",
            split = ",",
            paramLabel = "FAULT",
            defaultValue = ALL,
            description = "Several with commas. Default: all. --list says what there is.")
    private List<String> faults = List.of();

    @Option(
            names = "--disks",
            split = ",",
            paramLabel = "DISKS",
            defaultValue = "virtio-blk",
            description = "virtio-blk, virtio-blk-iothread, virtio-scsi, two-iothreads, or all. Default: virtio-blk")
    private List<String> disks = List.of();

    @Option(
            names = "--load",
            split = ",",
            paramLabel = "LOAD",
            defaultValue = "steady",
            description = "light, steady, heavy, or all. Default: steady")
    private List<String> loads = List.of();

    @Option(
            names = "--outage",
            split = ",",
            paramLabel = "SECONDS",
            defaultValue = "1",
            description = "How long the cause lasts; several with commas. Default: 1")
    private List<Double> outagesSeconds = List.of();

    @Option(
            names = "--times",
            paramLabel = "N",
            defaultValue = "1",
            description = "So many outages for each guest, where the fault can be repeated. Default: 1")
    private int times = 1;

    @Option(
            names = "--without-agent",
            description = "Control run: QEMU logs in to the server directly. It must be seen to stall.")
    private boolean withoutAgent;

    @Option(names = "--seed", paramLabel = "N", description = "Chooses and plays again what a run with it did.")
    private @Nullable Long seed;

    @Option(
            names = "--results",
            paramLabel = "DIR",
            description = "Where failover.csv and failover.html go. Default: target/failover")
    private @Nullable Path results;

    @Option(names = "--list", description = "Says what faults there are, and ends.")
    private boolean list;

    @Option(names = "--plan", description = "Says what would be played, and ends.")
    private boolean planOnly;

    @Mixin
    private WhereOptions where = new WhereOptions(Path.of("/var/tmp"));

    /** Plays the drills and ends this process. */
    public static void main(String[] arguments) {
        DrillCommandLine.run(new FailoverCommand(), arguments);
    }

    static CommandLine commandLine() {
        return DrillCommandLine.of(new FailoverCommand());
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    @Override
    public Integer call() throws InterruptedException {
        if (list) {
            for (FailoverFault fault : FailoverFault.values()) {
                out().printf(Locale.ROOT, "%-18s %s%n", fault, fault.words());
            }
            return CommandLine.ExitCode.OK;
        }
        new Choices(spec).within("--together", together, 1, MAX_TOGETHER);
        long chosen = seed == null ? ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE) : seed;
        List<FailoverPlan> plans = plans(chosen);
        if (planOnly) {
            plans.forEach(plan -> out().println(plan.words()));
            return CommandLine.ExitCode.OK;
        }
        try {
            return play(plans, chosen);
        } catch (IOException e) {
            spec.commandLine().getErr().println("failover.sh: " + Verdict.oneLine(String.valueOf(e.getMessage())));
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    private int play(List<FailoverPlan> plans, long chosen) throws IOException, InterruptedException {
        Path folder = results != null
                ? results
                : WhereOptions.checkout().resolve("target").resolve("failover");
        Drill.Setting setting =
                new Drill.Setting(where.program(), GuestImages.build(), where.work(), Drill.KeepLogs.NO);
        String again = again(chosen);
        out().println("seed " + chosen + "; again: " + again);
        boolean passed = new FailoverSeries(setting, out(), folder, again, together).play(plans);
        return passed ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private String again(long chosen) {
        List<String> said = new ArrayList<>(spec.commandLine().getParseResult().originalArgs());
        if (seed == null) {
            said.addAll(List.of("--seed", String.valueOf(chosen)));
        }
        return "scripts/failover.sh " + String.join(" ", said);
    }

    // ------------------------------------------------------------------ what is chosen

    List<FailoverPlan> plans(long chosen) {
        List<FailoverPlan> plans = inParts(chosenBy(chosen));
        if (plans.isEmpty()) {
            throw new Choices(spec).wrong("--part", part, "there is no drill in that part");
        }
        return plans;
    }

    private List<FailoverPlan> chosenBy(long chosen) {
        if (quick) {
            return FailoverSelection.quick(chosen);
        }
        if (few) {
            return FailoverSelection.few(chosen);
        }
        if (all) {
            return FailoverSelection.all(chosen);
        }
        if (product) {
            return FailoverSelection.product(chosen);
        }
        Choices choices = new Choices(spec);
        if (soakMinutes != 0) {
            choices.within("--soak", soakMinutes, 1, MAX_SOAK_MINUTES);
            return FailoverSelection.soak(Duration.ofMinutes(soakMinutes), chosen);
        }
        List<FailoverFault> which =
                choices.each("--fault", faults, List.of(FailoverFault.values()), FailoverFault::label);
        if (sample != 0) {
            choices.within("--sample", sample, 1, MAX_SAMPLE);
            return FailoverSelection.sample(sample, which, chosen);
        }
        choices.within("--times", times, 1, MAX_TIMES);
        return FailoverSelection.of(
                which,
                choices.each("--disks", disks, List.of(GuestDisks.values()), GuestDisks::label),
                choices.each("--load", loads, List.of(GuestLoad.values()), GuestLoad::label),
                outagesSeconds.stream().map(choices::outage).toList(),
                times,
                withoutAgent ? Route.STRAIGHT_TO_SERVER : Route.THROUGH_AGENT,
                chosen);
    }

    private List<FailoverPlan> inParts(List<FailoverPlan> plans) {
        String[] numbers = part.split("/", -1);
        try {
            int which = Integer.parseInt(numbers[0]);
            int of = Integer.parseInt(numbers[1]);
            if (numbers.length == 2 && which >= 1 && which <= of) {
                List<FailoverPlan> own = new ArrayList<>();
                for (int i = which - 1; i < plans.size(); i += of) {
                    own.add(plans.get(i));
                }
                return own;
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            // Told below, like numbers out of range.
        }
        throw new Choices(spec).wrong("--part", part, "K/N with K from 1 to N is allowed");
    }
}
