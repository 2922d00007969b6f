package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LoginDirectoryTest {
    private static final String IQN = "iqn.2026-11.org.example:web1";

    private final Scene scene = Scene.withPoolAndPort();
    private ClientAdapter mine =
            new ClientAdapter(new AdapterId(0, 0), "", new WwpnPrefix("3000").pair(0), Side.FIRST, 0);
    private ClientAdapter theirs = mine;

    @BeforeEach
    void addTwoClients() {
        mine = scene.reachable("web1");
        theirs = scene.reachable("web2");
    }

    @Test
    void shouldLetAClientInByEveryNameOfItsPortName() {
        scene.done(new InitiatorCommand.Bind(IQN, mine.activeName()));
        for (String name :
                List.of(mine.activeName().naaName(), mine.activeName().euiName(), IQN)) {
            assertThat(Scene.lus(scene.login(name, mine))).containsExactly("disk-web1");
            assertThat(Scene.lus(scene.login(name.toUpperCase(Locale.ROOT), mine)))
                    .containsExactly("disk-web1");
            assertThat(scene.directory().wwpnOf(name)).contains(mine.activeName());
        }
    }

    @Test
    void shouldRefuseNamesThatOnlyLookLikeIt() {
        String plain = mine.activeName().toString();
        for (String name : List.of(
                "",
                plain,
                "naa." + mine.activeName().withColons(),
                "0x" + plain,
                "naa." + plain + " ",
                " naa." + plain,
                "naa." + plain + "\u0000",
                "naa." + plain.substring(0, 15),
                "naa.0" + plain,
                "naa" + plain,
                "iqn." + plain,
                IQN)) {
            assertThat(Scene.denied(scene.login(name, mine))).as(name).isEqualTo(Denial.UNKNOWN_INITIATOR);
            assertThat(scene.directory().visibleTo(name, "fcs0")).isEmpty();
        }
    }

    @Test
    void shouldNotTakeAnotherLetterForAnAsciiOne() {
        scene.done(new InitiatorCommand.Bind("iqn.2026-11.org.example:k", mine.activeName()));
        assertThat(Scene.denied(scene.login("iqn.2026-11.org.example:\u212a", mine)))
                .isEqualTo(Denial.UNKNOWN_INITIATOR);
    }

    @Test
    void shouldRefuseAnothersTarget() {
        assertThat(Scene.denied(scene.login(mine.activeName().naaName(), theirs)))
                .isEqualTo(Denial.FOREIGN_TARGET);
    }

    @Test
    void shouldRefuseATargetThatDoesNotExist() {
        LoginAttempt attempt = new LoginAttempt(mine.activeName().naaName(), Scene.TARGETS + "vfchost9", "fcs0", "h");
        LoginDecision decision = scene.directory().judge(attempt, Map.of());
        assertThat(Scene.denied(decision)).isEqualTo(Denial.UNKNOWN_TARGET);
        assertThat(((LoginDecision.Denied) decision).message())
                .contains(mine.activeName().naaName(), "vfchost9", "from h", "no such target");
    }

    @Test
    void shouldRefuseAtAPortTheTargetIsNotAt() {
        scene.done(new PortCommand.Add("fcs1", "192.0.2.9:3261", 64));
        assertThat(Scene.denied(scene.login(mine.activeName().naaName(), mine, "fcs1", Scene.HOST, Map.of())))
                .isEqualTo(Denial.OTHER_PORT);
        scene.done(new PortCommand.Assign(scene.serverOf(mine).number(), null));
        assertThat(Scene.denied(scene.login(mine.activeName().naaName(), mine))).isEqualTo(Denial.OTHER_PORT);
    }

    @Test
    void shouldObeyZones() {
        String name = mine.activeName().naaName();
        scene.done(new PortCommand.Add("fcs1", "192.0.2.9:3261", 64));
        scene.done(new ZoneCommand.Create("z", List.of(mine.activeName()), List.of("fcs1")));
        assertThat(Scene.denied(scene.login(name, mine))).isEqualTo(Denial.NOT_ZONED);
        assertThat(scene.directory().visibleTo(name, "fcs0")).isEmpty();
        scene.done(new ZoneCommand.Change("z", List.of(mine.activeName()), List.of("fcs0", "fcs1")));
        Scene.granted(scene.login(name, mine));
        Scene.granted(scene.login(theirs.activeName().naaName(), theirs));
        scene.done(new ZoneCommand.SetDefault(DefaultZone.CLOSED));
        Scene.granted(scene.login(name, mine));
        assertThat(Scene.denied(scene.login(theirs.activeName().naaName(), theirs)))
                .isEqualTo(Denial.NOT_ZONED);
    }

    @Test
    void shouldKnowWhatTheClientOfATargetSeesThere() {
        LoginDirectory directory = scene.directory();
        String target = directory.targetName(scene.serverOf(theirs));

        assertThat(directory.unitsAt(target)).extracting(LuMap::lu).containsExactly("disk-web2");
        assertThat(directory.unitsAt(target.toUpperCase(Locale.ROOT))).hasSize(1);
        for (String nowhere : List.of("", target + "0", "vfchost", "vfchost-1", target.substring(1))) {
            assertThat(directory.unitsAt(nowhere)).as(nowhere).isEmpty();
        }
    }

    @Test
    void shouldShowInDiscoveryTheClientsOwnTargetOnly() {
        assertThat(scene.directory().visibleTo(mine.activeName().naaName(), "fcs0"))
                .containsExactly(scene.serverOf(mine));
        assertThat(scene.directory().visibleTo(mine.activeName().naaName(), "fcs1"))
                .isEmpty();
        assertThat(scene.directory().visibleTo(mine.pair().second().naaName(), "fcs0"))
                .isEmpty();
        assertThat(scene.directory().visibleTo("iqn.2026-11.org.example:nobody", "fcs0"))
                .isEmpty();
    }

    @Test
    void shouldRefuseANameThatIsLoggedInFromElsewhere() {
        String name = mine.activeName().naaName();
        Map<Wwpn, String> seats = Map.of(mine.activeName(), Scene.HOST);
        Scene.granted(scene.login(name, mine, "fcs0", Scene.HOST, seats));
        assertThat(Scene.denied(scene.login(name, mine, "fcs0", "198.51.100.7", seats)))
                .isEqualTo(Denial.LOGGED_IN_ELSEWHERE);
    }

    @Test
    void shouldNotLetInByAPoolsNextName() {
        String next = scene.fabric.pools().iterator().next().upcoming().first().naaName();
        assertThat(Scene.denied(scene.login(next, mine))).isEqualTo(Denial.UNKNOWN_INITIATOR);
    }

    @Test
    void shouldTellWhatAChangeMeansToThoseLoggedIn() {
        LoginDirectory before = scene.directory();
        scene.lu("more", Sharing.PRIVATE);
        scene.map(scene.fabric.client(mine.id().client()).orElseThrow(), "more");
        scene.done(new PortCommand.Assign(scene.serverOf(theirs).number(), null));
        FabricChange change = FabricChange.between(before, scene.directory());
        assertThat(change.otherUnits()).containsExactly(mine.id().client());
        assertThat(change.rights()).isEqualTo(Map.of(theirs.activeName(), LoginRight.NONE));
        assertThat(change.moved())
                .containsExactly(theirs.pair().first(), theirs.pair().second());
    }
}
