package io.holdfast.drills;

import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Two machines with a cable between them, as network namespaces: the client host, with the agent and QEMU, and the server.
 * What goes over the cable can be lost, both ways or one, or be refused. Nothing of it is reachable from anywhere else.
 * Needs root and nftables.
 */
final class TwoHosts implements AutoCloseable {
    /** What becomes of packets between the two. */
    enum Cable {
        WHOLE(""),
        /** Nothing arrives at either end, and nobody is told. */
        CUT("add rule inet drill in drop; add rule inet drill out drop"),
        /** Requests are lost; what the server says by itself arrives. */
        DEAF_SERVER("add rule inet drill in drop"),
        /** Requests arrive; no answer does. */
        MUTE_SERVER("add rule inet drill out drop"),
        /** Every packet of a connection is answered with RST. */
        RESET("add rule inet drill in meta l4proto tcp reject with tcp reset");

        private final String rules;

        Cable(String rules) {
            this.rules = rules;
        }
    }

    private static final int NAME_BITS = 24;

    private final String client;
    private final String server;

    private TwoHosts(String id) {
        client = "hfc" + id;
        server = "hfs" + id;
    }

    static TwoHosts make() throws NotHere, InterruptedException {
        // An interface's name has 15 characters at most.
        TwoHosts hosts =
                new TwoHosts(Integer.toHexString(ThreadLocalRandom.current().nextInt(1 << NAME_BITS)));
        try {
            hosts.connect();
            return hosts;
        } catch (NotHere e) {
            hosts.close();
            throw e;
        }
    }

    private void connect() throws NotHere, InterruptedException {
        for (String name : List.of(client, server)) {
            SystemTool.require("ip", "netns", "add", name);
            SystemTool.require("ip", "-n", name, "link", "set", "lo", "up");
        }
        SystemTool.require(
                "ip", "-n", client, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", server);
        attach(client, clientHost().address());
        attach(server, serverHost().address());
        SystemTool.require(nft("add table inet drill"));
        SystemTool.require(nft("add chain inet drill in { type filter hook input priority 0; }"));
        SystemTool.require(nft("add chain inet drill out { type filter hook output priority 0; }"));
    }

    private static void attach(String name, String address) throws NotHere, InterruptedException {
        SystemTool.require("ip", "-n", name, "addr", "add", address + "/24", "dev", "eth0");
        SystemTool.require("ip", "-n", name, "link", "set", "eth0", "up");
    }

    /** Where the agent and QEMU run. */
    Host clientHost() {
        return new Host("10.254.1.1", List.of("ip", "netns", "exec", client));
    }

    Host serverHost() {
        return new Host("10.254.1.2", List.of("ip", "netns", "exec", server));
    }

    void cable(Cable cable) throws DrillFailure, InterruptedException {
        // One transaction: there is no moment in which half of it holds.
        SystemTool.insist(nft("flush chain inet drill in; flush chain inet drill out"
                + (cable.rules.isEmpty() ? "" : "; " + cable.rules)));
    }

    private String[] nft(String rules) {
        return new String[] {"ip", "netns", "exec", server, "nft", rules};
    }

    @Override
    public void close() {
        try {
            // The cable goes with them.
            SystemTool.run("ip", "netns", "del", client);
            SystemTool.run("ip", "netns", "del", server);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
