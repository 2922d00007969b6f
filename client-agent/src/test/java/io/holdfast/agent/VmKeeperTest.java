package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VmKeeperTest {
    private static final InetSocketAddress PORTAL = new InetSocketAddress(InetAddress.getLoopbackAddress(), 3270);

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:3270", "localhost:3270"})
    void shouldKnowItsPortalInQemusWords(String portal) {
        assertThat(VmDisks.leadsTo(portal, PORTAL)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:3271", "127.0.0.2:3270", "127.0.0.1", "", ":3270", "[::1]:3270"})
    void shouldNotTakeAnotherPortalForItsOwn(String portal) {
        assertThat(VmDisks.leadsTo(portal, PORTAL)).isFalse();
    }

    @Test
    void shouldNotAskANameServer() {
        // A resolver would need up to seconds for a name below .invalid (RFC 2606); this is done at once or not at all.
        assertThat(VmDisks.leadsTo("storage.example.invalid:3270", PORTAL)).isFalse();
    }

    @Test
    void shouldStandInOnlyForAProcessThatMayLive() throws Exception {
        Process ended = new ProcessBuilder("true").start();
        ended.waitFor();

        assertThat(VmKeeper.mayLive((int) ended.pid())).isFalse();
        assertThat(VmKeeper.mayLive((int) ProcessHandle.current().pid())).isTrue();
        assertThat(VmKeeper.mayLive(0)).as("unknown").isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "'',#block100,false,true",
        "'',local,false,false",
        "drive-local,#block100,false,false",
        "'',#block100,true,true",
        "'',,false,true"
    })
    void shouldPassOverAnIoErrorOnlyWhenItIsCertainlyAnothers(
            String device, String node, boolean nospace, boolean ours) {
        ObjectNode error = JsonNodeFactory.instance.objectNode();
        error.put("device", device).put("node-name", node).put("nospace", nospace);

        assertThat(VmDisks.mayBeOurs(error, Set.of("local", "drive-local"))).isEqualTo(ours);
    }
}
