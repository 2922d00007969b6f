package io.holdfast.agent.watch;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.BinaryValue;
import io.holdfast.iscsi.wire.ChapAlgorithm;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.TextKeys;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The probe's side of a login, against a target that is played here. */
class ProbeLoginTest {
    private static final byte[] SECRET = "swordfish-and-chips".getBytes(StandardCharsets.UTF_8);
    private static final byte[] SERVER_SECRET = "another-fish-entirely".getBytes(StandardCharsets.UTF_8);
    private static final byte[] CHALLENGE = {1, 2, 3, 4};
    private static final int STAY = 0;
    private static final int INTO_FULL_FEATURE = BasicHeader.FINAL | 3;

    private final ProbeIdentity nobody = new ProbeIdentity("iqn.t:agent", Optional.empty());

    private ProbeLogin login(ChapCredentials chap) {
        return new ProbeLogin(nobody.with(chap), "", 1);
    }

    private static Optional<ProbeLogin.Request> answer(ProbeLogin login, int flags, Map<String, String> keys) {
        BasicHeader header = new BasicHeader().begin(Opcode.LOGIN_RESPONSE, flags);
        return login.answered(header, new TextKeys(keys).encode());
    }

    private static Map<String, String> next(ProbeLogin login, int flags, Map<String, String> keys) {
        return answer(login, flags, keys).orElseThrow().keys().pairs();
    }

    private static Map<String, String> challenge() {
        return Map.of("CHAP_A", "7", "CHAP_I", "9", "CHAP_C", BinaryValue.print(CHALLENGE));
    }

    @Test
    void shouldLogInWithoutSecurityWhenItHasNoAccount() {
        ProbeLogin login = new ProbeLogin(nobody, "", 1);

        assertThat(login.first().keys().pairs()).doesNotContainKey("AuthMethod");
        assertThat(answer(login, INTO_FULL_FEATURE, Map.of())).isEmpty();

        assertThat(login.done()).isTrue();
    }

    @Test
    void shouldProveItselfWithChap() {
        ProbeLogin login = login(new ChapCredentials("agent", SECRET, "", new byte[0]));
        assertThat(login.first().keys().pairs()).containsEntry("AuthMethod", "CHAP,None");

        assertThat(next(login, STAY, Map.of("AuthMethod", "CHAP"))).containsKey("CHAP_A");
        Map<String, String> proof = next(login, STAY, challenge());

        assertThat(proof)
                .containsEntry("CHAP_N", "agent")
                .containsEntry("CHAP_R", BinaryValue.print(ChapAlgorithm.SHA256.response(9, SECRET, CHALLENGE)))
                .doesNotContainKey("CHAP_C");
        assertThat(answer(login, INTO_FULL_FEATURE, Map.of())).isEmpty();
        assertThat(login.done()).isTrue();
    }

    @Test
    void shouldGoOnWithoutChapWhereTheServerDoesNotAskForIt() {
        ProbeLogin login = login(new ChapCredentials("agent", SECRET, "", new byte[0]));
        login.first();

        ProbeLogin.Request goOn =
                answer(login, STAY, Map.of("AuthMethod", "None")).orElseThrow();

        assertThat(goOn.header().nextStage()).isEqualTo(3);
        assertThat(answer(login, INTO_FULL_FEATURE, Map.of())).isEmpty();
        assertThat(login.done()).isTrue();
    }

    @Test
    void shouldLetTheServerProveItselfWhenItHasItsSecret() {
        ProbeLogin login = login(new ChapCredentials("agent", SECRET, "holdfast", SERVER_SECRET));
        Map<String, String> proof = playMutual(login);
        byte[] theirs = ChapAlgorithm.SHA256.response(
                Integer.parseInt(proof.get("CHAP_I")), SERVER_SECRET, binary(proof.get("CHAP_C")));

        answer(login, INTO_FULL_FEATURE, Map.of("CHAP_N", "holdfast", "CHAP_R", BinaryValue.print(theirs)));

        assertThat(login.done()).isTrue();
    }

    @Test
    void shouldRefuseAServerThatDoesNotKnowItsSecret() {
        ProbeLogin login = login(new ChapCredentials("agent", SECRET, "holdfast", SERVER_SECRET));
        playMutual(login);

        answer(login, INTO_FULL_FEATURE, Map.of("CHAP_N", "holdfast", "CHAP_R", "0x00"));

        assertThat(login.done()).isFalse();
        assertThat(login.refusal()).contains("does not know the target-secret");
    }

    @Test
    void shouldRefuseAServerThatPassesOverMutualChap() {
        ProbeLogin login = login(new ChapCredentials("agent", SECRET, "holdfast", SERVER_SECRET));
        login.first();

        answer(login, STAY, Map.of("AuthMethod", "None"));

        assertThat(login.refusal()).contains("does not prove who it is");
    }

    @Test
    void shouldSayThatAnAccountIsMissing() {
        ProbeLogin login = new ProbeLogin(nobody, "", 1);
        login.first();
        BasicHeader refused = new BasicHeader().begin(Opcode.LOGIN_RESPONSE, 0).loginStatus(2, 1);

        assertThat(login.answered(refused, new byte[0])).isEmpty();

        assertThat(login.refusal()).contains("asks for CHAP").contains("--chap-file");
    }

    @Test
    void shouldRefuseAChallengeThatIsNone() {
        ProbeLogin login = login(new ChapCredentials("agent", SECRET, "", new byte[0]));
        login.first();
        next(login, STAY, Map.of("AuthMethod", "CHAP"));

        assertThat(answer(login, STAY, Map.of("CHAP_A", "7", "CHAP_I", "x", "CHAP_C", "0x00")))
                .isEmpty();

        assertThat(login.refusal()).contains("no CHAP challenge");
    }

    private static Map<String, String> playMutual(ProbeLogin login) {
        login.first();
        next(login, STAY, Map.of("AuthMethod", "CHAP"));
        return next(login, STAY, challenge());
    }

    private static byte[] binary(String text) {
        try {
            return BinaryValue.parse(text);
        } catch (io.holdfast.iscsi.wire.WireException e) {
            throw new AssertionError(e);
        }
    }
}
