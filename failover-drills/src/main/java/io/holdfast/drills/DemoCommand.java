package io.holdfast.drills;

import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command line of {@code scripts/demo.sh}. */
@Command(
        name = "demo.sh",
        mixinStandardHelpOptions = true,
        version = "Holdfast 0.1.0",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Boots a QEMU guest on a Holdfast logical unit, kills the storage server while the guest "
                + "writes, brings it back, and checks from inside and outside that the guest never noticed.",
        footer = {
            "",
            "Exit code: 0 every guest survived, 1 one did not, 2 wrong usage.",
            "Example: all devices, several outages, three times each, every run on record:",
            "  scripts/demo.sh --device all --outage 1,6,31,61 --repeat 3 --json drills.json"
        })
public final class DemoCommand implements Callable<Integer> {
    private static final int MAX_REPEAT = 1000;

    /** From the end of a child to that of this process, where both were sent the same signal. */
    private static final Duration INTERRUPTION_LIMIT = Duration.ofMillis(300);

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--device",
            split = ",",
            paramLabel = "KIND",
            defaultValue = "virtio-blk",
            description =
                    "virtio-blk, virtio-blk-iothread, virtio-scsi, or all; several with commas. Default: virtio-blk")
    private List<String> devices = List.of();

    @Option(
            names = "--outage",
            split = ",",
            paramLabel = "SECONDS",
            defaultValue = "6",
            description = "How long the server is away; several with commas. Default: 6")
    private List<Double> outagesSeconds = List.of();

    @Option(
            names = "--fault",
            split = ",",
            paramLabel = "FAULT",
            defaultValue = "kill",
            description = "kill (SIGKILL) or stop (SIGTERM, a planned stop); both with a comma. Default: kill")
    private List<String> faults = List.of();

    @Option(
            names = "--boot",
            paramLabel = "WAY",
            defaultValue = "kernel",
            description =
                    "kernel (QEMU loads the kernel, the root is on the disk) or bios (SeaBIOS boots from the disk)."
                            + " Default: kernel")
    private String boot = "kernel";

    @Option(
            names = "--without-agent",
            description = "Control run: QEMU logs in to the server directly. Guests complain from 10 s on.")
    private boolean withoutAgent;

    @Option(names = "--repeat", paramLabel = "N", defaultValue = "1", description = "Runs every drill N times.")
    private int repeat = 1;

    @Option(
            names = "--keep",
            description = "Leaves everything running after the guest's progress, says how to look around, and ends"
                    + " when you press Enter or Ctrl-C.")
    private boolean keep;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the results to FILE.")
    private @Nullable Path json;

    @Option(names = "--keep-logs", description = "Leaves the work folder of a failed drill where it is.")
    private boolean keepLogs;

    @Mixin
    private WhereOptions where = new WhereOptions();

    /** Runs the drills and ends this process. */
    public static void main(String[] arguments) {
        DrillCommandLine.run(new DemoCommand(), arguments);
    }

    static CommandLine commandLine() {
        return DrillCommandLine.of(new DemoCommand());
    }

    @Override
    public Integer call() throws InterruptedException {
        List<DrillPlan> plans = plans();
        where.work();
        if (json != null && !writable(json)) {
            complain("--json " + json + ": give a file, in a folder that exists, that can be written");
            return CommandLine.ExitCode.USAGE;
        }
        try {
            return drill(plans);
        } catch (IOException e) {
            complain(String.valueOf(e.getMessage()));
            return CommandLine.ExitCode.SOFTWARE;
        }
    }

    /** Asked before the first drill: a series may run for hours. */
    private static boolean writable(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        return Files.exists(file)
                ? !Files.isDirectory(file) && Files.isWritable(file)
                : folder != null && Files.isDirectory(folder) && Files.isWritable(folder);
    }

    private void complain(String message) {
        spec.commandLine().getErr().println("demo.sh: " + Verdict.oneLine(message));
    }

    private int drill(List<DrillPlan> plans) throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        DrillPrinter printer =
                new DrillPrinter(out, CommandLine.Help.Ansi.AUTO.enabled() ? Palette.COLOURED : Palette.PLAIN);
        Drill.Setting setting = setting();
        List<DrillResult> results = new ArrayList<>();
        for (DrillPlan plan : plans) {
            printer.heading(plan, results.size() + 1, plans.size());
            DrillResult result = new Drill(plan, setting, printer, pause(printer)).run();
            if (!result.verdict().survived() && Ending.within(INTERRUPTION_LIMIT)) {
                // By Ctrl-C, which QEMU is sent too: what became of it is nobody's verdict.
                return CommandLine.ExitCode.SOFTWARE;
            }
            results.add(result);
            printer.result(result);
            if (json != null) {
                // After every drill, so that an interrupted series leaves what it has.
                DrillRecords.write(json, results);
            }
        }
        Summary summary = new Summary(results.stream().map(DrillResult::verdict).toList());
        if (results.size() > 1) {
            printer.summary(summary);
        }
        return summary.survived() ? 0 : 1;
    }

    private Drill.Setting setting() throws IOException, InterruptedException {
        return new Drill.Setting(
                where.program(), GuestImages.build(), where.work(), keepLogs ? Drill.KeepLogs.YES : Drill.KeepLogs.NO);
    }

    private Drill.Pause pause(DrillPrinter printer) {
        return keep ? new LookAround(printer) : Drill.Pause.NONE;
    }

    /** Every combination of what was asked for. */
    List<DrillPlan> plans() {
        Choices choices = new Choices(spec);
        choices.within("--repeat", repeat, 1, MAX_REPEAT);
        List<DeviceKind> kinds = choices.each("--device", devices, List.of(DeviceKind.values()), DeviceKind::label);
        List<Fault> ends = faults.stream()
                .map(label -> choices.one("--fault", label, List.of(Fault.values()), Fault::label))
                .toList();
        Boot way = choices.one("--boot", boot, List.of(Boot.values()), Boot::label);
        List<DrillPlan> plans = new ArrayList<>();
        Route route = withoutAgent ? Route.STRAIGHT_TO_SERVER : Route.THROUGH_AGENT;
        // Repeats outermost: what changes slowly on the machine then hits every kind of drill alike.
        for (int i = 0; i < repeat; i++) {
            for (Fault fault : ends) {
                for (double outageSeconds : outagesSeconds) {
                    for (DeviceKind device : kinds) {
                        plans.add(new DrillPlan(device, way, fault, choices.outage(outageSeconds), route));
                    }
                }
            }
        }
        return plans;
    }
}
