package io.holdfast.management.cli;

import io.holdfast.control.ControlJson.Fields;
import io.holdfast.control.client.ApiClient;
import io.holdfast.control.client.ServerAddress;
import io.holdfast.control.operator.Labels;
import io.holdfast.control.operator.Operation;
import io.holdfast.control.operator.Param;
import io.holdfast.control.operator.RowJson;
import io.holdfast.control.operator.Shape;
import io.holdfast.management.config.ByteSize;
import io.holdfast.management.config.ConfigException;
import io.holdfast.management.config.Unreadable;
import io.holdfast.net.AddressException;
import io.holdfast.net.Addresses;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The commands that ask a running server, made from the {@link Operation} table; beside it stand only {@code lsmap}'s and
 * {@code events}' own switches.
 */
public final class OperatorCommands {
    static final String SOCKET_VARIABLE = "HOLDFAST_SOCKET";
    static final String SERVER_VARIABLE = "HOLDFAST_SERVER";
    static final String TOKEN_VARIABLE = "HOLDFAST_TOKEN_FILE";
    static final String CA_VARIABLE = "HOLDFAST_CA";
    private static final Path USUAL_SOCKET = Path.of("/var/lib/holdfast/control.sock");
    private static final int MAX_SECRET_FILE_BYTES = 4096;
    private static final String EVENTS = "events";
    private static final Path STANDARD_OUTPUT = Path.of("/proc/self/fd/1");
    private static final Pattern TERMINAL = Pattern.compile("/dev/(pts/.*|tty.*|console)");

    private OperatorCommands() {}

    /** What a command does; the user object of its spec. */
    private interface Action {
        int run(CommandLine.ParseResult parsed, PrintWriter out, PrintWriter err);
    }

    /**
     * Adds them.
     *
     * @param which by what a command line begins with
     */
    public static void addTo(CommandSpec root, Predicate<String> which) {
        Map<String, CommandSpec> groups = new LinkedHashMap<>();
        if (which.test(EVENTS)) {
            CommandSpec events = events();
            groups.put(EVENTS, events);
            root.addSubcommand(EVENTS, events);
        }
        for (Operation operation : Operation.values()) {
            if (operation == Operation.LSMAP_NPIV
                    || !which.test(operation.words().get(0))) {
                continue;
            }
            CommandSpec spec = spec(operation);
            if (operation.words().size() == 1) {
                root.addSubcommand(operation.words().get(0), spec);
            } else {
                String group = operation.words().get(0);
                groups.computeIfAbsent(group, name -> group(root, name))
                        .addSubcommand(operation.words().get(1), spec);
            }
        }
    }

    /** Does a command line that begins with this ask a running server? */
    public static boolean begin(String word) {
        if (word.equals(EVENTS)) {
            return true;
        }
        for (Operation operation : Operation.values()) {
            if (operation.words().get(0).equals(word)) {
                return true;
            }
        }
        return false;
    }

    /** Does this command line ask a running server? */
    public static boolean isOne(CommandLine.ParseResult parsed) {
        return isOne(parsed.commandSpec());
    }

    static boolean isOne(CommandSpec spec) {
        return spec.userObject() instanceof Action || spec.userObject() instanceof Group;
    }

    /** @return a {@link CliExit}'s code */
    public static int run(CommandLine.ParseResult parsed, PrintWriter out, PrintWriter err) {
        CommandLine.ParseResult last = parsed;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        if (last.commandSpec().userObject() instanceof Action action) {
            return action.run(last, out, err);
        }
        last.commandSpec().commandLine().usage(err);
        return CliExit.USAGE.code();
    }

    /** Has subcommands, and does nothing itself. */
    private record Group(String name) {}

    private static CommandSpec group(CommandSpec root, String name) {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(new Group(name)).mixinStandardHelpOptions(true);
        spec.version(root.version());
        List<String> verbs = new ArrayList<>();
        for (Operation operation : Operation.values()) {
            if (operation.words().get(0).equals(name) && operation.words().size() > 1) {
                verbs.add(operation.words().get(1));
            }
        }
        spec.usageMessage().description("Of a running server: " + String.join(", ", verbs) + ".");
        root.addSubcommand(name, spec);
        return spec;
    }

    private static CommandSpec spec(Operation operation) {
        Action action = (parsed, out, err) -> operate(operation, parsed, out, err);
        CommandSpec spec = CommandSpec.wrapWithoutInspection(action).mixinStandardHelpOptions(true);
        spec.usageMessage()
                .description(operation.help() + " Needs role " + Labels.of(operation.role()) + ".")
                .sortOptions(false);
        Shape shape = Shape.of(operation);
        int index = 0;
        for (Shape.Field field : shape.places()) {
            spec.addPositional(PositionalParamSpec.builder()
                    .index(String.valueOf(index++))
                    .paramLabel(field.param().label())
                    .type(String.class)
                    .required(field.required())
                    .arity(field.required() ? "1" : "0..1")
                    .description(field.param().value())
                    .build());
        }
        for (Shape.Field field : shape.options()) {
            spec.addOption(option(operation, field));
        }
        if (operation == Operation.LSMAP) {
            spec.addOption(flag("All server adapters; the same without it.", "-all", "--all"));
            spec.addOption(flag("Port names and logins instead of devices.", "-npiv", "--npiv"));
        }
        if (operation.changes()) {
            spec.addOption(OptionSpec.builder("--if-version")
                    .paramLabel("N")
                    .type(String.class)
                    .description("Only if what this changes has not been changed since version N.")
                    .build());
        }
        addCommon(spec);
        return spec;
    }

    private static OptionSpec option(Operation operation, Shape.Field field) {
        // The old ones are typed with one dash by people who come from a Virtual I/O Server.
        boolean vios = operation == Operation.LSMAP || operation == Operation.VFCMAP;
        String[] names =
                vios ? new String[] {field.option().substring(1), field.option()} : new String[] {field.option()};
        if (field.kind() == Shape.Kind.FLAG) {
            return flag(field.param().value(), names);
        }
        boolean list = field.kind() == Shape.Kind.LIST;
        return OptionSpec.builder(names)
                .paramLabel(field.param().label())
                .type(list ? List.class : String.class)
                .auxiliaryTypes(String.class)
                .arity("1")
                .required(field.required())
                .description(field.param().value()
                        + (list ? " Several times for several." : "")
                        + (field.param().form() == Param.Form.SECRET ? " Read from FILE; - is standard input." : ""))
                .build();
    }

    private static OptionSpec flag(String help, String... names) {
        return OptionSpec.builder(names)
                .type(boolean.class)
                .arity("0")
                .description(help)
                .build();
    }

    private static OptionSpec text(String label, String help, String... names) {
        return OptionSpec.builder(names)
                .paramLabel(label)
                .type(String.class)
                .description(help)
                .build();
    }

    private static void addCommon(CommandSpec spec) {
        spec.addOption(text("FORM", "table (for people) or json.", "--format"));
        spec.addOption(text("DELIM", "Fields only, with DELIM between them, without headings.", "-fmt", "--fmt"));
        spec.addOption(text("FIELD,...", "Only these fields, in this order.", "-field", "--field"));
        spec.addOption(text(
                "PATH",
                "The server's socket. Default: $" + SOCKET_VARIABLE + ", or " + USUAL_SOCKET + ".",
                "--socket"));
        spec.addOption(text("HOST:PORT", "A server elsewhere, by TLS. Default: $" + SERVER_VARIABLE + ".", "--server"));
        spec.addOption(text("FILE", "Holds the token for it. Default: $" + TOKEN_VARIABLE + ".", "--token-file"));
        spec.addOption(text("FILE", "The certificate of its authority. Default: $" + CA_VARIABLE + ".", "--ca"));
    }

    private static CommandSpec events() {
        Action action = OperatorCommands::listen;
        CommandSpec spec = CommandSpec.wrapWithoutInspection(action).mixinStandardHelpOptions(true);
        spec.usageMessage()
                .description("Prints what has happened. Needs role observer.")
                .sortOptions(false);
        spec.addOption(flag("Goes on with what happens from now on, until it is ended.", "-f", "--follow"));
        spec.addOption(text("SEQ", "Only those after this sequence number.", "--after"));
        addCommon(spec);
        return spec;
    }

    // ------------------------------------------------------------------ running

    private static int operate(Operation operation, CommandLine.ParseResult parsed, PrintWriter out, PrintWriter err) {
        String name = parsed.commandSpec().qualifiedName();
        Operation asked =
                operation == Operation.LSMAP && parsed.hasMatchedOption("--npiv") ? Operation.LSMAP_NPIV : operation;
        try {
            OutputForm form = form(asked, parsed);
            ApiClient.Reply reply = new ApiClient(server(parsed)).ask(asked, values(asked, parsed), basis(parsed));
            if (!reply.good()) {
                return refused(name, reply.json(), err);
            }
            List<Fields> rows = asked.changes()
                    ? List.of(reply.json().object("object"))
                    : reply.json().objects("rows");
            new Printer(out, form).rows(asked, rows, form.json() ? Printer.json(reply.json()) : "");
            return CliExit.DONE.code();
        } catch (ConfigException e) {
            err.println(name + ": " + e.getMessage());
            err.println("Try '" + name + " --help'.");
            return CliExit.USAGE.code();
        } catch (IOException e) {
            err.println(name + ": " + e.getMessage());
            return CliExit.UNREACHABLE.code();
        }
    }

    private static int refused(String name, Fields error, PrintWriter err) {
        String message = error.text("message").replaceAll("\\p{Cntrl}", "?");
        String advice = error.text("advice").replaceAll("\\p{Cntrl}", "?");
        err.println(name + ": " + (message.isEmpty() ? "the server refused it, and did not say why" : message));
        if (!advice.isEmpty()) {
            err.println("  → " + advice);
        }
        return CliExit.ofError(error.text("error")).code();
    }

    private static int listen(CommandLine.ParseResult parsed, PrintWriter out, PrintWriter err) {
        String name = parsed.commandSpec().qualifiedName();
        try {
            OutputForm form = form(null, parsed);
            ApiClient client = new ApiClient(server(parsed));
            boolean follow = parsed.hasMatchedOption("--follow");
            long after = number("--after", parsed.matchedOptionValue("--after", "0"));
            ApiClient.Reply status = client.ask(Operation.STATUS, Map.of(), OptionalLong.empty());
            if (!status.good()) {
                return refused(name, status.json(), err);
            }
            List<Fields> rows = status.json().objects("rows");
            long latest = rows.isEmpty() ? 0 : rows.get(0).number("latestEvent");
            long kept = rows.isEmpty() ? 0 : rows.get(0).number("keptEvents");
            if (!follow && (after >= latest || kept == 0)) {
                return CliExit.DONE.code();
            }
            Printer printer = new Printer(out, form);
            client.events(after, (type, event) -> {
                if (type.equals("gap")) {
                    if (after > 0) {
                        err.println(name + ": some events after " + after + " are not kept any more");
                    }
                    return true;
                }
                printer.event(event);
                return follow || event.number("seq") < latest;
            });
            if (follow) {
                err.println(name + ": the server has closed the stream");
                return CliExit.UNREACHABLE.code();
            }
            return CliExit.DONE.code();
        } catch (ConfigException e) {
            err.println(name + ": " + e.getMessage());
            return CliExit.USAGE.code();
        } catch (IOException e) {
            err.println(name + ": " + e.getMessage());
            return CliExit.UNREACHABLE.code();
        }
    }

    private static OutputForm form(@Nullable Operation operation, CommandLine.ParseResult parsed)
            throws ConfigException {
        String format = parsed.matchedOptionValue("--format", "table");
        if (!format.equals("table") && !format.equals("json")) {
            throw new ConfigException("format '" + format + "' is neither table nor json");
        }
        String field = parsed.matchedOptionValue("--field", "");
        List<String> fields = field.isEmpty() ? List.of() : List.of(field.split("[, ]+", -1));
        if (operation != null) {
            List<String> known = RowJson.fields(operation.answer());
            for (String one : fields) {
                if (!known.contains(one)) {
                    throw new ConfigException("there is no field '" + one + "'; there are " + String.join(", ", known));
                }
            }
        }
        String delimiter = parsed.matchedOptionValue("--fmt", null);
        boolean colours = isTerminal() && System.getenv("NO_COLOR") == null;
        return new OutputForm(format.equals("json"), delimiter, fields, colours);
    }

    /** Not by System.console: from Java 22 on there is one although output goes to a file. */
    private static boolean isTerminal() {
        try {
            return TERMINAL.matcher(Files.readSymbolicLink(STANDARD_OUTPUT).toString())
                    .matches();
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    private static OptionalLong basis(CommandLine.ParseResult parsed) throws ConfigException {
        if (!parsed.commandSpec().optionsMap().containsKey("--if-version")
                || !parsed.hasMatchedOption("--if-version")) {
            return OptionalLong.empty();
        }
        return OptionalLong.of(number("--if-version", parsed.matchedOptionValue("--if-version", "")));
    }

    private static long number(String option, String text) throws ConfigException {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new ConfigException(option + " '" + text + "' is not a number");
        }
    }

    private static Map<String, Object> values(Operation operation, CommandLine.ParseResult parsed)
            throws ConfigException, IOException {
        Shape shape = Shape.of(operation);
        Map<String, Object> values = new LinkedHashMap<>();
        int index = 0;
        for (Shape.Field field : shape.places()) {
            String text = parsed.matchedPositionalValue(index++, null);
            if (text != null) {
                values.put(field.name(), value(field, text));
            }
        }
        for (Shape.Field field : shape.options()) {
            if (parsed.hasMatchedOption(field.option())) {
                switch (field.kind()) {
                    case FLAG -> values.put(field.name(), true);
                    case LIST -> values.put(field.name(), parsed.matchedOptionValue(field.option(), List.of()));
                    default -> values.put(field.name(), value(field, parsed.matchedOptionValue(field.option(), "")));
                }
            }
        }
        return values;
    }

    private static Object value(Shape.Field field, String text) throws ConfigException, IOException {
        return switch (field.param().form()) {
            case SIZE -> ByteSize.parse(text);
            case SECRET -> secret(text);
            default -> text;
        };
    }

    /** A secret on the command line would stand in the list of processes. */
    private static String secret(String file) throws ConfigException {
        try {
            byte[] bytes =
                    file.equals("-") ? System.in.readNBytes(MAX_SECRET_FILE_BYTES) : Files.readAllBytes(Path.of(file));
            return new String(bytes, StandardCharsets.UTF_8).replaceFirst("\\r?\\n$", "");
        } catch (IOException e) {
            throw new ConfigException("file '" + file + "' cannot be read: " + Unreadable.inWords(e)
                    + "; the option names a file, not the secret");
        }
    }

    private static ServerAddress server(CommandLine.ParseResult parsed) throws ConfigException, IOException {
        String remote = setting(parsed, "--server", SERVER_VARIABLE);
        String socket = parsed.matchedOptionValue("--socket", "");
        if (remote.isEmpty() || !socket.isEmpty()) {
            String given = socket.isEmpty() ? setting(parsed, "--socket", SOCKET_VARIABLE) : socket;
            return ServerAddress.local(given.isEmpty() ? USUAL_SOCKET : Path.of(given));
        }
        String token = setting(parsed, "--token-file", TOKEN_VARIABLE);
        if (token.isEmpty()) {
            throw new ConfigException(
                    "--server needs --token-file ('holdfast token create' on the server makes a token)");
        }
        String ca = setting(parsed, "--ca", CA_VARIABLE);
        try {
            return ServerAddress.remote(
                    Addresses.parse("server", remote), secret(token), ca.isEmpty() ? null : Path.of(ca));
        } catch (AddressException e) {
            throw new ConfigException("" + e.getMessage());
        }
    }

    private static String setting(CommandLine.ParseResult parsed, String option, String variable) {
        String inEnvironment = System.getenv(variable);
        return parsed.matchedOptionValue(option, inEnvironment == null ? "" : inEnvironment);
    }
}
