package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.ChapAlgorithm;
import io.holdfast.iscsi.wire.Opcode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** CHAP and mutual CHAP (RFC 7143 §12.1), as an initiator meets it. */
class ChapTest {
    private static final byte[] SECRET = "correct horse battery".getBytes(StandardCharsets.UTF_8);
    private static final byte[] TARGET_SECRET = "another long secret".getBytes(StandardCharsets.UTF_8);
    private static final ChapAccounts ACCOUNTS = new ChapAccounts(List.of(
            new ChapAccount("web1", SECRET, Optional.empty(), "holdfast", TARGET_SECRET),
            new ChapAccount("bound", SECRET, Optional.of("iqn.2026-11.test:db"), "", new byte[0])));

    private final IscsiRig rig =
            new IscsiRig(new WriteAdmission(), new IscsiSettings(MemoryBudget.MIN_BYTES, 0, ACCOUNTS));

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private static Pdu ask(TestInitiator initiator, int nextStage, String... keys) {
        Pdu request = initiator.loginRequest(LoginNegotiation.SECURITY, nextStage, keys);
        if (nextStage == 0) {
            request.header().bytes()[1] = 0;
        }
        initiator.send(request);
        return initiator.expect(Opcode.LOGIN_RESPONSE);
    }

    private static Pdu begin(TestInitiator initiator, String algorithms) {
        Pdu method = ask(
                initiator,
                LoginNegotiation.OPERATIONAL,
                "InitiatorName=" + initiator.name,
                "TargetName=" + initiator.targetName,
                "AuthMethod=CHAP,None");
        assertThat(method.keys()).containsEntry("AuthMethod", "CHAP");
        assertThat(method.header().flag(BasicHeader.FINAL)).as("no way past it").isFalse();
        return ask(initiator, 0, "CHAP_A=" + algorithms);
    }

    private static String key(Pdu pdu, String key) {
        return Objects.requireNonNull(pdu.keys().get(key), key);
    }

    private static byte[] response(Pdu challenge, byte[] secret) {
        ChapAlgorithm algorithm = Objects.requireNonNull(ChapAlgorithm.firstOf(key(challenge, "CHAP_A")));
        byte[] asked = HexFormat.of().parseHex(key(challenge, "CHAP_C").substring(2));
        return algorithm.response(Integer.parseInt(key(challenge, "CHAP_I")), secret, asked);
    }

    private static String hex(byte[] bytes) {
        return "0x" + HexFormat.of().formatHex(bytes);
    }

    private static void assertRefused(TestInitiator initiator, Pdu answer) {
        assertThat(answer.header().loginStatusClass()).isEqualTo(2);
        assertThat(answer.header().loginStatusDetail())
                .as("authentication failed")
                .isEqualTo(1);
        assertThat(answer.data()).isEmpty();
        initiator.expectClosed();
    }

    @ParameterizedTest
    @EnumSource(ChapAlgorithm.class)
    void shouldLetInWhoKnowsTheSecret(ChapAlgorithm algorithm) {
        TestInitiator initiator = rig.connect();
        Pdu challenge = begin(initiator, "99," + algorithm.number());
        assertThat(challenge.keys()).containsEntry("CHAP_A", "" + algorithm.number());
        Pdu done = ask(
                initiator, LoginNegotiation.OPERATIONAL, "CHAP_N=web1", "CHAP_R=" + hex(response(challenge, SECRET)));
        assertThat(done.header().loginStatusClass()).isZero();
        assertThat(done.header().flag(BasicHeader.FINAL)).isTrue();
        initiator.send(initiator.loginRequest(LoginNegotiation.OPERATIONAL, LoginNegotiation.FULL_FEATURE));
        assertThat(initiator.expect(Opcode.LOGIN_RESPONSE).header().tsih()).isNotZero();
        initiator.ready();
    }

    @Test
    void shouldKnowTheHashesOfTheStandard() {
        // RFC 1994 §4.1 with MD5: computed with md5sum over 01, "secret", 02 03.
        byte[] secret = "secret".getBytes(StandardCharsets.UTF_8);
        assertThat(HexFormat.of().formatHex(ChapAlgorithm.MD5.response(1, secret, new byte[] {2, 3})))
                .isEqualTo("f506c24f35d1c70e450edb8fdf933478");
    }

    @Test
    void shouldTakeTheFirstOfTheInitiatorsListThatItKnows() {
        assertThat(begin(rig.connect(), "1,8,5,7").keys()).containsEntry("CHAP_A", "8");
        assertThat(begin(rig.connect(), "5,8").keys()).containsEntry("CHAP_A", "5");
        TestInitiator exotic = rig.connect();
        assertRefused(exotic, begin(exotic, "1,2"));
    }

    @Test
    void shouldTakeBase64AndProveItselfWhenAsked() {
        TestInitiator initiator = rig.connect();
        Pdu challenge = begin(initiator, "7");
        byte[] ours = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6};
        Pdu done = ask(
                initiator,
                LoginNegotiation.OPERATIONAL,
                "CHAP_N=web1",
                "CHAP_R=0b" + Base64.getEncoder().encodeToString(response(challenge, SECRET)),
                "CHAP_I=0x2a",
                "CHAP_C=0b" + Base64.getEncoder().encodeToString(ours));
        assertThat(done.keys())
                .containsEntry("CHAP_N", "holdfast")
                .containsEntry("CHAP_R", hex(ChapAlgorithm.SHA256.response(42, TARGET_SECRET, ours)));
    }

    @ParameterizedTest
    @CsvSource({
        "web1, wrong secret of some length",
        "nobody, correct horse battery",
        "bound, correct horse battery",
    })
    void shouldRefuseWhoDoesNotProveWhoItIs(String user, String secret) {
        TestInitiator initiator = rig.connect();
        Pdu challenge = begin(initiator, "5");
        assertRefused(
                initiator,
                ask(
                        initiator,
                        LoginNegotiation.OPERATIONAL,
                        "CHAP_N=" + user,
                        "CHAP_R=" + hex(response(challenge, secret.getBytes(StandardCharsets.UTF_8)))));
    }

    @Test
    void shouldRefuseItsOwnChallenge() {
        TestInitiator initiator = rig.connect();
        Pdu challenge = begin(initiator, "7");
        assertRefused(
                initiator,
                ask(
                        initiator,
                        LoginNegotiation.OPERATIONAL,
                        "CHAP_N=web1",
                        "CHAP_R=" + hex(response(challenge, SECRET)),
                        "CHAP_I=" + key(challenge, "CHAP_I"),
                        "CHAP_C=" + key(challenge, "CHAP_C")));
    }

    @Test
    void shouldRefuseToProveItselfWithoutASecret() {
        TestInitiator initiator = rig.connect();
        initiator.name = "iqn.2026-11.test:db";
        Pdu challenge = begin(initiator, "7");
        assertRefused(
                initiator,
                ask(
                        initiator,
                        LoginNegotiation.OPERATIONAL,
                        "CHAP_N=bound",
                        "CHAP_R=" + hex(response(challenge, SECRET)),
                        "CHAP_I=1",
                        "CHAP_C=0x0102030405060708"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"0xzz", "0b!!", "1234", "0x", ""})
    void shouldRefuseWhatIsNoBinaryValue(String value) {
        TestInitiator initiator = rig.connect();
        begin(initiator, "7");
        assertRefused(initiator, ask(initiator, LoginNegotiation.OPERATIONAL, "CHAP_N=web1", "CHAP_R=" + value));
    }

    @Test
    void shouldRefuseEveryWayAroundIt() {
        String initiatorName = "InitiatorName=" + TestInitiator.NAME;
        String target = "TargetName=" + IscsiRig.TARGET;
        TestInitiator straight = rig.connect();
        straight.send(straight.loginRequest(
                LoginNegotiation.OPERATIONAL, LoginNegotiation.FULL_FEATURE, initiatorName, target));
        assertRefused(straight, straight.expect(Opcode.LOGIN_RESPONSE));
        TestInitiator none = rig.connect();
        assertRefused(none, ask(none, LoginNegotiation.FULL_FEATURE, initiatorName, target, "AuthMethod=None"));
        TestInitiator silent = rig.connect();
        assertRefused(silent, ask(silent, LoginNegotiation.FULL_FEATURE, initiatorName, target));
        TestInitiator discoverer = rig.connect();
        discoverer.send(discoverer.loginRequest(
                LoginNegotiation.OPERATIONAL, LoginNegotiation.FULL_FEATURE, initiatorName, "SessionType=Discovery"));
        assertRefused(discoverer, discoverer.expect(Opcode.LOGIN_RESPONSE));
        TestInitiator impatient = rig.connect();
        begin(impatient, "7");
        Pdu again = ask(impatient, LoginNegotiation.OPERATIONAL);
        assertThat(again.header().flag(BasicHeader.FINAL))
                .as("still not past it")
                .isFalse();
        TestInitiator twice = rig.connect();
        begin(twice, "7");
        assertRefused(twice, ask(twice, 0, "CHAP_A=7"));
    }

    @Test
    void shouldNotTellAStrangerWhichTargetsThereAre() {
        List<byte[]> answers = new ArrayList<>();
        for (String name : List.of(IscsiRig.TARGET, "iqn.2026-11.io.holdfast:nobody")) {
            TestInitiator stranger = rig.connect();
            stranger.targetName = name;
            Pdu challenge = begin(stranger, "7");
            Pdu refusal = ask(
                    stranger,
                    LoginNegotiation.OPERATIONAL,
                    "CHAP_N=web1",
                    "CHAP_R=" + hex(response(challenge, TARGET_SECRET)));
            assertRefused(stranger, refusal);
            answers.add(refusal.header().bytes());
        }
        assertThat(answers.get(0)).isEqualTo(answers.get(1));
    }

    @Test
    void shouldNotTakeOneSecretForBothDirections() {
        assertThatThrownBy(() -> new ChapAccount("a", SECRET, Optional.empty(), "t", Arrays.copyOf(SECRET, 21)))
                .hasMessageNotContaining("horse");
    }
}
