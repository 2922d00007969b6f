package io.holdfast.management;

import io.holdfast.agent.Agent;
import io.holdfast.agent.AgentConfig;
import io.holdfast.agent.AgentConfigException;
import io.holdfast.agent.VmConfig;
import io.holdfast.agent.watch.ProbeIdentity;
import io.holdfast.management.config.ChapFile;
import io.holdfast.management.config.ConfigException;
import io.holdfast.net.Addresses;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** {@code holdfast agent}: looks after the VMs of this host until it is told to stop. */
final class AgentCommand implements Command {
    private static final String SERVER = "--server";
    private static final String VM = "--vm";
    private static final String STATE = "--state";
    private static final String CHAP_FILE = "--chap-file";

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
                        SERVER,
                        "ADDR:PORT",
                        "The server's control port: 'holdfast serve' prints it, 3261 by default.",
                        Need.REQUIRED),
                new Option(
                        VM,
                        "NAME=QMP[,ATTRIBUTE...]",
                        "A VM, and the QMP socket its QEMU was given with -qmp; several times for several VMs. Attributes:"
                                + " portal=ADDR:PORT: where QEMU logs in (default: 127.0.0.1, from port "
                                + AgentConfig.FIRST_PORTAL_PORT + " on, in order)."
                                + " relay=auto|on|off: whether data pass through the agent (default auto: only for VMs"
                                + " whose initiator does not survive a redirect).",
                        Need.REQUIRED),
                new Option(
                        STATE,
                        "DIR",
                        "Where it is kept which VMs are frozen. Default: " + AgentConfig.DEFAULT_STATE_DIRECTORY + ".",
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
        try (Agent agent = Agent.start(config(arguments))) {
            agent.portals().forEach((vm, portal) -> out.println(print(vm, portal)));
            out.println();
            out.println(
                    "Give QEMU the portal: -drive file=iscsi://PORTAL/TARGET/LUN,format=raw,if=virtio,cache=none,werror=stop,rerror=stop");
            out.flush();
            awaitStop(agent);
            return ExitCode.OK;
        } catch (AgentConfigException | ConfigException e) {
            err.println("holdfast agent: " + e.getMessage());
            return ExitCode.USAGE;
        } catch (IOException e) {
            err.println("holdfast agent: " + e.getMessage());
            return ExitCode.FAILED;
        } catch (LinkageError | IllegalStateException e) {
            err.println("holdfast agent: " + StartFailure.inWords(e));
            return ExitCode.FAILED;
        }
    }

    private static String print(String vm, InetSocketAddress portal) {
        return "vm " + vm + ": portal " + Addresses.print(Reachable.of(portal))
                + (portal.getAddress().isAnyLocalAddress() ? " (at every address of this host)" : "");
    }

    private static AgentConfig config(Arguments arguments) throws AgentConfigException, ConfigException {
        List<VmConfig> vms = new ArrayList<>();
        for (String vm : arguments.all(VM)) {
            vms.add(VmConfig.parse(vm));
        }
        ProbeIdentity probe = ProbeIdentity.ofThisHost();
        if (arguments.last(CHAP_FILE).isPresent()) {
            probe = probe.with(
                    ChapFile.readAgent(Path.of(arguments.last(CHAP_FILE).get())));
        }
        return AgentConfig.of(
                        AgentConfig.parseAddress(SERVER, arguments.last(SERVER).orElseThrow()),
                        vms,
                        arguments.last(STATE).map(Path::of).orElse(AgentConfig.DEFAULT_STATE_DIRECTORY))
                .with(probe);
    }

    private static void awaitStop(Agent agent) {
        CountDownLatch stopped = new CountDownLatch(1);
        Thread hook = new Thread(
                () -> {
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
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
