package io.holdfast.management.plane;

import io.holdfast.control.operator.ErrorCode;
import io.holdfast.npiv.AdapterId;
import io.holdfast.npiv.Client;
import io.holdfast.npiv.Fabric;
import io.holdfast.npiv.NameFormatException;
import io.holdfast.npiv.PhysicalPort;
import io.holdfast.npiv.ServerAdapter;
import io.holdfast.npiv.Wwpn;
import io.holdfast.npiv.WwpnPool;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What people call the objects of a state. */
final class Names {
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,9}");
    private static final Pattern ADAPTER = Pattern.compile("V([0-9]{1,9})-C([0-9]{1,9})", Pattern.CASE_INSENSITIVE);

    private final PlaneState state;
    private final Fabric fabric;

    Names(PlaneState state) {
        this.state = state;
        this.fabric = state.fabric();
    }

    /** By name, or else by id. */
    Client client(String text) {
        for (Client client : fabric.clients()) {
            if (client.name().equals(text)) {
                return client;
            }
        }
        if (NUMBER.matcher(text).matches()) {
            return fabric.client(Integer.parseInt(text)).orElseThrow(() -> missing("client", text, "client list"));
        }
        throw missing("client", text, "client list");
    }

    /** {@code vfchost0}, or {@code V3-C1} of an adapter that has one. */
    ServerAdapter server(String text) {
        if (ADAPTER.matcher(text).matches()) {
            AdapterId id = adapter(text);
            for (ServerAdapter server : fabric.servers()) {
                if (server.client().equals(id)) {
                    return server;
                }
            }
            throw missing("server adapter of", text, "adapter list");
        }
        int number;
        try {
            number = ServerAdapter.parse(text);
        } catch (NameFormatException e) {
            throw new Rejection(ErrorCode.BAD_VALUE, "" + e.getMessage());
        }
        for (ServerAdapter server : fabric.servers()) {
            if (server.number() == number) {
                return server;
            }
        }
        throw missing("server adapter", text, "adapter list");
    }

    /** {@code V3-C1}, or {@code vfchost0}. */
    AdapterId adapter(String text) {
        Matcher form = ADAPTER.matcher(text);
        if (!form.matches()) {
            return server(text).client();
        }
        AdapterId id = new AdapterId(Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)));
        if (fabric.adapters().stream().noneMatch(adapter -> adapter.id().equals(id))) {
            throw missing("adapter", text, "adapter list");
        }
        return id;
    }

    LuBacking lu(String name) {
        LuBacking found = state.backings().get(name);
        if (found == null) {
            throw missing("LU", name, "lu list");
        }
        return found;
    }

    StoragePool pool(@Nullable String name) {
        if (name != null) {
            StoragePool found = state.pools().get(name);
            if (found == null) {
                throw missing("pool", name, "pool list");
            }
            return found;
        }
        if (state.pools().size() == 1) {
            return state.pools().values().iterator().next();
        }
        throw new Rejection(
                ErrorCode.BAD_VALUE,
                state.pools().isEmpty() ? "there is no pool that the LU could be made in" : "there are several pools",
                state.pools().isEmpty()
                        ? "make one ('holdfast pool create NAME DIR'), or name an image with --path"
                        : "name one with --pool: "
                                + String.join(", ", state.pools().keySet()));
    }

    /** The pool of port names to use; null if there is none at all yet. */
    @Nullable
    WwpnPool wwpnPool(@Nullable String name) {
        Collection<WwpnPool> pools = fabric.pools();
        if (name == null && pools.size() > 1) {
            throw new Rejection(
                    ErrorCode.BAD_VALUE,
                    "there are several pools of port names",
                    "name one with --wwpn-pool: "
                            + String.join(
                                    ", ", pools.stream().map(WwpnPool::name).toList()));
        }
        for (WwpnPool pool : pools) {
            if (name == null || pool.name().equals(name)) {
                return pool;
            }
        }
        if (name != null) {
            throw missing("pool of port names", name, "wwpn-pool list");
        }
        return null;
    }

    /** The named port; or, if none is named, the one with the most room, or null if there is none at all. */
    @Nullable
    String port(@Nullable String name) {
        if (name != null) {
            return name;
        }
        Map<String, Integer> used = carried();
        PhysicalPort best = null;
        int bestFree = 0;
        for (PhysicalPort port : fabric.ports()) {
            int free = port.capacity() - used.getOrDefault(port.name(), 0);
            if (free > bestFree) {
                best = port;
                bestFree = free;
            }
        }
        if (best == null && !fabric.ports().isEmpty()) {
            throw new Rejection(
                    ErrorCode.LIMIT,
                    "every port carries as many adapters as it can",
                    "make one larger ('holdfast port resize NAME N'), or add one ('holdfast port add')");
        }
        return best == null ? null : best.name();
    }

    /** How many server adapters are on each port. */
    Map<String, Integer> carried() {
        Map<String, Integer> carried = new HashMap<>();
        for (ServerAdapter server : fabric.servers()) {
            if (server.port() != null) {
                carried.merge(server.port(), 1, Integer::sum);
            }
        }
        return carried;
    }

    static Wwpn wwpn(String text) {
        try {
            return Wwpn.parse(text);
        } catch (NameFormatException e) {
            throw new Rejection(ErrorCode.BAD_VALUE, "" + e.getMessage());
        }
    }

    static List<Wwpn> wwpns(List<String> texts) {
        return texts.stream().map(Names::wwpn).toList();
    }

    static Rejection missing(String kind, String name, String list) {
        return new Rejection(
                ErrorCode.NOT_FOUND,
                "there is no " + kind + " '" + name + "'",
                "'holdfast " + list + "' tells which there are");
    }
}
