package io.holdfast.management;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.holdfast.agent.AgentConfig;
import io.holdfast.agent.AgentConfigException;
import io.holdfast.control.ServerKnock;
import io.holdfast.management.config.ConfigException;
import io.holdfast.management.config.ServeConfig;
import io.holdfast.management.doctor.Doctor;
import io.holdfast.management.doctor.Finding;
import io.holdfast.management.doctor.Host;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** {@code holdfast doctor}: says what on this machine would hurt, and what to change. */
final class DoctorCommand implements Command {
    private static final String CONFIG = "--config";
    private static final String AGENT_CONFIG = "--agent-config";
    private static final String FORMAT = "--format";
    private static final Path SERVER_FILE = Path.of("/etc/holdfast/holdfast.toml");
    private static final Path AGENT_FILE = Path.of("/etc/holdfast/agent.toml");

    /** A server that takes longer is as good as away to a VM whose disk is there. */
    private static final int KNOCK_LIMIT_MS = 3_000;

    private final Path root;
    private final Doctor.Knock knock;

    DoctorCommand() {
        this(Path.of("/"), DoctorCommand::knock);
    }

    /**
     * @param root where {@code /proc} and {@code /etc} are
     * @param knock at the agent's servers
     */
    DoctorCommand(Path root, Doctor.Knock knock) {
        this.root = root;
        this.knock = knock;
    }

    private static String knock(InetSocketAddress server) throws IOException {
        int units = ServerKnock.at(server, "doctor", KNOCK_LIMIT_MS).units().size();
        return units + (units == 1 ? " logical unit" : " logical units");
    }

    @Override
    public String name() {
        return "doctor";
    }

    @Override
    public List<String> description() {
        return List.of(
                "Looks at this machine and says what hurts or would hurt, and what to change: Java, kernel, limits, the"
                        + " server's settings, the options of the QEMUs that run, whether the agent's servers serve, and"
                        + " VMs that are frozen. Changes nothing.",
                "As root it sees all VMs. Exit code: 0 nothing need be changed, 1 something should be, 2 wrong usage.");
    }

    @Override
    public List<Option> options() {
        return List.of(
                new Option(
                        CONFIG,
                        "FILE",
                        "The server's settings. Default: " + SERVER_FILE + ", if there is one.",
                        Need.OPTIONAL),
                new Option(
                        AGENT_CONFIG,
                        "FILE",
                        "The agent's settings. Default: " + AGENT_FILE + ", if there is one.",
                        Need.OPTIONAL),
                new Option(FORMAT, "FORMAT", "text or json. Default: text.", Need.OPTIONAL));
    }

    @Override
    public int run(Arguments arguments, PrintWriter out, PrintWriter err) {
        Logging.start();
        String format = arguments.last(FORMAT).orElse("text");
        if (!List.of("text", "json").contains(format)) {
            err.println("holdfast doctor: format '" + format + "' is neither text nor json");
            return ExitCode.USAGE;
        }
        List<Finding> findings = Doctor.look(new Host(root), () -> server(arguments), () -> agent(arguments), knock);
        if (format.equals("json")) {
            printJson(findings, out);
        } else {
            print(findings, out);
        }
        return findings.stream().allMatch(finding -> finding.level() == Finding.Level.OK)
                ? ExitCode.OK
                : ExitCode.FAILED;
    }

    private static Optional<Path> file(Arguments arguments, String option, Path usual) {
        Optional<Path> given = arguments.last(option).map(Path::of);
        return given.isPresent() || !Files.exists(usual) ? given : Optional.of(usual);
    }

    private static Optional<ServeConfig> server(Arguments arguments) throws ConfigException {
        Optional<Path> file = file(arguments, CONFIG, SERVER_FILE);
        return file.isEmpty()
                ? Optional.empty()
                : Optional.of(ServeCommand.request(
                                new Arguments(Map.of(CONFIG, List.of(file.get().toString()))))
                        .judged());
    }

    private static Optional<AgentConfig> agent(Arguments arguments) throws ConfigException {
        Optional<Path> file = file(arguments, AGENT_CONFIG, AGENT_FILE);
        try {
            return file.isEmpty()
                    ? Optional.empty()
                    : Optional.of(AgentCommand.config(
                            new Arguments(Map.of(CONFIG, List.of(file.get().toString())))));
        } catch (AgentConfigException e) {
            throw new ConfigException(file.orElseThrow() + ": " + e.getMessage());
        }
    }

    private static void print(List<Finding> findings, PrintWriter out) {
        for (Finding finding : findings) {
            out.println(
                    String.format(Locale.ROOT, "%-4s  %-14s  %s", finding.level(), finding.check(), finding.what()));
            if (!finding.advice().isEmpty()) {
                out.println(" ".repeat(22) + "→ " + finding.advice());
            }
        }
        long change = findings.stream()
                .filter(finding -> finding.level() != Finding.Level.OK)
                .count();
        out.println();
        out.println(
                change == 0 ? "Nothing need be changed." : change + " of " + findings.size() + " should be changed.");
        out.flush();
    }

    private static void printJson(List<Finding> findings, PrintWriter out) {
        List<Map<String, String>> rows = findings.stream()
                .map(finding -> Map.of(
                        "level", finding.level().name().toLowerCase(Locale.ROOT),
                        "check", finding.check(),
                        "what", finding.what(),
                        "advice", finding.advice()))
                .toList();
        try {
            out.println(new ObjectMapper()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
                    .writeValueAsString(Map.of("findings", rows)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        out.flush();
    }
}
