package io.holdfast.management;

import io.holdfast.management.config.ConfigException;
import io.holdfast.management.config.Export;
import io.holdfast.management.config.ExportAttribute;
import io.holdfast.management.config.ServeConfigFile;
import io.holdfast.management.config.ServeRequest;
import io.holdfast.management.config.ServeSetting;
import io.holdfast.management.systemd.HangUp;
import io.holdfast.management.systemd.PassedPorts;
import io.holdfast.management.systemd.ServiceManager;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code holdfast serve}: serves files as iSCSI disks until it is told to stop. */
final class ServeCommand implements Command {
    private static final String EXPORT = "--export";
    private static final String CONFIG = "--config";
    /**
     * After a restart guests wait to log in, and each of them costs the server code that runs for the first time. What can
     * wait longer than they can waits.
     */
    private static final Duration GUESTS_FIRST = Duration.ofSeconds(1);

    @Override
    public String name() {
        return "serve";
    }

    @Override
    public List<String> description() {
        return List.of(
                "Serves files as iSCSI disks. Prints one line per logical unit once it serves.",
                "SIGTERM stops it as planned: agents freeze their VMs first. SIGHUP reads the settings anew: exports come and"
                        + " go, sessions of the others stay, and what needs a restart is named in the log.");
    }

    @Override
    public List<Option> options() {
        List<Option> options = new ArrayList<>();
        options.add(new Option(EXPORT, "PATH[,ATTRIBUTE...]", exportHelp(), Need.OPTIONAL));
        options.add(new Option(
                CONFIG,
                "FILE",
                "Settings in TOML, the same names without dashes; options override it.",
                Need.OPTIONAL));
        for (ServeSetting setting : ServeSetting.values()) {
            String initial = setting.initial().isEmpty() ? "" : " Default: " + setting.initial() + ".";
            options.add(new Option(setting.option(), setting.label(), setting.help() + initial, Need.OPTIONAL));
        }
        return options;
    }

    private static String exportHelp() {
        StringBuilder help = new StringBuilder("A file to serve; several times for several. Attributes:");
        for (ExportAttribute attribute : ExportAttribute.values()) {
            String value = attribute.label().isEmpty() ? "" : "=" + attribute.label();
            help.append(" ").append(attribute.key()).append(value).append(": ").append(attribute.help());
        }
        return help.toString();
    }

    @Override
    public int run(Arguments arguments, PrintWriter out, PrintWriter err) {
        Logging.start();
        Preloading.begin();
        try {
            ServeRequest request = request(arguments);
            PassedPorts passed = PassedPorts.fromEnvironment();
            TargetServer server = TargetServer.start(request, passed);
            ServiceManager manager = ServiceManager.fromEnvironment();
            // Before anybody can be told that it serves, and may want it to stop.
            stopAtTheEndOf(server, manager);
            server.printTo(out);
            passed.reportUnused();
            if (!server.awaitStop(GUESTS_FIRST)) {
                server.finishStart();
                HangUp.runs(() -> reload(arguments, server, manager));
                server.openToOperators();
                // Only now: whoever waits for a started service goes on with 'holdfast lu create'.
                manager.ready(server);
                server.awaitStop();
            }
            return ExitCode.OK;
        } catch (ConfigException e) {
            err.println("holdfast serve: " + e.getMessage());
            return ExitCode.USAGE;
        } catch (IOException e) {
            err.println("holdfast serve: " + e.getMessage());
            return ExitCode.FAILED;
        } catch (LinkageError | IllegalStateException e) {
            err.println("holdfast serve: " + StartFailure.inWords(e));
            return ExitCode.FAILED;
        }
    }

    private static void stopAtTheEndOf(TargetServer server, ServiceManager manager) {
        Runnable stop = () -> {
            manager.stopping("stopping: agents freeze their VMs", server.stopLimit());
            server.stop();
        };
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(stop, "holdfast-stop"));
        } catch (IllegalStateException e) {
            // The process is ending already: a signal came while it started.
            server.stop();
        }
    }

    /** Reads the settings anew, and takes over what can change while sessions run. */
    private static void reload(Arguments arguments, TargetServer server, ServiceManager manager) {
        // Not a field: it would be made with the table of commands, before logging is set up.
        Logger log = LoggerFactory.getLogger(ServeCommand.class);
        manager.reloading();
        try {
            server.reload(request(arguments));
        } catch (ConfigException e) {
            log.error("the settings stay as they are: {}", e.getMessage());
        } catch (RuntimeException e) {
            log.error("the settings could not be taken over", e);
        } finally {
            manager.reloaded(server.status());
        }
    }

    /** What the options and the file they name ask for. */
    static ServeRequest request(Arguments arguments) throws ConfigException {
        Map<ServeSetting, List<String>> values = new EnumMap<>(ServeSetting.class);
        List<Export> exports = new ArrayList<>();
        Optional<String> file = arguments.last(CONFIG);
        if (file.isPresent()) {
            ServeConfigFile read = ServeConfigFile.read(Path.of(file.get()));
            values.putAll(read.values());
            exports.addAll(read.exports());
        }
        for (ServeSetting setting : ServeSetting.values()) {
            List<String> given = arguments.all(setting.option());
            if (!given.isEmpty()) {
                values.put(setting, given);
            }
        }
        for (String export : arguments.all(EXPORT)) {
            exports.add(Export.parse(export));
        }
        return new ServeRequest(values, exports);
    }
}
