package io.holdfast.drills;

import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command line of {@code scripts/clients.sh}. */
@Command(
        name = "clients.sh",
        mixinStandardHelpOptions = true,
        version = "Holdfast 0.1.0",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Boots QEMU guests on one server, each with its own port name, secret and LU: each sees its "
                + "own only, forgers get nothing, and LUs are mapped, unmapped and resized while all of them "
                + "write.",
        footer = {"", "Exit code: 0 everything held, 1 it did not, 2 wrong usage."})
public final class ClientsCommand implements Callable<Integer> {
    private static final int MAX_GUESTS = 64;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(
            names = "--guests",
            paramLabel = "N",
            defaultValue = "10",
            description = "How many. Default: ${DEFAULT-VALUE}.")
    private int guests = 10;

    @Option(
            names = "--at-once",
            paramLabel = "N",
            defaultValue = "2",
            description = "How many boot at the same time. Default: ${DEFAULT-VALUE}.")
    private int atOnce = 2;

    @Mixin
    private WhereOptions where = new WhereOptions();

    /** Runs the command line and ends the process. */
    public static void main(String[] args) {
        DrillCommandLine.run(new ClientsCommand(), args);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        Choices choices = new Choices(spec);
        choices.within("--guests", guests, 2, MAX_GUESTS);
        choices.within("--at-once", atOnce, 1, MAX_GUESTS);
        ClientsDrill drill = new ClientsDrill(new ClientsDrill.Setting(
                WhereOptions.checkout(), where.work(), guests, atOnce, GuestImages.build(), text -> {
                    out.println(text);
                    out.flush();
                }));
        ClientsDrill.Result result;
        try {
            result = drill.run();
        } catch (DrillFailure e) {
            out.println(e.getMessage());
            out.println("clients=failed guests=" + guests);
            out.flush();
            return 1;
        }
        result.problems().forEach(out::println);
        out.println(result.line());
        out.flush();
        return result.good() ? 0 : 1;
    }
}
