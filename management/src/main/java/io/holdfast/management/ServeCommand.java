package io.holdfast.management;

import io.holdfast.management.config.ConfigException;
import io.holdfast.management.config.Export;
import io.holdfast.management.config.ExportAttribute;
import io.holdfast.management.config.ServeConfig;
import io.holdfast.management.config.ServeConfigFile;
import io.holdfast.management.config.ServeSetting;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** {@code holdfast serve}: serves files as iSCSI disks until it is told to stop. */
final class ServeCommand implements Main.Command {
    private static final String EXPORT = "--export";
    private static final String CONFIG = "--config";

    private ServeCommand() {}

    static CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(new ServeCommand()).mixinStandardHelpOptions(true);
        spec.usageMessage()
                .description(
                        "Serves files as iSCSI disks. Prints one line per logical unit once it serves.",
                        "SIGTERM stops it as planned: agents freeze their VMs first.");
        spec.addOption(OptionSpec.builder(EXPORT)
                .paramLabel("PATH[,ATTRIBUTE...]")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .arity("1")
                .description("A file to serve; several times for several. Attributes: " + attributes())
                .build());
        spec.addOption(OptionSpec.builder(CONFIG)
                .paramLabel("FILE")
                .type(String.class)
                .description("Settings in TOML, the same names without dashes; options override it.")
                .build());
        for (ServeSetting setting : ServeSetting.values()) {
            String initial = setting.initial().isEmpty() ? "" : " Default: " + setting.initial() + ".";
            spec.addOption(OptionSpec.builder(setting.option())
                    .paramLabel(setting.label())
                    .type(List.class)
                    .auxiliaryTypes(String.class)
                    .arity("1")
                    .description(setting.help() + initial)
                    .build());
        }
        return spec;
    }

    private static String attributes() {
        return Arrays.stream(ExportAttribute.values())
                .map(a -> a.key() + (a.label().isEmpty() ? "" : "=" + a.label()) + " - " + a.help())
                .collect(Collectors.joining(" "));
    }

    @Override
    public int run(CommandLine.ParseResult parsed) {
        PrintWriter out = parsed.commandSpec().commandLine().getOut();
        PrintWriter err = parsed.commandSpec().commandLine().getErr();
        Logging.start();
        try {
            TargetServer server = TargetServer.start(config(parsed));
            server.printTo(out);
            Runtime.getRuntime().addShutdownHook(new Thread(server::stop, "holdfast-stop"));
            server.finishStart();
            server.awaitStop();
            return ExitCode.OK;
        } catch (ConfigException e) {
            err.println("holdfast serve: " + e.getMessage());
            return ExitCode.USAGE;
        } catch (IOException e) {
            err.println("holdfast serve: " + e.getMessage());
            return ExitCode.FAILED;
        }
    }

    private static ServeConfig config(CommandLine.ParseResult parsed) throws ConfigException {
        Map<ServeSetting, List<String>> values = new EnumMap<>(ServeSetting.class);
        List<Export> exports = new ArrayList<>();
        String file = parsed.matchedOptionValue(CONFIG, "");
        if (!file.isEmpty()) {
            ServeConfigFile read = ServeConfigFile.read(Path.of(file));
            values.putAll(read.values());
            exports.addAll(read.exports());
        }
        for (ServeSetting setting : ServeSetting.values()) {
            List<String> given = parsed.matchedOptionValue(setting.option(), List.of());
            if (!given.isEmpty()) {
                values.put(setting, given);
            }
        }
        for (String export : parsed.matchedOptionValue(EXPORT, List.<String>of())) {
            exports.add(Export.parse(export));
        }
        return ServeConfig.of(values, exports);
    }
}
