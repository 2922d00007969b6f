package io.holdfast.management.plane;

import io.holdfast.iscsi.IoKind;
import io.holdfast.iscsi.IoTotals;
import io.holdfast.npiv.ClientAdapter;
import io.holdfast.npiv.LoginDirectory;
import io.holdfast.npiv.Side;
import io.holdfast.npiv.Wwpn;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * What Prometheus reads: the text format, version 0.0.4, made anew for each call from the latest state and the live facts.
 * Labels are names that an operator gave, so their number is bounded by what he made.
 */
public final class MetricsPage {
    private static final String LU = "lu";
    private static final String CLIENT = "client";
    private static final String PORT = "port";
    private static final String COUNTER = "counter";

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
        many(
                "holdfast_logins_refused_total",
                COUNTER,
                "Logins refused since the start, by what the initiator was told.",
                "status",
                facts.loginsRefused());
        one(
                "holdfast_agents",
                "gauge",
                "Agents that are connected.",
                facts.agents().size());
        Map<String, Long> vms = new TreeMap<>();
        facts.vms().forEach(vm -> vms.merge(vm.state(), 1L, Long::sum));
        many("holdfast_vms", "gauge", "VMs that agents look after, by state.", "state", vms);
        one(
                "holdfast_vm_freezes_total",
                COUNTER,
                "How often agents have said that a VM is frozen, since the start.",
                facts.freezes());
        byUnit(facts.units());
        byClientAndPort(plane, state, facts);
        traffic(state, facts);
    }

    // ------------------------------------------------------------------ traffic

    /** What is not there any more is not told of: its name may be given to something else. */
    private void traffic(PlaneState state, LiveFacts facts) {
        LiveFacts.Traffic done = facts.traffic();
        Map<String, IoTotals> units = new TreeMap<>();
        facts.exports().forEach((uuid, name) -> put(units, name, done.units().get(uuid)));
        state.backings()
                .values()
                .forEach(lu -> put(units, lu.name(), done.units().get(lu.uuid())));
        Map<String, IoTotals> clients = new TreeMap<>();
        put(clients, "", done.clients().get(""));
        state.fabric()
                .clients()
                .forEach(client -> put(clients, client.name(), done.clients().get(client.name())));
        PortNames names = new PortNames(state.fabric().ports(), facts.boundPortals());
        Map<String, IoTotals> ports = new TreeMap<>();
        done.portals().forEach((portal, totals) -> ports.merge(named(names, portal), totals, IoTotals::plus));
        traffic("holdfast_lu", "the LU", LU, units);
        traffic("holdfast_client", "the client; empty for who is none", CLIENT, clients);
        traffic("holdfast_port", "the port", PORT, ports);
    }

    private static void put(Map<String, IoTotals> all, String name, @Nullable IoTotals done) {
        if (done != null && !done.isEmpty()) {
            all.put(name, done);
        }
    }

    /** Only what has been used: a server may have thousands of LUs that nobody has touched since the start. */
    private void traffic(String family, String of, String label, Map<String, IoTotals> all) {
        counters(
                family + "_operations_total",
                "Commands that have ended, of " + of + ".",
                label,
                all,
                IoTotals::operations);
        counters(family + "_bytes_total", "Data moved, of " + of + ".", label, all, IoTotals::bytes);
        counters(
                family + "_errors_total",
                "Commands that failed for a reason that is not the initiator's, of " + of + ".",
                label,
                all,
                IoTotals::errors);
        Map<String, Long> depths = new TreeMap<>();
        all.forEach((name, done) -> depths.put(name, done.executing()));
        many(family + "_queue_depth", "gauge", "Commands that are being carried out, of " + of + ".", label, depths);
        String latency = family + "_latency_seconds";
        head(latency, "histogram", "From a command's arrival to its answer, of " + of + ".");
        all.forEach((name, done) -> {
            for (IoKind kind : IoKind.values()) {
                if (done.operations(kind) > 0) {
                    histogram(latency, label(label, name) + ",op=\"" + kind.label() + '"', done, kind);
                }
            }
        });
    }

    private void counters(
            String name,
            String help,
            String label,
            Map<String, IoTotals> all,
            ToLongBiFunction<IoTotals, IoKind> count) {
        head(name, COUNTER, help);
        all.forEach((key, done) -> {
            for (IoKind kind : IoKind.values()) {
                if (done.operations(kind) > 0) {
                    sample(
                            name,
                            label(label, key) + ",op=\"" + kind.label() + '"',
                            Long.toString(count.applyAsLong(done, kind)));
                }
            }
        });
    }

    private void histogram(String name, String labels, IoTotals done, IoKind kind) {
        long sum = 0;
        for (int i = 0; i < IoTotals.LIMITS_US.size(); i++) {
            sum += done.inClass(kind, i);
            sample(
                    name + "_bucket",
                    labels + ",le=\"" + seconds(IoTotals.LIMITS_US.get(i), 6) + '"',
                    Long.toString(sum));
        }
        String count = Long.toString(done.operations(kind));
        sample(name + "_bucket", labels + ",le=\"+Inf\"", count);
        sample(name + "_sum", labels, seconds(done.nanos(kind), 9));
        sample(name + "_count", labels, count);
    }

    /** Never with an exponent, and no more digits than it has. */
    private static String seconds(long number, int decimals) {
        return BigDecimal.valueOf(number, decimals).stripTrailingZeros().toPlainString();
    }

    private void sample(String name, String labels, String value) {
        page.append(name).append('{').append(labels).append("} ").append(value).append('\n');
    }

    private static String label(String name, String value) {
        return name + "=\"" + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }

    private static String named(PortNames names, String portal) {
        String name = names.at(portal);
        return name == null ? portal : name;
    }

    // ------------------------------------------------------------------ what is there

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

    private void byClientAndPort(ControlPlane plane, PlaneState state, LiveFacts facts) {
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
        PortNames ports = new PortNames(state.fabric().ports(), facts.boundPortals());
        Map<String, Long> byClient = new TreeMap<>();
        Map<String, Long> byPort = new TreeMap<>();
        for (LiveFacts.Session session : facts.sessions()) {
            String client =
                    directory.wwpnOf(session.initiator()).map(names::get).orElse("");
            byClient.merge(client, 1L, Long::sum);
            byPort.merge(named(ports, session.portal()), 1L, Long::sum);
        }
        many("holdfast_client_sessions", "gauge", "Sessions of the client; empty for who is none.", CLIENT, byClient);
        many("holdfast_port_sessions", "gauge", "Sessions at the port.", PORT, byPort);
    }

    private void one(String name, String type, String help, long value) {
        head(name, type, help);
        page.append(name).append(' ').append(value).append('\n');
    }

    private void many(String name, String type, String help, String label, Map<String, Long> values) {
        head(name, type, help);
        values.forEach((key, value) -> sample(name, label(label, key), Long.toString(value)));
    }

    private void head(String name, String type, String help) {
        page.append("# HELP ").append(name).append(' ').append(help).append('\n');
        page.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }
}
