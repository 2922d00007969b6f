package io.holdfast.npiv;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who may log in where, and what they see then: a {@link Fabric} made ready for look-ups. To be made anew for each
 * version.
 *
 * <p>A denial takes the same steps whatever its reason: each name is normalised once and looked up once, a decoy stands in
 * for what is not found, and every rule is checked. So the time it takes does not tell whether a target exists.
 *
 * <p>Immutable.
 */
public final class LoginDirectory {
    private static final ClientAdapter NO_ADAPTER = new ClientAdapter(
            new AdapterId(0, 0), "", new WwpnPrefix("3".repeat(WwpnPrefix.MAX_DIGITS)).pair(0), Side.FIRST, 0);
    private static final Client NO_CLIENT = new Client(0, "", ClientKind.VM, Migration.SETTLED, 0, 0, 0);
    private static final Holder NOBODY = new Holder(NO_CLIENT, NO_ADAPTER, Side.FIRST);
    private static final ServerAdapter NO_SERVER = new ServerAdapter(-1, new AdapterId(-1, -1), null, 0);

    /** Who has a name. */
    private record Holder(Client client, ClientAdapter adapter, Side side) {
        Wwpn wwpn() {
            return adapter.pair().of(side);
        }

        boolean isNobody() {
            return client.id() == NO_CLIENT.id();
        }
    }

    private final Fabric fabric;
    private final String targetPrefix;
    private final Zoning zoning;
    /** By normalised initiator name: naa. and eui. names of every port name, and those bound to one. */
    private final Map<String, Holder> holders = new HashMap<>();

    private final Map<Wwpn, Holder> byWwpn = new HashMap<>();
    private final Map<String, ServerAdapter> servers = new HashMap<>();
    private final Map<AdapterId, ServerAdapter> serverOf = new HashMap<>();

    /** @param targetPrefix what target names have before {@code vfchostN} */
    public LoginDirectory(Fabric fabric, String targetPrefix) {
        this.fabric = fabric;
        this.targetPrefix = InitiatorName.normalise(targetPrefix);
        this.zoning = new Zoning(fabric.zones(), fabric.zonePolicy().others());
        for (ClientAdapter adapter : fabric.adapters()) {
            Client client = fabric.client(adapter.id().client()).orElseThrow();
            for (Side side : Side.values()) {
                Holder holder = new Holder(client, adapter, side);
                byWwpn.put(holder.wwpn(), holder);
                holders.put(holder.wwpn().naaName(), holder);
                holders.put(holder.wwpn().euiName(), holder);
            }
        }
        for (InitiatorBinding binding : fabric.initiators()) {
            holders.put(binding.initiator(), Objects.requireNonNull(byWwpn.get(binding.wwpn())));
        }
        for (ServerAdapter server : fabric.servers()) {
            servers.put(targetName(server), server);
            serverOf.put(server.client(), server);
        }
    }

    /** The name of the target that a server adapter is. */
    public String targetName(ServerAdapter server) {
        return targetPrefix + server.name();
    }

    /** The port name that an initiator name stands for. */
    public Optional<Wwpn> wwpnOf(String initiator) {
        return Optional.ofNullable(holders.get(InitiatorName.normalise(initiator)))
                .map(Holder::wwpn);
    }

    /** The client, by id, whom an initiator name stands for. */
    public Optional<Integer> clientOf(String initiator) {
        return Optional.ofNullable(holders.get(InitiatorName.normalise(initiator)))
                .map(holder -> holder.client().id());
    }

    /** The name of the client whom an initiator name stands for; empty for nobody. */
    public String clientName(String initiator) {
        Holder holder = holders.getOrDefault(InitiatorName.normalise(initiator), NOBODY);
        return holder.client().name();
    }

    /** The client, by id, who has a port name. */
    public Optional<Integer> clientOf(Wwpn name) {
        return Optional.ofNullable(byWwpn.get(name))
                .map(holder -> holder.client().id());
    }

    /**
     * May this login go on?
     *
     * @param seats the host from which each port name is logged in at present. A name may come again from there (a second
     *     path, or a reconnect that overtakes the news that the old connection broke), and from elsewhere only once the
     *     seat is empty
     */
    public LoginDecision judge(LoginAttempt attempt, Map<Wwpn, String> seats) {
        Holder holder = holders.getOrDefault(InitiatorName.normalise(attempt.initiator()), NOBODY);
        ServerAdapter server = servers.getOrDefault(InitiatorName.normalise(attempt.target()), NO_SERVER);
        LoginRight right = LoginRight.of(holder.client(), holder.adapter(), holder.side());
        String seat = seats.getOrDefault(holder.wwpn(), attempt.from());
        // The last rule first, so that the first that is broken has the word. All are checked, none ends the search.
        Denial first = broken(!seat.equals(attempt.from()), Denial.LOGGED_IN_ELSEWHERE, null);
        first = broken(right == LoginRight.NONE, Denial.NOT_ACTIVE, first);
        first = broken(!zoning.allows(holder.wwpn(), attempt.port()), Denial.NOT_ZONED, first);
        first = broken(!attempt.port().equals(server.port()), Denial.OTHER_PORT, first);
        first = broken(!server.client().equals(holder.adapter().id()), Denial.FOREIGN_TARGET, first);
        first = broken(server.number() == NO_SERVER.number(), Denial.UNKNOWN_TARGET, first);
        first = broken(holder.isNobody(), Denial.UNKNOWN_INITIATOR, first);
        if (first != null) {
            return new LoginDecision.Denied(first, attempt);
        }
        List<LuMap> units = List.copyOf(fabric.mapsOf(holder.client().id()));
        return new LoginDecision.Granted(holder.wwpn(), holder.client(), server, right, units);
    }

    private static @Nullable Denial broken(boolean rule, Denial reason, @Nullable Denial soFar) {
        return rule ? reason : soFar;
    }

    /** The targets that discovery at a port shows an initiator: its own one there, or none. */
    public List<ServerAdapter> visibleTo(String initiator, String port) {
        Holder holder = holders.getOrDefault(InitiatorName.normalise(initiator), NOBODY);
        ServerAdapter server = serverOf.getOrDefault(holder.adapter().id(), NO_SERVER);
        LoginRight right = LoginRight.of(holder.client(), holder.adapter(), holder.side());
        boolean here = port.equals(server.port());
        boolean zoned = zoning.allows(holder.wwpn(), port);
        return here && zoned && right != LoginRight.NONE ? List.of(server) : List.of();
    }

    /**
     * What this port name may do at present at the physical port its server adapter is assigned to. Sessions of names that
     * have {@link LoginRight#NONE} must end.
     */
    public LoginRight rightOf(Wwpn name) {
        Holder holder = byWwpn.getOrDefault(name, NOBODY);
        ServerAdapter server = serverOf.getOrDefault(holder.adapter().id(), NO_SERVER);
        String port = server.port();
        if (holder.isNobody() || port == null || !zoning.allows(name, port)) {
            return LoginRight.NONE;
        }
        return LoginRight.of(holder.client(), holder.adapter(), holder.side());
    }

    /** What it answers from. */
    Fabric fabric() {
        return fabric;
    }

    /** The physical port at which this port name's target is; null for none. */
    @Nullable
    String portOf(Wwpn name) {
        Holder holder = byWwpn.getOrDefault(name, NOBODY);
        return serverOf.getOrDefault(holder.adapter().id(), NO_SERVER).port();
    }

    /** What the client of a target sees there; nothing if there is no such target. */
    public List<LuMap> unitsAt(String target) {
        ServerAdapter server = servers.getOrDefault(InitiatorName.normalise(target), NO_SERVER);
        return List.copyOf(fabric.mapsOf(server.client().client()));
    }

    /** What this port name sees, by LUN. */
    public List<LuMap> unitsOf(Wwpn name) {
        Holder holder = byWwpn.getOrDefault(name, NOBODY);
        return List.copyOf(fabric.mapsOf(holder.client().id()));
    }
}
