package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LuMapTest {
    private final Scene scene = Scene.withPoolAndPort();
    private Client one = new Client(0, "", ClientKind.VM, Migration.SETTLED, 1, 0, 0);
    private Client two = one;

    @BeforeEach
    void addClientsAndLus() {
        one = scene.client("web1");
        two = scene.client("web2");
        for (String name : new String[] {"a", "b", "c"}) {
            scene.lu(name, Sharing.PRIVATE);
        }
    }

    @Test
    void shouldNumberLusFromZeroForEachClient() {
        assertThat(scene.map(one, "a").lun()).isZero();
        assertThat(scene.map(one, "b").lun()).isEqualTo(1);
        assertThat(scene.map(two, "c").lun()).isZero();
    }

    @Test
    void shouldKeepNumbersAndNotReuseThemByItselfWhenOneIsUnmapped() {
        scene.map(one, "a");
        scene.map(one, "b");
        scene.done(new LuCommand.Unmap(one.id(), 0));
        assertThat(scene.fabric.mapsOf(one.id())).singleElement().satisfies(map -> {
            assertThat(map.lun()).isEqualTo(1);
            assertThat(map.lu()).isEqualTo("b");
        });
        assertThat(scene.map(one, "c").lun()).isEqualTo(2);
    }

    @Test
    void shouldReuseANumberWhenAsked() {
        scene.map(one, "a");
        scene.done(new LuCommand.Unmap(one.id(), 0));
        LuMap map = (LuMap) scene.done(new LuCommand.Map(one.id(), "b", MapAccess.READ_ONLY, 0));
        assertThat(map.lun()).isZero();
    }

    @Test
    void shouldAllowGapsUpToTheLargestNumberAndThenFillThem() {
        scene.done(new LuCommand.Map(one.id(), "a", MapAccess.READ_WRITE, LuMap.MAX_LUN));
        assertThat(scene.map(one, "b").lun()).isZero();
        assertThat(scene.map(one, "c").lun()).isEqualTo(1);
    }

    @Test
    void shouldRefuseNumbersThatAreNone() {
        for (int lun : new int[] {-1, LuMap.MAX_LUN + 1}) {
            assertThat(scene.refused(new LuCommand.Map(one.id(), "a", MapAccess.READ_WRITE, lun))
                            .message())
                    .contains("LUN '" + lun + "'", "0 to 16383");
        }
    }

    @Test
    void shouldRefuseTakenNumbersAndSecondMapsOfOneLu() {
        scene.map(one, "a");
        assertThat(scene.refused(new LuCommand.Map(one.id(), "b", MapAccess.READ_WRITE, 0)))
                .isEqualTo(new Refusal.LunTaken("client 1 (web1)", 0, "a"));
        assertThat(scene.refused(new LuCommand.Map(one.id(), "a", MapAccess.READ_WRITE, 5)))
                .isEqualTo(new Refusal.AlreadyMapped("client 1 (web1)", "a", 0));
    }

    @Test
    void shouldRefuseToShowAPrivateLuToASecondClient() {
        scene.map(one, "a");
        assertThat(scene.refused(new LuCommand.Map(two.id(), "a", MapAccess.READ_ONLY, null)))
                .isEqualTo(new Refusal.LuIsPrivate("a", "client 1 (web1)"));
    }

    @Test
    void shouldShowASharedLuToManyAndThenNotLetItBecomePrivate() {
        scene.map(one, "a");
        scene.done(new LuCommand.Declare("a", Sharing.SHARED));
        scene.map(two, "a");
        assertThat(scene.refused(new LuCommand.Declare("a", Sharing.PRIVATE)).message())
                .contains("client 1 (web1), client 2 (web2)");
        scene.done(new LuCommand.Unmap(one.id(), 0));
        scene.done(new LuCommand.Declare("a", Sharing.PRIVATE));
    }

    @Test
    void shouldNameWhatIsNotThere() {
        assertThat(scene.refused(new LuCommand.Unmap(one.id(), 3)).message()).isEqualTo("client 1 (web1) has no LUN 3");
        assertThat(scene.refused(new LuCommand.Map(one.id(), "x", MapAccess.READ_WRITE, null))
                        .message())
                .isEqualTo("there is no LU x");
        assertThat(scene.refused(new LuCommand.Map(9, "a", MapAccess.READ_WRITE, null))
                        .message())
                .isEqualTo("there is no client 9");
    }
}
