package io.holdfast.agent;

import io.holdfast.agent.portal.PortalLimits;
import io.holdfast.agent.watch.ProbeIdentity;
import io.holdfast.agent.watch.WatchSettings;
import io.holdfast.control.ControlSettings;
import io.holdfast.net.AddressException;
import io.holdfast.net.Addresses;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * All that an agent is told.
 *
 * @param name the agent's, for people
 * @param server where the server's control connection listens
 * @param vms at least one; names, QMP sockets and explicit portals differ
 * @param probe who it is when it looks whether the server serves
 * @param stateDirectory where the records are kept; made if it is missing
 */
public record AgentConfig(
        String name,
        InetSocketAddress server,
        List<VmConfig> vms,
        Path stateDirectory,
        ProbeIdentity probe,
        WatchSettings watch,
        ControlSettings control,
        PortalLimits portals) {
    /** On a file system that does not outlive the machine, like the VMs. */
    public static final Path DEFAULT_STATE_DIRECTORY = Path.of("/run/holdfast-agent");
    /** The first VM's portal; the others follow. */
    public static final int FIRST_PORTAL_PORT = 3270;
    /** Each VM has a thread and a port of its own. */
    public static final int MAX_VMS = 1_000;

    public AgentConfig {
        vms = List.copyOf(vms);
    }

    /** With the usual settings. */
    public static AgentConfig of(InetSocketAddress server, List<VmConfig> vms, Path stateDirectory) {
        return new AgentConfig(
                "agent-" + ProcessHandle.current().pid(),
                server,
                vms,
                stateDirectory,
                ProbeIdentity.ofThisHost(),
                WatchSettings.DEFAULT,
                ControlSettings.DEFAULT,
                PortalLimits.DEFAULT);
    }

    /** The same with another identity of the probes. */
    public AgentConfig with(ProbeIdentity identity) {
        return new AgentConfig(name, server, vms, stateDirectory, identity, watch, control, portals);
    }

    /** @throws AgentConfigException if the values contradict each other */
    void check() throws AgentConfigException {
        if (vms.isEmpty()) {
            throw new AgentConfigException("no VM is given; at least one is needed, as in web1=/run/web1.qmp");
        }
        if (vms.size() > MAX_VMS) {
            throw new AgentConfigException(vms.size() + " VMs are given; the limit is " + MAX_VMS);
        }
        Set<String> names = new HashSet<>();
        Set<Path> sockets = new HashSet<>();
        Set<InetSocketAddress> portals = new HashSet<>();
        for (VmConfig vm : vms) {
            if (!names.add(vm.name())) {
                throw new AgentConfigException("VM name '" + vm.name() + "' is given twice");
            }
            if (!sockets.add(vm.qmpSocket().toAbsolutePath().normalize())) {
                throw new AgentConfigException(
                        "VM '" + vm.name() + "': the QMP socket " + vm.qmpSocket() + " is given to another VM already");
            }
            if (vm.portal().isPresent()
                    && vm.portal().get().getPort() != 0
                    && !portals.add(vm.portal().get())) {
                throw new AgentConfigException("VM '" + vm.name() + "': the portal "
                        + Addresses.print(vm.portal().get()) + " is given to another VM already");
            }
        }
    }

    /**
     * The same as {@link Addresses#parse}.
     *
     * @param what the setting, for the message
     * @throws AgentConfigException if it is not that
     */
    public static InetSocketAddress parseAddress(String what, String text) throws AgentConfigException {
        try {
            return Addresses.parse(what, text);
        } catch (AddressException e) {
            throw new AgentConfigException("" + e.getMessage(), e);
        }
    }
}
