package io.holdfast.management;

import io.holdfast.agent.Agent;
import io.holdfast.agent.AgentConfig;
import io.holdfast.agent.AgentConfigException;
import io.holdfast.agent.AgentListener;
import io.holdfast.agent.OutageReports;
import io.holdfast.agent.VmConfig;
import io.holdfast.agent.watch.ProbeIdentity;
import io.holdfast.agent.watch.WatchSettings;
import io.holdfast.management.config.AgentConfigFile;
import io.holdfast.management.config.ChapFile;
import io.holdfast.management.config.ConfigException;
import io.holdfast.management.systemd.PassedPorts;
import io.holdfast.management.systemd.ServiceManager;
import io.holdfast.net.Addresses;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/** {@code holdfast agent}: looks after the VMs of this host until it is told to stop. */
final class AgentCommand implements Command {
    private static final AgentConfigFile EMPTY = new AgentConfigFile(Map.of(), List.of());
    private static final String CONFIG = "--config";
    private static final String SERVER = "--server";
    private static final String VM = "--vm";
    private static final String STATE = "--state";
    private static final String REPORTS = "--reports";
    private static final String READ_EVERY = "--read-every";
    private static final String CHAP_FILE = "--chap-file";
    /** Closing takes milliseconds; a loaded machine is given more. */
    private static final Duration STOP_LIMIT = Duration.ofSeconds(15);

    private static final int MIN_READ_EVERY_MS = 100;
    private static final int MAX_READ_EVERY_MS = 60_000;

    @Override
    public String name() {
        return "agent";
    }

    @Override
    public List<String> description() {
        return List.of(
                "Freezes VMs when their server goes away, and thaws them when it serves again. Prints the portal that each"
                        + " VM's QEMU is to be given.",
                "Stopping the agent leaves VMs as they are; the next one with the same state goes on with them.");
    }

    @Override
    public List<Option> options() {
        return List.of(
                new Option(
                        CONFIG,
                        "FILE",
                        "Settings in TOML, the same names without dashes, server as a list where there are several; and for"
                                + " each VM a [[vm]] with name, qmp and attributes, on as a list. Options override it; VMs"
                                + " of both are looked after.",
                        Need.OPTIONAL),
                new Option(
                        SERVER,
                        "ADDR:PORT",
                        "The server's control port: 'holdfast serve' prints it, 3261 by default. Several times for VMs"
                                + " with disks at several servers. Needed, here or in the file.",
                        Need.OPTIONAL),
                new Option(
                        VM,
                        "NAME=QMP[,ATTRIBUTE...]",
                        "A VM, and the QMP socket its QEMU was given with -qmp; several times for several VMs. Attributes:"
                                + " portal=ADDR:PORT: where QEMU logs in (default: 127.0.0.1, from port "
                                + AgentConfig.FIRST_PORTAL_PORT + " on, in order)."
                                + " relay=auto|on|off: whether data pass through the agent (default auto: only for VMs"
                                + " whose initiator does not survive a redirect). priority=N: the larger, the earlier it is"
                                + " thawed (0 to 1000, default 0). on=EVENT:ACTION: what is done on an event, whatever"
                                + " operators of the server say, several times (docs/reference/events.md)."
                                + " limit=SECONDS[:alert|power-off|hook]: what is done when it has been frozen so long."
                                + " hook=PROGRAM. ga=SOCKET: its QEMU guest agent, which sets its clock after a thaw."
                                + " events=SOCKET: its port for the guest's own wishes.",
                        Need.OPTIONAL),
                new Option(
                        STATE,
                        "DIR",
                        "Where it is kept which VMs are frozen. Default: " + AgentConfig.DEFAULT_STATE_DIRECTORY + ".",
                        Need.OPTIONAL),
                new Option(
                        REPORTS,
                        "DIR",
                        "Where a report of each outage is written, as text and as a picture (SVG); the last 200 are kept."
                                + " Without it none is.",
                        Need.OPTIONAL),
                new Option(
                        READ_EVERY,
                        "MS",
                        "How often a block of a disk in use is read, to notice a server whose data path hangs although"
                                + " its heart beats: 100 to 60000, 0 never. Default: 500.",
                        Need.OPTIONAL),
                new Option(
                        CHAP_FILE,
                        "FILE",
                        "The agent's own CHAP account, for servers that ask for one: a file as the server's, with one"
                                + " account, readable by its user only.",
                        Need.OPTIONAL));
    }

    @Override
    public int run(Arguments arguments, PrintWriter out, PrintWriter err) {
        Logging.start();
        try {
            AgentConfigFile file = file(arguments);
            AgentConfig config = config(arguments, file);
            PassedPorts passed = PassedPorts.fromEnvironment();
            return run(Agent.start(config, reports(setting(arguments, file, REPORTS)), passed::take), passed, out);
        } catch (AgentConfigException | ConfigException e) {
            err.println("holdfast agent: " + e.getMessage());
            return ExitCode.USAGE;
        } catch (IOException e) {
            err.println("holdfast agent: " + e.getMessage());
            return ExitCode.FAILED;
        } catch (LinkageError | IllegalStateException | IllegalArgumentException e) {
            err.println("holdfast agent: " + StartFailure.inWords(e));
            return ExitCode.FAILED;
        }
    }

    private static AgentListener reports(Optional<String> wanted) {
        return wanted.<AgentListener>map(folder -> new OutageReports(
                        Path.of(folder),
                        Executors.newSingleThreadExecutor(task -> {
                            Thread thread = new Thread(task, "holdfast-reports");
                            thread.setDaemon(true);
                            return thread;
                        }),
                        System::currentTimeMillis))
                .orElse(AgentListener.NONE);
    }

    private static int run(Agent started, PassedPorts passed, PrintWriter out) {
        try (Agent agent = started;
                ServiceManager manager = ServiceManager.fromEnvironment()) {
            agent.portals().forEach((vm, portal) -> out.println(print(vm, portal)));
            out.println();
            out.println(
                    "Give QEMU the portal: -drive file=iscsi://PORTAL/TARGET/LUN,format=raw,if=virtio,cache=none,werror=stop,rerror=stop");
            out.flush();
            passed.reportUnused();
            manager.ready(new AgentService(agent));
            awaitStop(agent, manager);
            return ExitCode.OK;
        }
    }

    private static String print(String vm, InetSocketAddress portal) {
        return "vm " + vm + ": portal " + Addresses.print(Reachable.of(portal))
                + (portal.getAddress().isAnyLocalAddress() ? " (at every address of this host)" : "");
    }

    /** What the options and the file they name ask for. */
    static AgentConfig config(Arguments arguments) throws AgentConfigException, ConfigException {
        return config(arguments, file(arguments));
    }

    private static AgentConfigFile file(Arguments arguments) throws ConfigException {
        Optional<String> named = arguments.last(CONFIG);
        return named.isPresent() ? AgentConfigFile.read(Path.of(named.get())) : EMPTY;
    }

    private static AgentConfig config(Arguments arguments, AgentConfigFile file)
            throws AgentConfigException, ConfigException {
        List<VmConfig> vms = new ArrayList<>();
        for (String vm : file.vms()) {
            vms.add(VmConfig.parse(vm));
        }
        for (String vm : arguments.all(VM)) {
            vms.add(VmConfig.parse(vm));
        }
        List<InetSocketAddress> servers = new ArrayList<>();
        List<String> given = arguments.all(SERVER);
        for (String server : given.isEmpty() ? file.all("server") : given) {
            servers.add(AgentConfig.server(SERVER, server));
        }
        WatchSettings watch = WatchSettings.DEFAULT;
        Optional<String> readEvery = setting(arguments, file, READ_EVERY);
        if (readEvery.isPresent()) {
            watch = watch.readEvery(readEveryMs(readEvery.get()));
        }
        ProbeIdentity probe = ProbeIdentity.ofThisHost();
        Optional<String> chap = setting(arguments, file, CHAP_FILE);
        if (chap.isPresent()) {
            probe = probe.with(ChapFile.readAgent(Path.of(chap.get())));
        }
        if (servers.isEmpty()) {
            throw new ConfigException("no server: give --server ADDR:PORT, or server in the configuration file");
        }
        return AgentConfig.of(
                        servers,
                        vms,
                        setting(arguments, file, STATE).map(Path::of).orElse(AgentConfig.DEFAULT_STATE_DIRECTORY))
                .with(probe)
                .with(watch);
    }

    private static int readEveryMs(String text) throws AgentConfigException {
        try {
            int ms = Integer.parseInt(text);
            if (ms == 0 || ms >= MIN_READ_EVERY_MS && ms <= MAX_READ_EVERY_MS) {
                return ms;
            }
        } catch (NumberFormatException e) {
            // Told below, like a number out of range.
        }
        throw new AgentConfigException(READ_EVERY + " " + text + ": 0, or milliseconds from " + MIN_READ_EVERY_MS
                + " to " + MAX_READ_EVERY_MS + ", are allowed");
    }

    /** The option, or the file's key of the same name. */
    private static Optional<String> setting(Arguments arguments, AgentConfigFile file, String option) {
        return arguments.last(option).or(() -> file.value(option.substring("--".length())));
    }

    private static void awaitStop(Agent agent, ServiceManager manager) {
        CountDownLatch stopped = new CountDownLatch(1);
        Thread hook = new Thread(
                () -> {
                    manager.stopping("stopping: VMs stay as they are", STOP_LIMIT);
                    agent.close();
                    stopped.countDown();
                },
                "holdfast-stop");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending already: a signal came while it started. The caller closes the agent.
            return;
        }
        LockedMemory.keep();
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
