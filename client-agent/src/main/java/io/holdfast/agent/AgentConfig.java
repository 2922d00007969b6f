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
 * @param servers where the servers' control connections listen; at least one
 * @param vms at least one; names, QMP sockets and explicit portals differ
 * @param probe who it is when it looks whether the server serves
 * @param stateDirectory where the records are kept; made if it is missing
 */
public record AgentConfig(
        String name,
        List<InetSocketAddress> servers,
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

    /** Each has a connection of its own that is looked after. */
    public static final int MAX_SERVERS = 32;

    public AgentConfig {
        servers = List.copyOf(servers);
        vms = List.copyOf(vms);
    }

    /** With the usual settings. */
    public static AgentConfig of(InetSocketAddress server, List<VmConfig> vms, Path stateDirectory) {
        return of(List.of(server), vms, stateDirectory);
    }

    /** The same for VMs with disks at several servers. */
    public static AgentConfig of(List<InetSocketAddress> servers, List<VmConfig> vms, Path stateDirectory) {
        return new AgentConfig(
                "agent-" + ProcessHandle.current().pid(),
                servers,
                vms,
                stateDirectory,
                ProbeIdentity.ofThisHost(),
                WatchSettings.DEFAULT,
                ControlSettings.DEFAULT,
                PortalLimits.DEFAULT);
    }

    /** The same with another identity of the probes. */
    public AgentConfig with(ProbeIdentity identity) {
        return new AgentConfig(name, servers, vms, stateDirectory, identity, watch, control, portals);
    }

    /** The same with other times of the watch. */
    public AgentConfig with(WatchSettings settings) {
        return new AgentConfig(name, servers, vms, stateDirectory, probe, settings, control, portals);
    }

    /** @throws AgentConfigException if the values contradict each other */
    void check() throws AgentConfigException {
        if (servers.isEmpty() || servers.size() > MAX_SERVERS) {
            throw new AgentConfigException(servers.size() + " servers are given; 1 to " + MAX_SERVERS + " are allowed");
        }
        if (new HashSet<>(servers).size() < servers.size()) {
            throw new AgentConfigException("a server is given twice: " + servers);
        }
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
     * Where VMs' portals listen.
     *
     * @param what the setting, for the message
     * @throws AgentConfigException if it is not {@code ADDR:PORT}
     */
    static InetSocketAddress portal(String what, String text) throws AgentConfigException {
        return address(what, text, FIRST_PORTAL_PORT);
    }

    /**
     * Where a server's control connection listens.
     *
     * @param what the setting, for the message
     * @throws AgentConfigException if it is not {@code ADDR:PORT}
     */
    public static InetSocketAddress server(String what, String text) throws AgentConfigException {
        return address(what, text, ControlSettings.USUAL_PORT);
    }

    private static InetSocketAddress address(String what, String text, int usualPort) throws AgentConfigException {
        try {
            return Addresses.parse(what, text, usualPort);
        } catch (AddressException e) {
            throw new AgentConfigException("" + e.getMessage(), e);
        }
    }
}
