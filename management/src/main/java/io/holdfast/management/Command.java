package io.holdfast.management;

import java.io.PrintWriter;
import java.util.List;

/** A subcommand of {@code holdfast}: a table of options, and what it does with them. */
interface Command {

    /**
     * An option. Each takes a value and may be given several times; what that means is the command's business.
     *
     * @param name with its dashes
     * @param label what stands for the value in help texts
     * @param required if true the command cannot do without
     */
    record Option(String name, String label, String help, Need required) {}

    /** Whether an option must be given. */
    enum Need {
        REQUIRED,
        OPTIONAL
    }

    String name();

    /** For help texts, a paragraph each. */
    List<String> description();

    /** True if help does not list it. */
    default boolean hidden() {
        return false;
    }

    List<Option> options();

    /** @return an {@link ExitCode} */
    int run(Arguments arguments, PrintWriter out, PrintWriter err);
}
