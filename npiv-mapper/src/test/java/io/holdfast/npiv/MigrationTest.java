package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MigrationTest {
    private static final int CLIENT = 1;

    private final Scene scene = Scene.withPoolAndPort();
    private ClientAdapter adapter =
            new ClientAdapter(new AdapterId(0, 0), "", new WwpnPrefix("3000").pair(0), Side.FIRST, 0);

    @BeforeEach
    void addClient() {
        adapter = scene.reachable("web1");
    }

    @Test
    void shouldRefuseTheOtherNameUntilTheMigrationIsPrepared() {
        assertThat(right(Side.FIRST)).isEqualTo(LoginRight.FULL);
        assertThat(Scene.denied(login(Side.SECOND))).isEqualTo(Denial.NOT_ACTIVE);
    }

    @Test
    void shouldLetBothNamesInBeforehandButOnlyOneWrite() {
        scene.done(new MigrationCommand.Prepare(CLIENT));
        assertThat(right(Side.FIRST)).isEqualTo(LoginRight.FULL);
        assertThat(right(Side.SECOND)).isEqualTo(LoginRight.STANDBY);
    }

    @Test
    void shouldShowTheSameLusUnderTheSameNumbersToBothNames() {
        scene.done(new MigrationCommand.Prepare(CLIENT));
        assertThat(Scene.granted(login(Side.SECOND)).units())
                .isEqualTo(Scene.granted(login(Side.FIRST)).units())
                .isNotEmpty();
    }

    @Test
    void shouldRefuseTheOldNameAfterTheHandOver() {
        scene.done(new MigrationCommand.Prepare(CLIENT));
        LoginDirectory before = scene.directory();
        scene.done(new MigrationCommand.HandOver(CLIENT));
        assertThat(Scene.denied(login(Side.FIRST))).isEqualTo(Denial.NOT_ACTIVE);
        assertThat(right(Side.SECOND)).isEqualTo(LoginRight.FULL);
        assertThat(FabricChange.between(before, scene.directory()).rights())
                .isEqualTo(Map.of(
                        adapter.pair().first(), LoginRight.NONE,
                        adapter.pair().second(), LoginRight.FULL));
    }

    @Test
    void shouldGoBackToTheFirstNameWithTheNextMove() {
        for (int i = 0; i < 2; i++) {
            scene.done(new MigrationCommand.Prepare(CLIENT));
            scene.done(new MigrationCommand.HandOver(CLIENT));
        }
        assertThat(right(Side.FIRST)).isEqualTo(LoginRight.FULL);
        assertThat(Scene.denied(login(Side.SECOND))).isEqualTo(Denial.NOT_ACTIVE);
    }

    @Test
    void shouldStayWhereItIsWhenCancelled() {
        scene.done(new MigrationCommand.Prepare(CLIENT));
        scene.done(new MigrationCommand.Cancel(CLIENT));
        assertThat(right(Side.FIRST)).isEqualTo(LoginRight.FULL);
        assertThat(Scene.denied(login(Side.SECOND))).isEqualTo(Denial.NOT_ACTIVE);
    }

    @Test
    void shouldMoveAllAdaptersOfAClientAtOnce() {
        ClientAdapter second = scene.adapter(scene.fabric.client(CLIENT).orElseThrow());
        scene.done(new MigrationCommand.Prepare(CLIENT));
        scene.done(new MigrationCommand.HandOver(CLIENT));
        assertThat(scene.fabric.adapters()).extracting(ClientAdapter::active).containsOnly(Side.SECOND);
        assertThat(scene.fabric.adapters())
                .hasSize(2)
                .anySatisfy(a -> assertThat(a.id()).isEqualTo(second.id()));
    }

    @Test
    void shouldRefuseStepsOutOfTurn() {
        assertThat(scene.refused(new MigrationCommand.HandOver(CLIENT))).isInstanceOf(Refusal.NoMigration.class);
        assertThat(scene.refused(new MigrationCommand.Cancel(CLIENT))).isInstanceOf(Refusal.NoMigration.class);
        scene.done(new MigrationCommand.Prepare(CLIENT));
        for (FabricCommand command : List.of(
                new MigrationCommand.Prepare(CLIENT),
                new AdapterCommand.Add(CLIENT, Scene.POOL, null),
                new AdapterCommand.Remove(adapter.id()),
                new AdapterCommand.Pair(adapter.id(), null),
                new AdapterCommand.Unpair(0))) {
            assertThat(scene.refused(command))
                    .as(command.toString())
                    .isEqualTo(new Refusal.MigrationUnderWay("client 1 (web1)"));
        }
    }

    @Test
    void shouldNoticeBeforehandThatOnlyOneOfThePairIsZoned() {
        scene.done(new ZoneCommand.SetDefault(DefaultZone.CLOSED));
        scene.done(new ZoneCommand.Create("z", List.of(adapter.activeName()), List.of("fcs0")));
        assertThat(scene.refused(new MigrationCommand.Prepare(CLIENT)))
                .isEqualTo(new Refusal.StandbyNotZoned(
                        "adapter V1-C1", adapter.pair().second().toString(), "fcs0"));
        scene.done(new ZoneCommand.Change(
                "z", List.of(adapter.pair().first(), adapter.pair().second()), List.of("fcs0")));
        scene.done(new MigrationCommand.Prepare(CLIENT));
    }

    private LoginDecision login(Side side) {
        // Each of the two from a host of its own, with the other one logged in there.
        Map<Wwpn, String> seats = Map.of(adapter.pair().of(side.other()), "host-" + side.other());
        return scene.login(adapter.pair().of(side).naaName(), adapter, "fcs0", "host-" + side, seats);
    }

    private LoginRight right(Side side) {
        return Scene.granted(login(side)).right();
    }
}
