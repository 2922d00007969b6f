package io.holdfast.management.plane;

import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.LoginDirectory;
import io.holdfast.npiv.PhysicalPort;
import io.holdfast.npiv.Side;
import io.holdfast.npiv.Wwpn;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What Prometheus reads: the text format, version 0.0.4, made anew for each call from the latest state and the live facts.
 * Labels are names that an operator gave, so their number is bounded by what he made.
 */
public final class MetricsPage {
    private static final String LU = "lu";

    private final StringBuilder page = new StringBuilder(4096);

    private MetricsPage() {}

    public static String of(ControlPlane plane, LiveFacts facts) {
        MetricsPage made = new MetricsPage();
        made.write(plane, facts);
        return made.page.toString();
    }

    private void write(ControlPlane plane, LiveFacts facts) {
        PlaneState state = plane.state();
        one("holdfast_state_version", "gauge", "Version of the control plane's state.", state.version());
        one(
                "holdfast_obstacles",
                "gauge",
                "What is in the way of serving everything.",
                plane.obstacles().size());
        one(
                "holdfast_lus",
                "gauge",
                "LUs of the control plane.",
                state.backings().size());
        one("holdfast_clients", "gauge", "Clients.", state.fabric().clients().size());
        one(
                "holdfast_maps",
                "gauge",
                "LUs that clients see.",
                state.fabric().maps().size());
        one("holdfast_sessions", "gauge", "iSCSI sessions.", facts.sessions().size());
        one("holdfast_logins_refused_total", "counter", "Logins refused since the start.", facts.loginsRefused());
        one(
                "holdfast_agents",
                "gauge",
                "Agents that are connected.",
                facts.agents().size());
        Map<String, Long> vms = new TreeMap<>();
        facts.vms().forEach(vm -> vms.merge(vm.state(), 1L, Long::sum));
        many("holdfast_vms", "gauge", "VMs that agents look after, by state.", "state", vms);
        byUnit(facts.units());
        byClientAndPort(plane, state, facts.sessions());
    }

    private void byUnit(Map<String, LiveFacts.Unit> units) {
        Map<String, Long> sizes = new TreeMap<>();
        Map<String, Long> served = new TreeMap<>();
        units.forEach((name, unit) -> {
            sizes.put(name, unit.sizeBytes());
            served.put(name, unit.obstacle() == null ? 1L : 0L);
        });
        many("holdfast_lu_size_bytes", "gauge", "Size of the LU.", LU, sizes);
        many("holdfast_lu_served", "gauge", "1 if the LU is served, 0 if something is in the way.", LU, served);
    }

    private void byClientAndPort(ControlPlane plane, PlaneState state, List<LiveFacts.Session> sessions) {
        LoginDirectory directory = state.directory(plane.targetPrefix());
        Map<Wwpn, String> names = new HashMap<>();
        for (ClientAdapter adapter : state.fabric().adapters()) {
            String client = state.fabric()
                    .client(adapter.id().client())
                    .map(io.holdfast.npiv.Client::name)
                    .orElse("");
            for (Side side : Side.values()) {
                names.put(adapter.pair().of(side), client);
            }
        }
        Map<String, String> ports = new HashMap<>();
        for (PhysicalPort port : state.fabric().ports()) {
            ports.put(port.location(), port.name());
        }
        Map<String, Long> byClient = new TreeMap<>();
        Map<String, Long> byPort = new TreeMap<>();
        for (LiveFacts.Session session : sessions) {
            String client =
                    directory.wwpnOf(session.initiator()).map(names::get).orElse("");
            byClient.merge(client, 1L, Long::sum);
            byPort.merge(ports.getOrDefault(session.portal(), session.portal()), 1L, Long::sum);
        }
        many("holdfast_client_sessions", "gauge", "Sessions of the client; empty for who is none.", "client", byClient);
        many("holdfast_port_sessions", "gauge", "Sessions at the port.", "port", byPort);
    }

    private void one(String name, String type, String help, long value) {
        head(name, type, help);
        page.append(name).append(' ').append(value).append('\n');
    }

    private void many(String name, String type, String help, String label, Map<String, Long> values) {
        head(name, type, help);
        values.forEach((key, value) -> page.append(name)
                .append('{')
                .append(label)
                .append("=\"")
                .append(key.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n"))
                .append("\"} ")
                .append(value)
                .append('\n'));
    }

    private void head(String name, String type, String help) {
        page.append("# HELP ").append(name).append(' ').append(help).append('\n');
        page.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }
}
