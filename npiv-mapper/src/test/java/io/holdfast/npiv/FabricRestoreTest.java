package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FabricRestoreTest {
    private final Scene scene = Scene.withPoolAndPort();

    @Test
    void shouldReadBackWhatItStored() {
        scene.reachable("web1");
        scene.done(new PoolCommand.Create("old", new WwpnPrefix("3000")));
        scene.done(new PoolCommand.Delete("old"));
        assertThat(Scene.fabricOf(Fabric.of(scene.fabric.state())).state()).isEqualTo(scene.fabric.state());
    }

    @Test
    void shouldBringBackAClientWithItsNamesAndNumbers() {
        ClientAdapter adapter = scene.reachable("web1");
        FabricState backup = scene.fabric.state();
        scene.done(new AdapterCommand.Unpair(0));
        scene.done(new AdapterCommand.Remove(adapter.id()));
        restore(backup);
        assertThat(Scene.lus(scene.login(adapter.activeName().naaName(), adapter)))
                .containsExactly("disk-web1");
    }

    @Test
    void shouldNotIssueAgainWhatWasIssuedAfterTheBackup() {
        Client client = scene.client("web1");
        FabricState backup = scene.fabric.state();
        ClientAdapter later = scene.adapter(client);
        int laterClient = scene.client("web2").id();
        restore(backup);
        assertThat(scene.adapter(client).pair()).isNotEqualTo(later.pair());
        assertThat(scene.client("web2").id()).isGreaterThan(laterClient);
    }

    @Test
    void shouldRememberThePoolsThatTheBackupDoesNotKnow() {
        FabricState backup = scene.fabric.state();
        WwpnPrefix prefix = new WwpnPrefix("3000");
        scene.done(new PoolCommand.Create("later", prefix));
        Client client = scene.client("web1");
        scene.done(new AdapterCommand.Add(client.id(), "later", null));
        restore(backup);
        WwpnPool again = (WwpnPool) scene.done(new PoolCommand.Create("again", prefix));
        assertThat(again.nextPair()).isEqualTo(1);
    }

    @Test
    void shouldPassOverSomeNamesWhenNobodyKnowsWhatWasIssuedAfterTheBackup() {
        scene.adapter(scene.client("web1"));
        FabricState backup = scene.fabric.state();
        scene.fabric = Fabric.EMPTY;
        restore(backup);
        assertThat(scene.fabric.pools())
                .singleElement()
                .satisfies(pool -> assertThat(pool.nextPair()).isEqualTo(1 + FabricRestore.GAP_PAIRS));
    }

    @Test
    void shouldHaveAVersionAboveBothSoThatOldViewsAreStale() {
        Client client = scene.client("web1");
        FabricState backup = scene.fabric.state();
        scene.client("web2");
        long seen = scene.fabric.version();
        restore(backup);
        assertThat(scene.fabric.version()).isEqualTo(seen + 1);
        assertThat(Scene.refusal(scene.fabric.apply(new ClientCommand.Delete(client.id()), seen)))
                .isInstanceOf(Refusal.Stale.class);
    }

    @Test
    void shouldNotTakeTheNameInUseFromAClientThatMovedSinceTheBackup() {
        ClientAdapter adapter = scene.reachable("web1");
        FabricState backup = scene.fabric.state();
        scene.done(new MigrationCommand.Prepare(1));
        scene.done(new MigrationCommand.HandOver(1));
        scene.done(new MigrationCommand.Prepare(1));
        restore(backup);
        assertThat(scene.directory().rightOf(adapter.pair().second())).isEqualTo(LoginRight.FULL);
        assertThat(scene.directory().rightOf(adapter.pair().first())).isEqualTo(LoginRight.STANDBY);
    }

    @Test
    void shouldRefuseABackupWhosePoolsCouldIssueNamesOfOurs() {
        FabricState backup = scene.fabric.state();
        Scene other = new Scene();
        other.done(new PoolCommand.Create("mine", new WwpnPrefix("c05076")));
        assertThat(Scene.refusal(other.fabric.restore(backup)))
                .isEqualTo(new Refusal.PrefixTaken(Scene.PREFIX, "c05076", "the fabric as it is now"));
    }

    @Test
    void shouldRefuseEveryStateThatBreaksARule() {
        ClientAdapter adapter = scene.reachable("web1");
        scene.reachable("web2");
        FabricState good = scene.fabric.state();
        LuMap map = good.maps().get(0);
        List<FabricState> bad = new ArrayList<>();
        bad.add(with(good, good.adapters(), plus(good.maps(), new LuMap(2, 9, map.lu(), map.access(), 1))));
        bad.add(with(good, good.adapters(), plus(good.maps(), new LuMap(1, 0, "disk-web2", map.access(), 1))));
        bad.add(with(good, good.adapters(), plus(good.maps(), new LuMap(7, 0, "disk-web2", map.access(), 1))));
        bad.add(with(good, good.adapters(), List.of(new LuMap(1, 0, "nothing", map.access(), 1))));
        bad.add(with(good, good.adapters(), List.of(map.stamped(999))));
        bad.add(with(good, List.of(), good.maps()));
        WwpnPair notIssued = new WwpnPrefix(Scene.PREFIX).pair(99);
        bad.add(with(
                good,
                List.of(
                        new ClientAdapter(adapter.id(), Scene.POOL, notIssued, Side.FIRST, 1),
                        good.adapters().get(1)),
                good.maps()));
        bad.add(with(
                good,
                List.of(adapter, new ClientAdapter(new AdapterId(2, 1), Scene.POOL, adapter.pair(), Side.FIRST, 1)),
                good.maps()));
        for (FabricState state : bad) {
            Refusal refusal = Scene.refusal(Fabric.of(state));
            assertThat(refusal).isInstanceOf(Refusal.BadState.class);
            assertThat(Scene.refusal(scene.fabric.restore(state))).isEqualTo(refusal);
        }
        assertThat(Scene.refusal(Fabric.of(bad.get(0))).message())
                .contains("LUN 9 of client 2", "private LU disk-web1 of client 1");
    }

    private void restore(FabricState backup) {
        scene.fabric = Scene.fabricOf(scene.fabric.restore(backup));
    }

    private static List<LuMap> plus(List<LuMap> maps, LuMap another) {
        List<LuMap> more = new ArrayList<>(maps);
        more.add(another);
        return more;
    }

    private static FabricState with(FabricState s, List<ClientAdapter> adapters, List<LuMap> maps) {
        return new FabricState(
                s.version(),
                s.nextClient(),
                s.nextServer(),
                s.zonePolicy(),
                s.retiredPrefixes(),
                s.pools(),
                s.clients(),
                adapters,
                s.servers(),
                s.ports(),
                s.zones(),
                s.lus(),
                maps,
                s.initiators());
    }
}
