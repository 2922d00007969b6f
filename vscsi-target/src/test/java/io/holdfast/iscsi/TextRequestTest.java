package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Text Requests in full feature phase (RFC 7143 §11.10): discovery, keys, answers over several PDUs. */
class TextRequestTest {
    private final IscsiRig rig = new IscsiRig();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private static Pdu sendTargets(TestInitiator initiator, String value) {
        Pdu text = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL).with("SendTargets=" + value);
        text.header().targetTransferTag(BasicHeader.NO_TAG);
        return initiator.numbered(text);
    }

    @Test
    void shouldListTargetsInADiscoverySession() {
        TestInitiator initiator = rig.connect().discovery();
        initiator.send(sendTargets(initiator, "All"));
        Pdu answer = initiator.expect(Opcode.TEXT_RESPONSE);
        assertThat(answer.header().flag(BasicHeader.FINAL)).isTrue();
        assertThat(answer.header().targetTransferTag()).isEqualTo(BasicHeader.NO_TAG);
        assertThat(answer.keys()).containsEntry("TargetName", IscsiRig.TARGET).containsKey("TargetAddress");
        assertThat(rig.events).as("nobody is told of a discovery").isEmpty();
    }

    @Test
    void shouldRejectSendTargetsOfNoLegalValue() {
        TestInitiator initiator = rig.connect().discovery();
        for (String value : new String[] {"all", "Alle", "A"}) {
            initiator.send(sendTargets(initiator, value));
            assertThat(initiator.expect(Opcode.TEXT_RESPONSE).keys())
                    .containsExactly(Map.entry("SendTargets", "Reject"));
        }
        initiator.send(sendTargets(initiator, "iqn.2026-11.io.holdfast:unknown"));
        assertThat(initiator.expect(Opcode.TEXT_RESPONSE).data())
                .as("legal, and not there")
                .isEmpty();
    }

    @Test
    void shouldContinueALongAnswerWhenAsked() {
        String[] keys = new String[40];
        for (int i = 0; i < keys.length; i++) {
            keys[i] = "X-io.holdfast.key" + i + "=value";
        }
        TestInitiator initiator = rig.connect().login("MaxRecvDataSegmentLength=512");
        Pdu request = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL).with(keys);
        request.header().targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.numbered(request));
        StringBuilder all = new StringBuilder();
        Pdu answer = initiator.expect(Opcode.TEXT_RESPONSE);
        while (!answer.header().flag(BasicHeader.FINAL)) {
            assertThat(answer.header().flag(BasicHeader.CONTINUE)).isTrue();
            assertThat(answer.data()).hasSize(512);
            all.append(new String(answer.data(), StandardCharsets.UTF_8));
            Pdu more = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL);
            more.header()
                    .initiatorTaskTag(answer.header().initiatorTaskTag())
                    .targetTransferTag(answer.header().targetTransferTag());
            initiator.send(initiator.numbered(more));
            answer = initiator.expect(Opcode.TEXT_RESPONSE);
        }
        all.append(new String(answer.data(), StandardCharsets.UTF_8));
        assertThat(all.toString().split("\0")).hasSize(40).allMatch(pair -> pair.endsWith("=NotUnderstood"));
    }

    @Test
    void shouldJoinARequestThatComesInParts() {
        TestInitiator initiator = rig.connect().discovery();
        byte[] text = "SendTargets=All\0".getBytes(StandardCharsets.US_ASCII);
        Pdu first = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.CONTINUE).with(Arrays.copyOf(text, 5));
        first.header().targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.numbered(first));
        Pdu more = initiator.expect(Opcode.TEXT_RESPONSE);
        assertThat(more.data()).isEmpty();
        Pdu second = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL).with(Arrays.copyOfRange(text, 5, text.length));
        second.header()
                .initiatorTaskTag(first.header().initiatorTaskTag())
                .targetTransferTag(more.header().targetTransferTag());
        initiator.send(initiator.numbered(second));
        assertThat(initiator.expect(Opcode.TEXT_RESPONSE).keys()).containsEntry("TargetName", IscsiRig.TARGET);
    }

    private static Pdu text(TestInitiator initiator, String... pairs) {
        Pdu text = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL).with(pairs);
        text.header().targetTransferTag(BasicHeader.NO_TAG);
        return initiator.numbered(text);
    }

    @Test
    void shouldSendNoMoreInAPduThanTheInitiatorDeclaredLast() {
        TestInitiator initiator =
                rig.connect().login("MaxRecvDataSegmentLength=4096").ready();
        initiator.send(text(initiator, "MaxRecvDataSegmentLength=512"));
        assertThat(initiator.expect(Opcode.TEXT_RESPONSE).data())
                .as("declared, not negotiated")
                .isEmpty();
        initiator.send(initiator.read(0, 8));
        for (int i = 0; i < 8; i++) {
            assertThat(initiator.expect(Opcode.DATA_IN).data()).hasSize(512);
        }
    }

    @Test
    void shouldNotNegotiateAgainWhatLoginDecided() {
        TestInitiator initiator = rig.connect().login().ready();
        initiator.send(text(initiator, "MaxBurstLength=512", "HeaderDigest=CRC32C", "InitiatorAlias=me"));
        assertThat(initiator.expect(Opcode.TEXT_RESPONSE).keys())
                .containsEntry("MaxBurstLength", "Reject")
                .containsEntry("HeaderDigest", "Reject")
                .doesNotContainKey("InitiatorAlias");
        initiator.readAll(0, 4);
    }

    @Test
    void shouldRejectANegotiationThatFailsAndKeepWhatHeld() {
        TestInitiator initiator =
                rig.connect().login("MaxRecvDataSegmentLength=4096").ready();
        initiator.send(text(initiator, "MaxRecvDataSegmentLength=100"));
        assertThat(initiator.expect(Opcode.REJECT).header().response()).isEqualTo(4);
        initiator.send(text(initiator, "=nonsense"));
        assertThat(initiator.expect(Opcode.REJECT).header().response()).isEqualTo(4);
        initiator.send(initiator.read(0, 8));
        assertThat(initiator.expect(Opcode.DATA_IN).data()).hasSize(4096);
    }

    @Test
    void shouldRejectTextThatContinuesNothing() {
        TestInitiator initiator = rig.connect().login();
        Pdu lost = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL);
        lost.header().targetTransferTag(1);
        initiator.send(initiator.numbered(lost));
        assertThat(initiator.expect(Opcode.REJECT).header().response()).isEqualTo(9);
        initiator.send(sendTargets(initiator, ""));
        initiator.expect(Opcode.TEXT_RESPONSE);
    }

    @Test
    void shouldLeaveANegotiationOpenUntilTheInitiatorEndsIt() {
        TestInitiator initiator = rig.connect().login();
        Pdu first = Pdu.of(Opcode.TEXT_REQUEST, 0).with("SendTargets=");
        first.header().targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.numbered(first));
        Pdu answer = initiator.expect(Opcode.TEXT_RESPONSE);
        assertThat(answer.header().flag(BasicHeader.FINAL)).isFalse();
        assertThat(answer.keys()).containsEntry("TargetName", IscsiRig.TARGET);
        Pdu last = Pdu.of(Opcode.TEXT_REQUEST, BasicHeader.FINAL).with("X-more=1");
        last.header()
                .initiatorTaskTag(first.header().initiatorTaskTag())
                .targetTransferTag(answer.header().targetTransferTag());
        initiator.send(initiator.numbered(last));
        Pdu end = initiator.expect(Opcode.TEXT_RESPONSE);
        assertThat(end.header().flag(BasicHeader.FINAL)).isTrue();
        assertThat(end.keys()).containsOnlyKeys("X-more");
    }

    @Test
    void shouldShowOnlyItsOwnTargetInANormalSession() {
        TestInitiator initiator = rig.connect().login();
        initiator.send(sendTargets(initiator, ""));
        assertThat(initiator.expect(Opcode.TEXT_RESPONSE).keys()).containsEntry("TargetName", IscsiRig.TARGET);
        initiator.send(sendTargets(initiator, "All"));
        assertThat(initiator.expect(Opcode.TEXT_RESPONSE).data()).isEmpty();
    }

    @Test
    void shouldExecuteNothingInADiscoverySession() {
        TestInitiator reader = rig.connect().discovery();
        reader.send(reader.read(0, 1));
        reader.expectClosed();
        TestInitiator writer = rig.connect().discovery();
        writer.send(writer.write(0, 1, new byte[512]));
        writer.expectClosed();
        TestInitiator manager = rig.connect().discovery();
        manager.send(manager.taskManagement(1, 5));
        manager.expectClosed();
    }
}
