package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduDecoder;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.WireException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An initiator that says what a test tells it to say, right or wrong, and takes apart what the target answers. */
final class TestInitiator {
    static final String NAME = "iqn.2026-11.io.holdfast.test:initiator";
    static final long LINUX_ISID = 0x00023d000001L;
    static final long LIBISCSI_ISID = 0x800000000001L;
    static final int GOOD = 0;
    static final int CHECK_CONDITION = 2;

    private final Wire wire;
    private final PduEncoder encoder = new PduEncoder();
    private final PduDecoder decoder = new PduDecoder((1 << 24) - 1);
    private final ArrayDeque<Pdu> inbox = new ArrayDeque<>();
    private boolean ended;
    String name = NAME;
    long isid = LINUX_ISID;
    String targetName = IscsiRig.TARGET;
    int cmdSn = 1;
    /** Of the session: 0 until it is logged in, or the one that it is to join. */
    int tsih;

    int connectionId;
    int nextTag = 0x100;
    int maxCmdSn;
    int statSn;

    TestInitiator(Wire wire) {
        this.wire = wire;
    }

    // ------------------------------------------------------------------ PDUs

    byte[] encode(Pdu pdu) {
        ByteBuf out = Unpooled.buffer();
        encoder.writePdu(pdu.header(), pdu.data(), pdu.data().length, out);
        return ByteBufUtil.getBytes(out);
    }

    void send(Pdu... pdus) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Pdu pdu : pdus) {
            all.writeBytes(encode(pdu));
        }
        wire.send(all.toByteArray());
    }

    void sendRaw(byte[] bytes) {
        wire.send(bytes);
    }

    /** The next PDU, which must be this one. */
    Pdu expect(int opcode) {
        Pdu pdu = next();
        assertThat(Opcode.name(pdu.header().opcode())).isEqualTo(Opcode.name(opcode));
        return pdu;
    }

    Pdu next() {
        while (inbox.isEmpty() && !ended) {
            if (!receive()) {
                break;
            }
        }
        Pdu pdu = inbox.poll();
        assertThat(pdu)
                .as(ended ? "the connection is closed" : "nothing has come")
                .isNotNull();
        return pdu;
    }

    private boolean receive() {
        byte[] bytes = wire.receive();
        if (bytes == null) {
            ended = true;
            return false;
        }
        try {
            decoder.decode(Unpooled.wrappedBuffer(bytes), new Inbox());
        } catch (WireException e) {
            throw new AssertionError("the target sent what is not iSCSI", e);
        }
        return bytes.length > 0;
    }

    void expectNothing() {
        receive();
        assertThat(inbox).as("PDUs from the target").isEmpty();
        assertThat(ended).as("closed").isFalse();
    }

    void expectClosed() {
        while (!ended && receive()) {
            // Whatever still comes.
        }
        receive();
        assertThat(inbox).as("PDUs from the target").isEmpty();
        assertThat(ended).as("closed by the target").isTrue();
    }

    boolean closedByTarget() {
        while (!ended && receive()) {
            // Whatever still comes.
        }
        return ended;
    }

    void close() {
        wire.close();
    }

    private final class Inbox implements PduDecoder.Receiver {
        @Override
        public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
            return Unpooled.buffer(lengthBytes);
        }

        @Override
        public void pduReceived(BasicHeader header, ByteBuf data) {
            BasicHeader copy = new BasicHeader();
            System.arraycopy(header.bytes(), 0, copy.bytes(), 0, BasicHeader.BYTES);
            inbox.add(new Pdu(copy, ByteBufUtil.getBytes(data)));
            statSn = header.statSn();
            if (header.opcode() != Opcode.REJECT) {
                maxCmdSn = header.maxCmdSn();
            }
        }

        @Override
        public void dataDigestFailed(BasicHeader header, ByteBuf data) {
            throw new AssertionError("wrong data digest in " + header);
        }
    }

    // ------------------------------------------------------------------ login

    /** A Login Request from this stage to that one. */
    Pdu loginRequest(int stage, int nextStage, String... pairs) {
        Pdu pdu = Pdu.of(Opcode.LOGIN_REQUEST, BasicHeader.FINAL | stage << 2 | nextStage)
                .immediate()
                .with(pairs);
        pdu.header().isidAndTsih(isid, tsih).initiatorTaskTag(0x7777).cmdSn(cmdSn);
        pdu.header().putShort(20, connectionId);
        return pdu;
    }

    /** Logs in to the target in one step, with these keys beside the names. */
    TestInitiator login(String... keys) {
        return login("Normal", keys);
    }

    TestInitiator discovery(String... keys) {
        return login("Discovery", keys);
    }

    /** Its next login joins the session of another connection. */
    TestInitiator joining(TestInitiator leading, int newConnectionId) {
        name = leading.name;
        isid = leading.isid;
        tsih = leading.tsih;
        cmdSn = leading.cmdSn;
        connectionId = newConnectionId;
        return this;
    }

    /** Asks for a login in one step, and does not wait for the answer. */
    void sendLogin(String... keys) {
        sendLogin("Normal", keys);
    }

    /** The answer to a login that succeeds. */
    Pdu loginAnswer(String... keys) {
        sendLogin("Normal", keys);
        return loginAnswer();
    }

    /** The answer to a login that fails. */
    Pdu loginRefusal(String... keys) {
        sendLogin("Normal", keys);
        Pdu answer = expect(Opcode.LOGIN_RESPONSE);
        assertThat(answer.header().loginStatusClass()).as("login status class").isNotZero();
        expectClosed();
        return answer;
    }

    private TestInitiator login(String type, String... keys) {
        sendLogin(type, keys);
        loginAnswer();
        return this;
    }

    private void sendLogin(String type, String... keys) {
        List<String> all = new ArrayList<>(List.of("InitiatorName=" + name, "SessionType=" + type));
        if (type.equals("Normal")) {
            all.add("TargetName=" + targetName);
        }
        all.addAll(Arrays.asList(keys));
        send(loginRequest(LoginNegotiation.OPERATIONAL, LoginNegotiation.FULL_FEATURE, all.toArray(new String[0])));
    }

    private Pdu loginAnswer() {
        Pdu answer = expect(Opcode.LOGIN_RESPONSE);
        assertThat(answer.header().loginStatusClass()).as("login status class").isZero();
        tsih = answer.header().tsih();
        assertThat(answer.header().flag(BasicHeader.FINAL)).as("transit").isTrue();
        Digest header = LoginKey.digest(answer.keys().getOrDefault("HeaderDigest", "None"));
        Digest data = LoginKey.digest(answer.keys().getOrDefault("DataDigest", "None"));
        encoder.digests(header, data);
        decoder.digests(header, data);
        return answer;
    }

    // ------------------------------------------------------------------ requests

    /** Gives a request its place in the order and, if it has none, a tag. */
    Pdu numbered(Pdu pdu) {
        pdu.header().cmdSn(cmdSn);
        if (!pdu.header().immediate()) {
            cmdSn++;
        }
        if (pdu.header().initiatorTaskTag() == 0) {
            pdu.header().initiatorTaskTag(nextTag++);
        }
        return pdu;
    }

    Pdu write(long lba, int blocks, byte[] immediateData) {
        return numbered(Pdu.command(
                        Opcode.SCSI_COMMAND,
                        BasicHeader.WRITE,
                        String.format("2a 00 %08x 00 %04x 00", lba, blocks),
                        blocks * 512L)
                .with(immediateData));
    }

    Pdu read(long lba, int blocks) {
        return numbered(Pdu.command(
                Opcode.SCSI_COMMAND,
                BasicHeader.READ,
                String.format("28 00 %08x 00 %04x 00", lba, blocks),
                blocks * 512L));
    }

    Pdu testUnitReady() {
        return numbered(Pdu.command(Opcode.SCSI_COMMAND, 0, "00 00 00 00 00 00", 0));
    }

    /** A Data-Out that answers an R2T with all or the given part of what it asks for. */
    Pdu dataOut(Pdu r2t, int dataSn, int offset, byte[] data, int flags) {
        Pdu pdu = Pdu.of(Opcode.DATA_OUT, flags).with(data);
        pdu.header()
                .lun(r2t.header().lun())
                .initiatorTaskTag(r2t.header().initiatorTaskTag())
                .targetTransferTag(r2t.header().targetTransferTag())
                .dataSn(dataSn)
                .bufferOffset(offset);
        return pdu;
    }

    Pdu dataOut(Pdu r2t, byte[] all) {
        int offset = (int) r2t.header().bufferOffset();
        int length = r2t.header().desiredTransferLength();
        return dataOut(r2t, 0, offset, Arrays.copyOfRange(all, offset, offset + length), BasicHeader.FINAL);
    }

    Pdu taskManagement(int function, int referencedTag) {
        Pdu pdu = Pdu.of(Opcode.TASK_MANAGEMENT_REQUEST, BasicHeader.FINAL | function)
                .immediate();
        pdu.header().putInt(20, referencedTag);
        return numbered(pdu);
    }

    /** Takes the unit attention that every new nexus hears first. */
    TestInitiator ready() {
        send(testUnitReady());
        assertThat(expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isEqualTo(CHECK_CONDITION);
        return this;
    }

    Pdu expectStatus(int tag, int status) {
        Pdu answer = expect(Opcode.SCSI_RESPONSE);
        assertThat(answer.header().initiatorTaskTag()).as("task tag").isEqualTo(tag);
        assertThat(answer.header().scsiStatus()).as("status").isEqualTo(status);
        return answer;
    }

    /** Writes whole blocks as the target asks for them. */
    void writeAll(long lba, byte[] data) {
        Pdu command = write(lba, data.length / 512, Pdu.NO_DATA);
        send(command);
        for (Pdu pdu = next(); ; pdu = next()) {
            if (pdu.header().opcode() != Opcode.R2T) {
                assertThat(pdu.header().opcode()).isEqualTo(Opcode.SCSI_RESPONSE);
                assertThat(pdu.header().scsiStatus()).isEqualTo(GOOD);
                return;
            }
            send(dataOut(pdu, data));
        }
    }

    /** Reads whole blocks, in however many Data-In PDUs. */
    byte[] readAll(long lba, int blocks) {
        send(read(lba, blocks));
        byte[] all = new byte[blocks * 512];
        Pdu pdu;
        do {
            pdu = expect(Opcode.DATA_IN);
            System.arraycopy(pdu.data(), 0, all, (int) pdu.header().bufferOffset(), pdu.data().length);
        } while (!pdu.header().flag(BasicHeader.STATUS));
        assertThat(pdu.header().scsiStatus()).isEqualTo(GOOD);
        return all;
    }
}
