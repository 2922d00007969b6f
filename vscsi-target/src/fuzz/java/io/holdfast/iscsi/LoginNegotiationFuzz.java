package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.scsi.FixedLunView;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Any Login Requests: each is answered or refused with a reason, nobody gets past CHAP without a secret, and what is agreed
 * on lies within the RFC's bounds.
 */
class LoginNegotiationFuzz {
    private static final String INITIATOR = "InitiatorName=iqn.2026-11.test:me\0";
    private static final String TARGET = "TargetName=" + IscsiRig.TARGET + "\0";
    private static final int TO_FULL = BasicHeader.FINAL | 1 << 2 | 3;
    private static final int SECURITY_TO_OPERATIONAL = BasicHeader.FINAL | 1;
    private static final int MAX_LENGTH_VALUE = (1 << 24) - 1;

    private static final TargetDirectory DIRECTORY =
            new IscsiRig.OneTarget(new IscsiTarget(IscsiRig.TARGET, 1, new FixedLunView(Map.of())));
    private static final ChapAccounts ACCOUNTS = new ChapAccounts(List.of(new ChapAccount(
            "me",
            "a secret of the fuzzer".getBytes(StandardCharsets.UTF_8),
            Optional.empty(),
            "holdfast",
            "another secret of it".getBytes(StandardCharsets.UTF_8))));

    static Stream<byte[]> seeds() {
        return Stream.of(
                login(0, request(TO_FULL, INITIATOR + TARGET + "HeaderDigest=CRC32C,None\0DataDigest=CRC32C\0")),
                login(0, request(TO_FULL, INITIATOR + "SessionType=Discovery\0MaxRecvDataSegmentLength=512\0")),
                login(
                        0,
                        request(SECURITY_TO_OPERATIONAL, INITIATOR + TARGET + "AuthMethod=CHAP,None\0"),
                        request(
                                TO_FULL,
                                "MaxBurstLength=16776192\0FirstBurstLength=0x10000\0InitialR2T=No\0"
                                        + "MaxOutstandingR2T=8\0ErrorRecoveryLevel=2\0DefaultTime2Wait=0\0X-a.b=c\0")),
                login(0, request(BasicHeader.CONTINUE | 1 << 2, INITIATOR + "Targ"), request(TO_FULL, "etName=x\0")),
                login(
                        1,
                        request(SECURITY_TO_OPERATIONAL, INITIATOR + TARGET + "AuthMethod=CHAP\0"),
                        request(0, "CHAP_A=8,7,6,5\0"),
                        request(
                                SECURITY_TO_OPERATIONAL,
                                "CHAP_N=me\0CHAP_R=0x" + "00".repeat(32) + "\0CHAP_I=5\0CHAP_C=0b" + "QUJD".repeat(8)
                                        + "\0")));
    }

    private static byte[] request(int flags, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(3 + bytes.length)
                .put((byte) flags)
                .putShort((short) bytes.length)
                .put(bytes)
                .array();
    }

    private static byte[] login(int options, byte[]... requests) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.write(options);
        for (byte[] request : requests) {
            all.writeBytes(request);
        }
        return all.toByteArray();
    }

    @MethodSource("seeds")
    @FuzzTest
    void shouldAnswerOrRefuseAnyLogin(byte[] input) throws WireException {
        ByteBuffer in = ByteBuffer.wrap(input);
        boolean chap = in.hasRemaining() && (in.get() & 1) != 0;
        LoginNegotiation login = new LoginNegotiation(
                DIRECTORY,
                new Sessions(),
                new IscsiSettings(IscsiSettings.MIN_MEMORY_BYTES, 0, chap ? ACCOUNTS : ChapAccounts.NONE));
        BasicHeader request = new BasicHeader().begin(Opcode.LOGIN_REQUEST, 0);
        int requests = 0;
        while (in.remaining() >= 3) {
            request.bytes()[1] = in.get();
            byte[] text = new byte[Math.min(in.getShort() & 0xffff, in.remaining())];
            in.get(text);
            LoginNegotiation.Reply reply = login.apply(request, text, text.length);
            requests++;
            if (reply.status() != LoginStatus.SUCCESS) {
                assertThat(reply.why()).doesNotContain("\n", "\0", "secret of");
                assertThat(reply.fullFeature()).isFalse();
                return;
            }
            // A long answer goes on over several responses.
            assertThat(reply.text().length).isLessThanOrEqualTo(LoginNegotiation.MAX_REPLY_TEXT_BYTES);
            byte[] encoded = reply.keys().encode();
            assertThat(TextKeys.parse(encoded, encoded.length)).isEqualTo(reply.keys());
            if (reply.fullFeature()) {
                assertThat(chap).as("got past CHAP").isFalse();
                check(login);
                return;
            }
        }
        assertThat(requests).isLessThanOrEqualTo(LoginNegotiation.MAX_REQUESTS);
    }

    private static void check(LoginNegotiation login) {
        assertThat(login.initiatorName()).isNotBlank().hasSizeLessThanOrEqualTo(223);
        SessionParameters agreed = login.parameters();
        assertThat(agreed.maxRecvDataSegmentLength()).isBetween(512, MAX_LENGTH_VALUE);
        assertThat(agreed.maxBurstLength()).isBetween(512, MAX_LENGTH_VALUE);
        assertThat(agreed.firstBurstLength()).isBetween(512, MAX_LENGTH_VALUE);
        assertThat(agreed.maxOutstandingR2t()).isBetween(1, 65535);
    }
}
