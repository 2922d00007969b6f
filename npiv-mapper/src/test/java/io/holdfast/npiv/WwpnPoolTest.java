package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WwpnPoolTest {
    /** Eight pairs. */
    private static final WwpnPrefix TINY = new WwpnPrefix("c05076075aac000");

    private final Scene scene = new Scene();

    @Test
    void shouldIssuePairsOfNeighboursOneAfterTheOther() {
        scene.done(new PoolCommand.Create("blue", new WwpnPrefix("c050:7607:5aac")));
        Client client = scene.client("web1");
        assertThat(scene.adapter(client).pair()).hasToString("c05076075aac0000,c05076075aac0001");
        assertThat(scene.adapter(client).pair()).hasToString("c05076075aac0002,c05076075aac0003");
        assertThat(pool("blue").pairsLeft()).isEqualTo(32_768 - 2);
    }

    @Test
    void shouldNameThePoolWhenItIsExhausted() {
        scene.done(new PoolCommand.Create("blue", TINY));
        Client client = scene.client("web1");
        for (int i = 0; i < 8; i++) {
            scene.adapter(client);
        }
        Refusal refusal = scene.refused(new AdapterCommand.Add(client.id(), "blue", null));
        assertThat(refusal).isEqualTo(new Refusal.PoolExhausted("blue", TINY.digits(), 8));
        assertThat(refusal.message()).contains("pool blue", "8 pairs", "c05076075aac000");
    }

    @Test
    void shouldNotIssueANameAgainAfterItsAdapterWasRemoved() {
        scene.done(new PoolCommand.Create("blue", TINY));
        Client client = scene.client("web1");
        ClientAdapter first = scene.adapter(client);
        scene.done(new AdapterCommand.Remove(first.id()));
        assertThat(scene.adapter(client).pair().first())
                .isNotEqualTo(first.pair().first())
                .isNotEqualTo(first.pair().second());
    }

    @Test
    void shouldGoOnWhereADeletedPoolWithTheSamePrefixEnded() {
        scene.done(new PoolCommand.Create("blue", TINY));
        Client client = scene.client("web1");
        ClientAdapter first = scene.adapter(client);
        scene.done(new AdapterCommand.Remove(first.id()));
        scene.done(new PoolCommand.Delete("blue"));
        scene.done(new PoolCommand.Create("green", TINY));
        assertThat(pool("green").nextPair()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"c05076075aac000", "c05076075aac", "c05076075aac0001"})
    void shouldRefuseAPrefixThatCouldIssueTheNamesOfAnotherPool(String digits) {
        scene.done(new PoolCommand.Create("blue", TINY));
        String prefix = digits.length() > WwpnPrefix.MAX_DIGITS ? digits.substring(0, 15) : digits;
        assertThat(scene.refused(new PoolCommand.Create("green", new WwpnPrefix(prefix))))
                .isEqualTo(new Refusal.PrefixTaken(prefix, TINY.digits(), "pool blue"));
    }

    @Test
    void shouldRefuseAPrefixThatOverlapsADeletedPools() {
        scene.done(new PoolCommand.Create("blue", TINY));
        scene.done(new PoolCommand.Delete("blue"));
        assertThat(scene.refused(new PoolCommand.Create("green", new WwpnPrefix("c05076075aac")))
                        .message())
                .contains("c05076075aac000", "a deleted pool");
    }

    @Test
    void shouldNeverSetACounterBack() {
        WwpnPool pool = new WwpnPool("blue", TINY, 5, 1);
        assertThat(pool.advancedTo(3).nextPair()).isEqualTo(5);
        assertThat(pool.advancedTo(6).nextPair()).isEqualTo(6);
        assertThatThrownBy(() -> pool.advancedTo(9)).hasMessageContaining("9 is not in 0..8");
    }

    @Test
    void shouldKeepAPoolThatHasAdapters() {
        scene.done(new PoolCommand.Create("blue", TINY));
        scene.adapter(scene.client("web1"));
        assertThat(scene.refused(new PoolCommand.Delete("blue")).message()).contains("pool blue", "adapter V1-C1");
    }

    @Test
    void shouldMakeALocallyAssignedPrefixOfTheClustersIdentity() {
        WwpnPrefix prefix = WwpnPrefix.locallyAssigned(UUID.fromString("00000000-0000-4000-8000-0123456789ab"));
        assertThat(prefix).hasToString("3123456789ab");
        assertThat(prefix.pairs()).isEqualTo(32_768);
        assertThat(prefix.pair(32_767).second()).isEqualTo(Wwpn.parse(prefix + "ffff"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"c05", "c05076075aac0000", "4050", "c0507g"})
    void shouldRefuseAPrefixThatIsNone(String digits) {
        assertThatThrownBy(() -> new WwpnPrefix(digits))
                .isInstanceOf(NameFormatException.class)
                .hasMessageContaining("'" + digits + "'");
    }

    private WwpnPool pool(String name) {
        return scene.fabric.pools().stream()
                .filter(pool -> pool.name().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
