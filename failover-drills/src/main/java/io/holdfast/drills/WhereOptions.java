package io.holdfast.drills;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where a command's processes run, and which program they are: the options that every command of this module has. */
final class WhereOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command = CommandSpec.create();

    @Option(
            names = "--work",
            paramLabel = "DIR",
            description = "Where the fresh work folder is made. Default: ${DEFAULT-VALUE}")
    private Path work;

    @Option(names = "--holdfast", hidden = true, description = "The program to start server and agent with.")
    private @Nullable Path holdfast;

    /** In the system's temporary folder, unless somebody says otherwise. */
    WhereOptions() {
        this(Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
    }

    WhereOptions(Path work) {
        this.work = work;
    }

    /** Of this project. */
    static Path checkout() {
        return Path.of(System.getProperty("holdfast.checkout", "")).toAbsolutePath();
    }

    /** @throws ParameterException if nothing can be made there */
    Path work() {
        if (!Files.isDirectory(work) || !Files.isWritable(work)) {
            throw new ParameterException(
                    command.commandLine(), "--work " + work + ": give a folder that exists and can be written in");
        }
        return work.toAbsolutePath();
    }

    /** @throws ParameterException if it cannot be run */
    Path program() {
        Path given = holdfast;
        Path program = given != null ? given : checkout().resolve("scripts").resolve("holdfast");
        if (!Files.isExecutable(program)) {
            throw new ParameterException(
                    command.commandLine(), "cannot run " + program + ": build it first (scripts/build.sh)");
        }
        return program.toAbsolutePath();
    }
}
