package io.holdfast.agent.watch;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Optional;

/**
 * Who the agent's probes are towards a server.
 *
 * @param initiatorName of its own for each agent: servers hold back an initiator's writes until those of its older sessions
 *     have ended, and no agent shall wait for another
 * @param chap what it proves itself with where it is asked
 */
public record ProbeIdentity(String initiatorName, Optional<ChapCredentials> chap) {
    private static final String PREFIX = "iqn.2026-11.io.holdfast:agent";

    /** Named after this host, without credentials. */
    public static ProbeIdentity ofThisHost() {
        return new ProbeIdentity(PREFIX + "." + hostName(), Optional.empty());
    }

    /** Whether an initiator is an agent, by its name. */
    public static boolean isAgent(String initiatorName) {
        return initiatorName.startsWith(PREFIX + ".");
    }

    public ProbeIdentity with(ChapCredentials credentials) {
        return new ProbeIdentity(initiatorName, Optional.of(credentials));
    }

    private static String hostName() {
        try {
            String name = InetAddress.getLocalHost().getHostName().toLowerCase(Locale.ROOT);
            return name.replaceAll("[^a-z0-9.-]", "-");
        } catch (UnknownHostException e) {
            return "unnamed";
        }
    }
}
