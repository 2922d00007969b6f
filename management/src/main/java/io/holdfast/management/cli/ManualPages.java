package io.holdfast.management.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Pages for man(1), made from what the command line knows of itself: {@code holdfast.1}, {@code holdfast-lu-create.1}, …
 * The same program makes the same pages, byte by byte.
 */
public final class ManualPages {
    /** What the programs read beside their options; for the page of the program as a whole. */
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "HOLDFAST_LOG", "debug makes the log tell more.",
            "HOLDFAST_LOG_FORMAT", "json makes each line of the log a JSON object.",
            "HOLDFAST_JAVA_OPTS", "More options for Java.",
            "JAVA_HOME", "The Java to use; otherwise the java on the path.");

    private static final Map<String, String> FILES = Map.of(
            "/etc/holdfast/holdfast.toml", "Settings of the server.",
            "/etc/holdfast/agent.toml", "Settings of the agent.",
            "/var/lib/holdfast", "The server's state: who sees what, identities of disks, reservations; images.",
            "/run/holdfast-agent", "The agent's state: which VMs are frozen.",
            "/usr/share/doc/holdfast/operating.md.gz", "The operator's guide.");

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
        Path file = directory.resolve(name(spec) + ".1");
        Files.writeString(file, text(spec));
        written.add(file);
        for (CommandLine sub : spec.subcommands().values()) {
            page(sub.getCommandSpec(), directory);
        }
    }

    private static String name(CommandSpec spec) {
        return spec.qualifiedName("-");
    }

    private String text(CommandSpec spec) {
        StringBuilder page = new StringBuilder();
        List<CommandSpec> shown = spec.subcommands().values().stream()
                .map(CommandLine::getCommandSpec)
                .filter(sub -> !sub.usageMessage().hidden())
                .toList();
        page.append(".TH \"").append(name(spec).toUpperCase(Locale.ROOT)).append("\" 1 \"");
        page.append(date).append("\" \"Holdfast\" \"Holdfast Manual\"\n");
        page.append(".SH NAME\n").append(escaped(name(spec))).append(" \\- ");
        page.append(line(withoutStop(first(spec))));
        page.append(".SH SYNOPSIS\n.B ").append(line(spec.qualifiedName()));
        synopsis(page, spec, shown);
        page.append(".SH DESCRIPTION\n");
        for (String paragraph : spec.usageMessage().description()) {
            page.append(".PP\n").append(line(paragraph));
        }
        options(page, spec);
        if (!shown.isEmpty()) {
            page.append(".SH COMMANDS\n");
            shown.forEach(sub -> entry(page, sub.name(), first(sub)));
        }
        page.append(".SH EXIT STATUS\n");
        exits(page, spec);
        if (spec.parent() == null) {
            page.append(".SH ENVIRONMENT\n");
            ENVIRONMENT.entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(variable -> entry(page, variable.getKey(), variable.getValue()));
            page.append(".SH FILES\n");
            FILES.entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(file -> entry(page, file.getKey(), file.getValue()));
        }
        seeAlso(page, spec, shown);
        return page.toString();
    }

    private static void synopsis(StringBuilder page, CommandSpec spec, List<CommandSpec> shown) {
        if (shown.isEmpty()) {
            for (PositionalParamSpec place : spec.positionalParameters()) {
                String label = escaped(place.paramLabel());
                page.append(place.required() ? ".I " + label : ".RI [ " + label + " ]")
                        .append('\n');
            }
            page.append(".RI [ OPTION .\\|.\\|.]\n");
        } else {
            page.append(".I COMMAND\n.RI [ OPTION .\\|.\\|.]\n");
        }
    }

    private static void options(StringBuilder page, CommandSpec spec) {
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

    /** Server and agent end with the first three only; whoever asks a running server has to know them all. */
    private static void exits(StringBuilder page, CommandSpec spec) {
        boolean asks = spec.parent() == null || OperatorCommands.isOne(spec);
        for (CliExit exit : CliExit.values()) {
            if (asks || exit.code() <= CliExit.USAGE.code()) {
                entry(page, String.valueOf(exit.code()), exit.help());
            }
        }
    }

    private static void seeAlso(StringBuilder page, CommandSpec spec, List<CommandSpec> shown) {
        List<String> others = new ArrayList<>();
        for (CommandSpec above = spec; above.parent() != null; above = above.parent()) {
            others.add(0, name(above.parent()));
        }
        shown.forEach(sub -> others.add(name(sub)));
        page.append(".SH SEE ALSO\n");
        for (int i = 0; i < others.size(); i++) {
            page.append(".BR ").append(escaped(others.get(i))).append(" (1)");
            page.append(i + 1 < others.size() ? ",\n" : "\n");
        }
    }

    private static void entry(StringBuilder page, String what, String help) {
        page.append(".TP\n.B ").append(line(what)).append(line(help));
    }

    private static String first(CommandSpec spec) {
        String[] description = spec.usageMessage().description();
        return description.length == 0 ? "operates Holdfast" : description[0];
    }

    /** The first sentence, as whatis(1) shows it. */
    private static String withoutStop(String text) {
        int end = text.indexOf(". ");
        String sentence = end < 0 ? text : text.substring(0, end);
        return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
    }

    private static String line(String text) {
        return escaped(text) + "\n";
    }

    /** What roff would take for its own. */
    private static String escaped(String text) {
        String plain = text.replace("\\", "\\e")
                .replace("-", "\\-")
                .replace("'", "\\(aq")
                .replace("…", "...")
                .replace("%n", "\n");
        return plain.startsWith(".") ? "\\&" + plain : plain;
    }
}
