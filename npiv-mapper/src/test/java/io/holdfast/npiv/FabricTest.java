package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class FabricTest {
    private final Scene scene = Scene.withPoolAndPort();

    @Test
    void shouldCountVersionsAndLeaveTheOldStateAsItWas() {
        Fabric before = scene.fabric;
        scene.client("web1");
        assertThat(scene.fabric.version()).isEqualTo(before.version() + 1);
        assertThat(before.clients()).isEmpty();
        assertThat(scene.fabric.clients()).hasSize(1);
    }

    @Test
    void shouldChangeNothingWhenACommandIsRefused() {
        FabricState before = scene.fabric.state();
        scene.refused(new AdapterCommand.Add(7, Scene.POOL, null));
        assertThat(scene.fabric.state()).isEqualTo(before);
    }

    @Test
    void shouldCarryOutAllCommandsOrNone() {
        Outcome outcome = scene.fabric.applyAll(List.of(
                new ClientCommand.Create("web1", ClientKind.VM),
                new AdapterCommand.Add(1, Scene.POOL, null),
                new AdapterCommand.Pair(new AdapterId(1, 1), 5),
                new PortCommand.Assign(5, "fcs9")));
        assertThat(Scene.refusal(outcome)).isEqualTo(new Refusal.Unknown("port", "fcs9"));
        outcome = scene.fabric.applyAll(List.of(
                new ClientCommand.Create("web1", ClientKind.VM),
                new AdapterCommand.Add(1, Scene.POOL, null),
                new AdapterCommand.Pair(new AdapterId(1, 1), 5),
                new PortCommand.Assign(5, "fcs0")));
        assertThat(Scene.fabricOf(outcome).version()).isEqualTo(scene.fabric.version() + 1);
        assertThat(Scene.fabricOf(outcome).servers())
                .singleElement()
                .satisfies(server -> assertThat(server.port()).isEqualTo("fcs0"));
    }

    @Test
    void shouldRefuseAStaleChangeAndNameWhatChanged() {
        Client client = scene.client("web1");
        long seen = scene.fabric.version();
        scene.done(new ClientCommand.Rename(client.id(), "web2"));
        Refusal refusal = Scene.refusal(scene.fabric.apply(new ClientCommand.Rename(client.id(), "web3"), seen));
        assertThat(refusal).isEqualTo(new Refusal.Stale("client 1 (web2)", seen + 1, seen));
        assertThat(Scene.fabricOf(scene.fabric.apply(new ClientCommand.Rename(client.id(), "web3"), seen + 1))
                        .clients())
                .singleElement()
                .satisfies(renamed -> assertThat(renamed.name()).isEqualTo("web3"));
    }

    @Test
    void shouldLetOthersWorkElsewhereInTheMeantime() {
        Client client = scene.client("web1");
        long seen = scene.fabric.version();
        scene.client("web2");
        scene.adapter(client);
        scene.lu("disk", Sharing.PRIVATE);
        scene.map(client, "disk");
        Outcome outcome = scene.fabric.applyAll(
                List.of(
                        new ClientCommand.Rename(client.id(), "web3"),
                        new ClientCommand.Rename(client.id(), "web4"),
                        new AdapterCommand.Add(client.id(), Scene.POOL, null)),
                seen);
        assertThat(outcome).isInstanceOf(Outcome.Done.class);
    }

    @Test
    void shouldRefuseAStaleChangeOfTheDefaultZone() {
        long seen = scene.fabric.version();
        scene.done(new ZoneCommand.SetDefault(DefaultZone.CLOSED));
        assertThat(Scene.refusal(scene.fabric.apply(new ZoneCommand.SetDefault(DefaultZone.OPEN), seen)))
                .isInstanceOf(Refusal.Stale.class);
    }

    @Test
    void shouldRefuseABasisThatHasNotBeenYet() {
        assertThat(Scene.refusal(scene.fabric.apply(new ClientCommand.Delete(1), 99)))
                .isEqualTo(new Refusal.UnknownVersion(99, 2));
    }

    @Test
    void shouldNeverGiveAClientsIdToAnother() {
        Client first = scene.client("web1");
        scene.done(new ClientCommand.Delete(first.id()));
        assertThat(scene.client("web1").id()).isEqualTo(first.id() + 1);
    }

    @Test
    void shouldRefuseNamesThatAreTakenOrNone() {
        scene.client("web1");
        assertThat(scene.refused(new ClientCommand.Create("web1", ClientKind.CONTAINER))
                        .message())
                .isEqualTo("client 1 (web1) exists already");
        assertThat(scene.refused(new ClientCommand.Create("we b", ClientKind.VM)))
                .isInstanceOf(Refusal.BadValue.class);
        assertThat(scene.refused(new LuCommand.Add("", Sharing.PRIVATE))).isInstanceOf(Refusal.BadValue.class);
    }

    @Test
    void shouldPairOneToOne() {
        ClientAdapter one = scene.adapter(scene.client("web1"));
        ClientAdapter two = scene.adapter(scene.client("web2"));
        ServerAdapter server = scene.pair(one);
        assertThat(server.name()).isEqualTo("vfchost0");
        assertThat(scene.refused(new AdapterCommand.Pair(one.id(), null)))
                .isEqualTo(new Refusal.AlreadyPaired("adapter V1-C1", "vfchost0"));
        assertThat(scene.refused(new AdapterCommand.Pair(two.id(), 0)))
                .isEqualTo(new Refusal.AlreadyPaired("vfchost0", "adapter V1-C1"));
        scene.done(new AdapterCommand.Unpair(0));
        assertThat(scene.pair(two).name()).isEqualTo("vfchost1");
    }

    @Test
    void shouldReadTheNamesOfServerAdapters() {
        assertThat(ServerAdapter.parse("vfchost17")).isEqualTo(17);
        for (String bad : List.of("vfchost", "vfchost01", "vfchost65536", "vhost1", "vfchost99999999999")) {
            assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> ServerAdapter.parse(bad)))
                    .isInstanceOf(NameFormatException.class)
                    .hasMessageContaining(bad);
        }
    }

    @Test
    void shouldNotOvercommitAPort() {
        scene.done(new PortCommand.Add("fcs1", "192.0.2.9:3261", 1));
        Client client = scene.client("web1");
        ServerAdapter one = scene.pair(scene.adapter(client));
        ServerAdapter two = scene.pair(scene.adapter(client));
        scene.assign(one, "fcs1");
        scene.assign(one, "fcs1");
        assertThat(scene.refused(new PortCommand.Assign(two.number(), "fcs1")))
                .isEqualTo(new Refusal.PortFull("fcs1", 1));
        assertThat(scene.refused(new PortCommand.Remove("fcs1")).message()).contains("port fcs1", "vfchost0");
        scene.done(new PortCommand.Resize("fcs1", 2));
        scene.assign(two, "fcs1");
        assertThat(scene.refused(new PortCommand.Resize("fcs1", 1))).isInstanceOf(Refusal.BadValue.class);
        scene.done(new PortCommand.Assign(one.number(), null));
        scene.done(new PortCommand.Resize("fcs1", 1));
    }

    @Test
    void shouldKeepWhatOthersNeed() {
        ClientAdapter adapter = scene.reachable("web1");
        assertThat(scene.refused(new AdapterCommand.Remove(adapter.id())).message())
                .contains("vfchost0");
        assertThat(scene.refused(new ClientCommand.Delete(1)).message()).contains("V1-C1", "LU disk-web1");
        assertThat(scene.refused(new LuCommand.Remove("disk-web1")).message()).contains("client 1 (web1)");
        scene.done(new LuCommand.Unmap(1, 0));
        scene.done(new LuCommand.Remove("disk-web1"));
        scene.done(new AdapterCommand.Unpair(0));
        scene.done(new AdapterCommand.Remove(adapter.id()));
        scene.done(new ClientCommand.Delete(1));
    }

    @Test
    void shouldTakeARemovedAdaptersNamesOutOfZonesAndBindings() {
        ClientAdapter adapter = scene.adapter(scene.client("web1"));
        Wwpn name = adapter.pair().second();
        scene.done(new ZoneCommand.Create("z", List.of(name), List.of("fcs0")));
        scene.done(new InitiatorCommand.Bind("iqn.2026-11.org.example:web1", name));
        scene.done(new AdapterCommand.Remove(adapter.id()));
        assertThat(scene.fabric.zones())
                .singleElement()
                .satisfies(zone -> assertThat(zone.members()).isEmpty());
        assertThat(scene.fabric.initiators()).isEmpty();
    }

    @Test
    void shouldBindAnInitiatorNameToOnePortNameOnly() {
        ClientAdapter adapter = scene.adapter(scene.client("web1"));
        scene.done(new InitiatorCommand.Bind("iqn.2026-11.org.example:web1", adapter.activeName()));
        assertThat(scene.refused(new InitiatorCommand.Bind(
                        "IQN.2026-11.Org.Example:WEB1", adapter.pair().second())))
                .isInstanceOf(Refusal.Exists.class);
        assertThat(scene.refused(
                        new InitiatorCommand.Bind("iqn.2026-11.org.example:web2", Wwpn.parse("3000000000000000"))))
                .isInstanceOf(Refusal.Unknown.class);
        for (String bad : List.of(
                "naa.c05076075aac0000",
                "iqn.2026-13.org.example",
                "iqn.2026-11.org.example:a b",
                "iqn.2026-11.org.example:\u212a",
                "iqn.2026-11.org.example:" + "x".repeat(220))) {
            assertThat(scene.refused(new InitiatorCommand.Bind(bad, adapter.activeName())))
                    .as(bad)
                    .isInstanceOf(Refusal.Malformed.class);
        }
    }
}
