package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

/** A fabric that tests change step by step; remembers the latest one. */
final class Scene {
    static final String POOL = "blue";
    static final String PREFIX = "c05076075aac";
    static final String TARGETS = "iqn.2026-11.io.holdfast:";
    static final String HOST = "192.0.2.1";

    Fabric fabric = Fabric.EMPTY;

    /** With a pool and the port fcs0. */
    static Scene withPoolAndPort() {
        Scene scene = new Scene();
        scene.done(new PoolCommand.Create(POOL, new WwpnPrefix(PREFIX)));
        scene.done(new PortCommand.Add("fcs0", "192.0.2.9:3260", 64));
        return scene;
    }

    /** The command must succeed. */
    FabricObject done(FabricCommand command) {
        Outcome outcome = fabric.apply(command);
        assertThat(outcome).as(command.toString()).isInstanceOf(Outcome.Done.class);
        fabric = ((Outcome.Done) outcome).fabric();
        return ((Outcome.Done) outcome).objects().get(0);
    }

    /** The command must be refused. */
    Refusal refused(FabricCommand command) {
        return refusal(fabric.apply(command));
    }

    static Refusal refusal(Outcome outcome) {
        assertThat(outcome).isInstanceOf(Outcome.Refused.class);
        return ((Outcome.Refused) outcome).refusal();
    }

    static Fabric fabricOf(Outcome outcome) {
        assertThat(outcome).isInstanceOf(Outcome.Done.class);
        return ((Outcome.Done) outcome).fabric();
    }

    Client client(String name) {
        return (Client) done(new ClientCommand.Create(name, ClientKind.VM));
    }

    ClientAdapter adapter(Client client) {
        return (ClientAdapter) done(new AdapterCommand.Add(client.id(), POOL, null));
    }

    ServerAdapter pair(ClientAdapter adapter) {
        return (ServerAdapter) done(new AdapterCommand.Pair(adapter.id(), null));
    }

    ServerAdapter assign(ServerAdapter server, String port) {
        return (ServerAdapter) done(new PortCommand.Assign(server.number(), port));
    }

    Lu lu(String name, Sharing sharing) {
        return (Lu) done(new LuCommand.Add(name, sharing));
    }

    LuMap map(Client client, String lu) {
        return (LuMap) done(new LuCommand.Map(client.id(), lu, MapAccess.READ_WRITE, null));
    }

    /** A client with an adapter that is reachable at fcs0, and one private LU. */
    ClientAdapter reachable(String name) {
        Client client = client(name);
        ClientAdapter adapter = adapter(client);
        assign(pair(adapter), "fcs0");
        lu("disk-" + name, Sharing.PRIVATE);
        map(client, "disk-" + name);
        return adapter;
    }

    ServerAdapter serverOf(ClientAdapter adapter) {
        return fabric.servers().stream()
                .filter(server -> server.client().equals(adapter.id()))
                .findFirst()
                .orElseThrow();
    }

    LoginDirectory directory() {
        return new LoginDirectory(fabric, TARGETS);
    }

    /** To the adapter's own target, at fcs0, from the usual host, with nobody logged in. */
    LoginDecision login(String initiator, ClientAdapter targetOf) {
        return login(initiator, targetOf, "fcs0", HOST, Map.of());
    }

    LoginDecision login(String initiator, ClientAdapter targetOf, String port, String from, Map<Wwpn, String> seats) {
        String target = TARGETS + serverOf(targetOf).name();
        return directory().judge(new LoginAttempt(initiator, target, port, from), seats);
    }

    static LoginDecision.Granted granted(LoginDecision decision) {
        assertThat(decision).isInstanceOf(LoginDecision.Granted.class);
        return (LoginDecision.Granted) decision;
    }

    static Denial denied(LoginDecision decision) {
        assertThat(decision).isInstanceOf(LoginDecision.Denied.class);
        return ((LoginDecision.Denied) decision).reason();
    }

    static List<String> lus(LoginDecision decision) {
        return granted(decision).units().stream().map(LuMap::lu).toList();
    }
}
