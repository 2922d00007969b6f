package io.holdfast.management.doctor;

import io.holdfast.agent.AgentConfig;
import io.holdfast.management.config.ConfigException;
import io.holdfast.management.config.ServeConfig;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** All looks at a machine, one after the other. */
public final class Doctor {
    private Doctor() {}

    /** Reads settings; what is wrong with them is a finding. */
    @FunctionalInterface
    public interface Settings<T> {
        /** Empty if there are none on this machine. */
        Optional<T> read() throws ConfigException;
    }

    /** Asks whether somebody serves at a control port. */
    @FunctionalInterface
    public interface Knock {
        /**
         * @return what is served, in words
         * @throws IOException saying why nobody serves
         */
        String at(InetSocketAddress server) throws IOException;
    }

    /**
     * Looks.
     *
     * @param server settings of the server
     * @param agent settings of the agent
     * @param knock at the agent's servers
     */
    public static List<Finding> look(
            Host host, Settings<ServeConfig> server, Settings<AgentConfig> agent, Knock knock) {
        List<Finding> findings = new ArrayList<>();
        Optional<ServeConfig> serve = read(server, findings);
        Optional<AgentConfig> watch = read(agent, findings);
        findings.addAll(
                0,
                MachineChecks.of(
                        host, serve.filter(config -> config.io().equals("ring")).isPresent()));
        serve.ifPresent(config -> findings.addAll(ServerChecks.of(host, config)));
        findings.addAll(VmChecks.of(host, watch));
        watch.ifPresent(config -> findings.addAll(LiveChecks.of(host, config, knock)));
        return findings;
    }

    private static <T> Optional<T> read(Settings<T> settings, List<Finding> findings) {
        try {
            return settings.read();
        } catch (ConfigException e) {
            findings.add(Finding.fail("settings", "" + e.getMessage(), "correct it"));
            return Optional.empty();
        }
    }
}
