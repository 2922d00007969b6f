package io.holdfast.management.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Pages for man(1), made from what the command line knows of itself: {@code holdfast.1}, {@code holdfast-lu-create.1}, … */
public final class ManualPages {
    private final String date;
    private final List<Path> written = new ArrayList<>();

    private ManualPages(String date) {
        this.date = date;
    }

    /**
     * Writes all of them.
     *
     * @param date for the foot of the pages, such as a release's
     * @return the files
     */
    public static List<Path> write(CommandLine root, Path directory, String date) throws IOException {
        Files.createDirectories(directory);
        ManualPages pages = new ManualPages(date);
        pages.page(root.getCommandSpec(), directory);
        return pages.written;
    }

    private void page(CommandSpec spec, Path directory) throws IOException {
        if (spec.usageMessage().hidden()) {
            return;
        }
        String name = spec.qualifiedName("-");
        Path file = directory.resolve(name + ".1");
        Files.writeString(file, text(spec, name));
        written.add(file);
        for (CommandLine sub : spec.subcommands().values()) {
            page(sub.getCommandSpec(), directory);
        }
    }

    private String text(CommandSpec spec, String name) {
        StringBuilder page = new StringBuilder();
        String[] description = spec.usageMessage().description();
        String first = description.length == 0 ? "operates Holdfast" : description[0];
        page.append(".TH \"")
                .append(name.toUpperCase(java.util.Locale.ROOT))
                .append("\" 1 \"")
                .append(date);
        page.append("\" \"Holdfast\" \"Holdfast Manual\"\n");
        page.append(".SH NAME\n")
                .append(escaped(name))
                .append(" \\- ")
                .append(escaped(first))
                .append('\n');
        page.append(".SH SYNOPSIS\n.B ").append(escaped(spec.qualifiedName())).append('\n');
        page.append(".RI [ options ]\n");
        for (PositionalParamSpec place : spec.positionalParameters()) {
            String label = escaped(place.paramLabel());
            page.append(place.required() ? ".I " + label : ".RI [ " + label + " ]")
                    .append('\n');
        }
        if (!spec.subcommands().isEmpty()) {
            page.append(".I COMMAND\n");
        }
        page.append(".SH DESCRIPTION\n");
        for (String paragraph : description) {
            page.append(escaped(paragraph)).append("\n.PP\n");
        }
        entries(page, spec);
        if (!spec.subcommands().isEmpty()) {
            page.append(".SH COMMANDS\n");
            for (Map.Entry<String, CommandLine> sub : spec.subcommands().entrySet()) {
                CommandSpec of = sub.getValue().getCommandSpec();
                if (!of.usageMessage().hidden()) {
                    String[] what = of.usageMessage().description();
                    entry(page, sub.getKey(), what.length == 0 ? "" : what[0]);
                }
            }
        }
        page.append(".SH EXIT STATUS\n");
        for (CliExit exit : CliExit.values()) {
            entry(page, String.valueOf(exit.code()), exit.help());
        }
        return page.toString();
    }

    private static void entries(StringBuilder page, CommandSpec spec) {
        page.append(".SH OPTIONS\n");
        for (PositionalParamSpec place : spec.positionalParameters()) {
            entry(page, place.paramLabel(), String.join(" ", place.description()));
        }
        for (OptionSpec option : spec.options()) {
            String names = String.join(", ", option.names());
            String label = option.arity().max() > 0 ? " " + option.paramLabel() : "";
            entry(page, names + label, String.join(" ", option.description()));
        }
    }

    private static void entry(StringBuilder page, String what, String help) {
        page.append(".TP\n.B ")
                .append(escaped(what))
                .append('\n')
                .append(escaped(help))
                .append('\n');
    }

    /** What roff would take for its own. */
    private static String escaped(String text) {
        String plain = text.replace("\\", "\\e").replace("-", "\\-").replace("%n", "\n");
        return plain.startsWith(".") || plain.startsWith("'") ? "\\&" + plain : plain;
    }
}
