package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.scsi.FixedLunView;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Login as a value: a request goes in, a reply comes out (RFC 7143 §6.3, §11.12, §11.13). */
class LoginNegotiationTest {
    private static final String INITIATOR = "InitiatorName=iqn.2026-11.test:me";
    private static final String TARGET = "TargetName=iqn.2026-11.io.holdfast:disk";
    private static final int T = BasicHeader.FINAL;
    private static final int C = BasicHeader.CONTINUE;
    private static final int SECURITY_TO_OPERATIONAL = T | 1;
    private static final int SECURITY_TO_FULL = T | 3;
    private static final int OPERATIONAL = 1 << 2;
    private static final int OPERATIONAL_TO_FULL = T | 1 << 2 | 3;

    private final LoginNegotiation login = new LoginNegotiation(
            new IscsiRig.OneTarget(new IscsiTarget("iqn.2026-11.io.holdfast:disk", 7, new FixedLunView(Map.of()))),
            new Sessions(),
            IscsiSettings.DEFAULT);
    private final BasicHeader request = new BasicHeader().begin(Opcode.LOGIN_REQUEST, 0);

    private LoginNegotiation.Reply ask(int flags, String... pairs) {
        StringBuilder text = new StringBuilder();
        Arrays.stream(pairs).forEach(pair -> text.append(pair).append('\0'));
        return askRaw(flags, text.toString());
    }

    private LoginNegotiation.Reply askRaw(int flags, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        request.bytes()[1] = (byte) flags;
        return login.apply(request, bytes, bytes.length);
    }

    private static void assertRefused(LoginNegotiation.Reply reply, LoginStatus status) {
        assertThat(reply.status()).isEqualTo(status);
        assertThat(reply.fullFeature()).isFalse();
        assertThat(reply.why()).as("a reason for the log").isNotBlank();
    }

    // ------------------------------------------------------------------ stages

    @Test
    void shouldGoThroughBothStages() {
        LoginNegotiation.Reply security = ask(SECURITY_TO_OPERATIONAL, INITIATOR, TARGET, "AuthMethod=CHAP,None");
        assertThat(security.flags()).isEqualTo(SECURITY_TO_OPERATIONAL);
        assertThat(security.keys().pairs())
                .containsEntry("AuthMethod", "None")
                .containsEntry("TargetPortalGroupTag", "7");
        assertThat(security.fullFeature()).isFalse();
        LoginNegotiation.Reply operational = ask(OPERATIONAL_TO_FULL, "HeaderDigest=CRC32C");
        assertThat(operational.fullFeature()).isTrue();
        assertThat(operational.keys().pairs())
                .containsEntry("HeaderDigest", "CRC32C")
                .containsEntry("MaxRecvDataSegmentLength", "262144");
        assertThat(login.parameters().headerDigest()).isEqualTo(Digest.CRC32C);
        assertThat(login.parameters().dataDigest()).isEqualTo(Digest.NONE);
    }

    @Test
    void shouldGoStraightFromSecurityToFullFeature() {
        assertThat(ask(SECURITY_TO_FULL, INITIATOR, TARGET).fullFeature()).isTrue();
    }

    @Test
    void shouldStayInAStageUntilTheInitiatorProposesToLeaveIt() {
        LoginNegotiation.Reply first = ask(OPERATIONAL, INITIATOR, TARGET, "ImmediateData=No");
        assertThat(first.flags()).isEqualTo(OPERATIONAL);
        assertThat(first.fullFeature()).isFalse();
        LoginNegotiation.Reply second = ask(OPERATIONAL_TO_FULL);
        assertThat(second.fullFeature()).isTrue();
        assertThat(second.keys().pairs()).as("told once").doesNotContainKey("MaxRecvDataSegmentLength");
        assertThat(login.parameters().immediateData()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            ints = {
                T | 1 << 2 | 1, // to where it is
                T | 1 << 2, // backwards
                T | 1 << 2 | 2, // to a stage that does not exist
                2 << 2, // in one
                3 << 2, // in full feature phase
            })
    void shouldRefuseStagesThatDoNotFollow(int flags) {
        assertRefused(ask(flags, INITIATOR, TARGET), LoginStatus.INVALID_REQUEST);
    }

    @Test
    void shouldRefuseAJumpBetweenStages() {
        ask(0, INITIATOR, TARGET);
        assertRefused(ask(OPERATIONAL_TO_FULL), LoginStatus.INVALID_REQUEST);
    }

    // ------------------------------------------------------------------ text in parts

    @Test
    void shouldJoinTextThatIsCutAnywhere() {
        String text = INITIATOR + '\0' + TARGET + '\0' + "DataDigest=CRC32C,None\0";
        for (int cut = 0; cut < text.length(); cut++) {
            LoginNegotiationTest each = new LoginNegotiationTest();
            LoginNegotiation.Reply first = each.askRaw(C | OPERATIONAL, text.substring(0, cut));
            assertThat(first.status()).isEqualTo(LoginStatus.SUCCESS);
            assertThat(first.keys().pairs()).isEmpty();
            assertThat(first.flags()).isEqualTo(OPERATIONAL);
            LoginNegotiation.Reply second = each.askRaw(OPERATIONAL_TO_FULL, text.substring(cut));
            assertThat(second.fullFeature()).as("cut at %d", cut).isTrue();
            assertThat(second.keys().pairs()).containsEntry("DataDigest", "CRC32C");
        }
    }

    @Test
    void shouldRefuseToTransitInTheMiddleOfText() {
        assertRefused(ask(C | OPERATIONAL_TO_FULL, INITIATOR), LoginStatus.INITIATOR_ERROR);
    }

    @Test
    void shouldLimitTheTextOfOneStep() {
        LoginNegotiation.Reply reply = askRaw(C | OPERATIONAL, INITIATOR);
        while (reply.status() == LoginStatus.SUCCESS) {
            reply = askRaw(C | OPERATIONAL, "x".repeat(8000));
        }
        assertThat(reply.why()).contains("65536");
    }

    @Test
    void shouldLimitHowManyRequestsALoginTakes() {
        ask(OPERATIONAL, INITIATOR, TARGET);
        LoginNegotiation.Reply reply = ask(OPERATIONAL);
        int requests = 2;
        while (reply.status() == LoginStatus.SUCCESS) {
            reply = ask(OPERATIONAL);
            requests++;
        }
        assertThat(requests).isEqualTo(LoginNegotiation.MAX_REQUESTS + 1);
        assertRefused(reply, LoginStatus.INITIATOR_ERROR);
    }

    @Test
    void shouldGoOnWithAnAnswerThatOneResponseDoesNotHold() throws Exception {
        String[] pairs = new String[122];
        Arrays.setAll(pairs, i -> String.format("X-%s%03d=y", "k".repeat(56), i));
        pairs[0] = INITIATOR;
        pairs[1] = TARGET;
        LoginNegotiation.Reply first = ask(OPERATIONAL_TO_FULL, pairs);
        assertThat(first.flags()).as("C, and no transit").isEqualTo(C | OPERATIONAL);
        assertThat(first.text()).hasSize(LoginNegotiation.MAX_REPLY_TEXT_BYTES);
        LoginNegotiation.Reply second = askRaw(OPERATIONAL_TO_FULL, "");
        assertThat(second.fullFeature()).isTrue();
        byte[] all = Arrays.copyOf(first.text(), first.text().length + second.text().length);
        System.arraycopy(second.text(), 0, all, first.text().length, second.text().length);
        assertThat(TextKeys.parse(all, all.length).pairs())
                .hasSize(122)
                .containsKeys("TargetPortalGroupTag", "MaxRecvDataSegmentLength");
    }

    @Test
    void shouldTakeNoTextWhileItsAnswerGoesOn() {
        String[] pairs = new String[122];
        Arrays.setAll(pairs, i -> String.format("X-%s%03d=y", "k".repeat(56), i));
        pairs[0] = INITIATOR;
        pairs[1] = TARGET;
        ask(OPERATIONAL_TO_FULL, pairs);
        assertRefused(ask(OPERATIONAL_TO_FULL, "DataDigest=None"), LoginStatus.INITIATOR_ERROR);
    }

    // ------------------------------------------------------------------ who and where

    @Test
    void shouldCompareNamesInLowerCase() {
        LoginNegotiation.Reply reply = ask(
                OPERATIONAL_TO_FULL, "InitiatorName=IQN.2026-11.Test:Me", "TargetName=IQN.2026-11.io.holdfast:DISK");
        assertThat(reply.fullFeature()).isTrue();
        assertThat(login.initiatorName()).isEqualTo("iqn.2026-11.test:me");
    }

    @Test
    void shouldTakeTheLongestNameThereIsWhole() {
        String name = "iqn.2026-11.test:" + "x".repeat(206);
        ask(OPERATIONAL_TO_FULL, "InitiatorName=" + name, TARGET);
        assertThat(login.initiatorName()).hasSize(223).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"two words", "tab\there", "line\nbreak", "\u0085", "\ufffd"})
    void shouldRefuseNamesThatALogCannotHold(String name) {
        LoginNegotiation.Reply reply = ask(OPERATIONAL_TO_FULL, "InitiatorName=" + name, TARGET);
        assertRefused(reply, LoginStatus.INITIATOR_ERROR);
        assertThat(reply.why()).doesNotContain("\n");
    }

    @Test
    void shouldRefuseANameThatIsTooLong() {
        assertRefused(
                ask(OPERATIONAL_TO_FULL, "InitiatorName=" + "x".repeat(224), TARGET), LoginStatus.INITIATOR_ERROR);
    }

    @Test
    void shouldAskForTheNamesItNeeds() {
        assertRefused(ask(OPERATIONAL_TO_FULL, TARGET), LoginStatus.MISSING_PARAMETER);
        assertRefused(new LoginNegotiationTest().ask(OPERATIONAL_TO_FULL, INITIATOR), LoginStatus.MISSING_PARAMETER);
    }

    @Test
    void shouldTellThatATargetIsNotThere() {
        assertRefused(ask(OPERATIONAL_TO_FULL, INITIATOR, "TargetName=iqn.nobody"), LoginStatus.NOT_FOUND);
    }

    @Test
    void shouldRedirectToWhereTheTargetIs() {
        LoginNegotiation.Reply reply =
                ask(SECURITY_TO_OPERATIONAL, INITIATOR, "TargetName=iqn.2026-11.io.holdfast:moved");
        assertThat(reply.status()).isEqualTo(LoginStatus.MOVED_TEMPORARILY);
        assertThat(reply.keys().pairs()).containsExactly(Map.entry("TargetAddress", "192.0.2.7:3260"));
    }

    @Test
    void shouldNeedNoTargetForDiscovery() {
        LoginNegotiation.Reply reply = ask(OPERATIONAL_TO_FULL, INITIATOR, "SessionType=Discovery");
        assertThat(reply.fullFeature()).isTrue();
        assertThat(reply.keys().pairs()).doesNotContainKey("TargetPortalGroupTag");
        assertThat(login.target()).isNull();
    }

    @Test
    void shouldRefuseASessionTypeItDoesNotKnow() {
        assertRefused(
                ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "SessionType=Bulk"), LoginStatus.SESSION_TYPE_UNSUPPORTED);
    }

    @Test
    void shouldRefuseVersionsItDoesNotSpeak() {
        request.bytes()[2] = 2;
        request.bytes()[3] = 1;
        assertRefused(ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET), LoginStatus.UNSUPPORTED_VERSION);
    }

    @Test
    void shouldSpeakTheVersionInCommonWithANewerInitiator() {
        request.bytes()[2] = 5;
        assertThat(ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET).fullFeature()).isTrue();
    }

    @Test
    void shouldNotLetAConnectionJoinASessionThatIsNotThere() {
        request.isidAndTsih(0x00023d000001L, 9);
        assertRefused(ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET), LoginStatus.NO_SUCH_SESSION);
    }

    // ------------------------------------------------------------------ keys

    @Test
    void shouldRefuseAKeyThatIsNegotiatedAgainWithAnotherValue() {
        ask(OPERATIONAL, INITIATOR, TARGET, "ImmediateData=No");
        LoginNegotiation.Reply same = ask(OPERATIONAL, "ImmediateData=No");
        assertThat(same.keys().pairs()).containsEntry("ImmediateData", "No");
        assertRefused(ask(OPERATIONAL_TO_FULL, "ImmediateData=Yes"), LoginStatus.INITIATOR_ERROR);
    }

    @Test
    void shouldNotBecomeAnotherSessionInTheMiddleOfALogin() {
        ask(OPERATIONAL, INITIATOR, TARGET);
        request.isidAndTsih(0x00023d000002L, 0);
        assertRefused(ask(OPERATIONAL_TO_FULL), LoginStatus.INVALID_REQUEST);
    }

    @Test
    void shouldKeepTheInitiatorsFirstNameForTheWholeLogin() {
        ask(OPERATIONAL, INITIATOR, TARGET);
        assertThat(ask(OPERATIONAL_TO_FULL, "InitiatorName=iqn.2026-11.test:other")
                        .fullFeature())
                .isTrue();
        assertThat(login.initiatorName()).isEqualTo("iqn.2026-11.test:me");
    }

    @ParameterizedTest
    @ValueSource(strings = {"NotUnderstood", "Irrelevant", "Reject"})
    void shouldNotAnswerAnAnswer(String answer) {
        LoginNegotiation.Reply reply =
                ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "X-key=" + answer, "TargetAlias=" + answer);
        assertThat(reply.fullFeature()).isTrue();
        assertThat(reply.keys().pairs()).doesNotContainKeys("X-key", "TargetAlias");
    }

    @Test
    void shouldSayThatATargetsKeyMeansNothingAndTellItsOwn() {
        assertThat(ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "TargetPortalGroupTag=3", "SendTargets=All")
                        .keys()
                        .pairs())
                .containsEntry("TargetPortalGroupTag", "7")
                .containsEntry("SendTargets", "Irrelevant");
    }

    @Test
    void shouldRefuseAValueThatIsTooLong() {
        assertRefused(
                ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "InitiatorAlias=" + "a".repeat(256)),
                LoginStatus.INITIATOR_ERROR);
        LoginNegotiationTest another = new LoginNegotiationTest();
        assertThat(another.ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "InitiatorAlias=" + "a".repeat(255))
                        .fullFeature())
                .isTrue();
    }

    @Test
    void shouldKeepTheFirstBurstWithinTheLongest() {
        ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "MaxBurstLength=4096");
        assertThat(login.parameters().firstBurstLength()).isEqualTo(4096);
    }

    @Test
    void shouldSayThatItDoesNotUnderstandAKey() {
        assertThat(ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "X-org.example.Speed=11")
                        .keys()
                        .pairs())
                .containsEntry("X-org.example.Speed", "NotUnderstood");
    }

    @Test
    void shouldAnswerWhatIsNegotiatedAndNotWhatIsDeclared() {
        assertThat(ask(
                                OPERATIONAL_TO_FULL,
                                INITIATOR,
                                TARGET,
                                "InitiatorAlias=web1",
                                "SessionType=Normal",
                                "MaxRecvDataSegmentLength=8192",
                                "ErrorRecoveryLevel=2",
                                "OFMarkInt=1~2048")
                        .keys()
                        .pairs())
                .containsEntry("ErrorRecoveryLevel", "0")
                .containsEntry("OFMarkInt", "Irrelevant")
                .containsEntry("MaxRecvDataSegmentLength", "262144")
                .doesNotContainKeys("InitiatorAlias", "SessionType", "InitiatorName", "TargetName");
        assertThat(login.parameters().maxRecvDataSegmentLength()).isEqualTo(8192);
    }

    @Test
    void shouldHoldTheInitialValuesOfKeysThatNobodyMentions() {
        ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET);
        assertThat(login.parameters())
                .isEqualTo(new SessionParameters(Digest.NONE, Digest.NONE, 8192, true, 262144, 65536, 1, 1, 0));
    }

    @ParameterizedTest
    @CsvSource({
        "AuthMethod=CHAP, AUTHENTICATION_FAILED",
        "HeaderDigest=MD5, INITIATOR_ERROR",
        "MaxBurstLength=0, INITIATOR_ERROR",
        "ImmediateData=Maybe, INITIATOR_ERROR",
    })
    void shouldRefuseWhatCannotBeAgreedOnAndSayWhatCan(String pair, LoginStatus status) {
        LoginNegotiation.Reply reply = ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, pair);
        assertRefused(reply, status);
        assertThat(reply.why()).contains(pair).contains("here it is");
    }

    @Test
    void shouldRefuseARepeatedKey() {
        assertRefused(
                ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "DataDigest=None", "DataDigest=CRC32C"),
                LoginStatus.INITIATOR_ERROR);
    }

    @ParameterizedTest
    @ValueSource(strings = {"no equals sign\0", "=value\0", "\u0001\u0002=\0", "two words=1\0", "Schlüssel=1\0"})
    void shouldRefuseTextThatIsNotKeyAndValue(String text) {
        assertRefused(askRaw(OPERATIONAL_TO_FULL, INITIATOR + '\0' + text), LoginStatus.INITIATOR_ERROR);
    }

    @Test
    void shouldEncodeItsAnswersAsText() throws Exception {
        LoginNegotiation.Reply reply = ask(OPERATIONAL_TO_FULL, INITIATOR, TARGET, "ImmediateData=Yes");
        byte[] encoded = reply.keys().encode();
        assertThat(TextKeys.parse(encoded, encoded.length)).isEqualTo(reply.keys());
    }
}
