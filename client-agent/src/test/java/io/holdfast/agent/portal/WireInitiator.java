package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduDecoder;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.TextKeys;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;

/** One end of an iSCSI connection that blocks, and speaks as libiscsi 1.19 was recorded to speak. */
public final class WireInitiator implements AutoCloseable {
    public static final long LIBISCSI_ISID = 0x80_1234_5600_00L;
    public static final long KERNEL_ISID = 0x00_023d_0000_01L;
    public static final String TARGET = "iqn.2026-11.io.holdfast:disk";

    /** A PDU as it came. */
    @SuppressWarnings("ArrayRecordComponent")
    public record Pdu(BasicHeader header, byte[] data) {
        public Map<String, String> keys() throws Exception {
            return TextKeys.parse(data, data.length).pairs();
        }
    }

    private final Socket socket;
    private final PduDecoder decoder = new PduDecoder(1 << 20);
    private final PduEncoder encoder = new PduEncoder();
    private final Deque<Pdu> received = new ArrayDeque<>();
    private final byte[] buffer = new byte[64 * 1024];
    private int cmdSn = 1;
    private int tag = 100;

    public WireInitiator(InetSocketAddress address) throws IOException {
        this(new Socket(address.getAddress(), address.getPort()));
    }

    public WireInitiator(Socket socket) throws IOException {
        this.socket = socket;
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(10_000);
    }

    /** What libiscsi sends first: straight to full feature phase from the operational stage, no security. */
    public static Map<String, String> libiscsiKeys(String initiator) {
        Map<String, String> keys = new LinkedHashMap<>();
        keys.put("InitiatorName", initiator);
        keys.put("InitiatorAlias", "alias");
        keys.put("TargetName", TARGET);
        keys.put("SessionType", "Normal");
        keys.put("HeaderDigest", "None,CRC32C");
        keys.put("DataDigest", "None");
        keys.put("InitialR2T", "No");
        keys.put("ImmediateData", "Yes");
        keys.put("MaxBurstLength", "262144");
        keys.put("FirstBurstLength", "262144");
        keys.put("DefaultTime2Wait", "2");
        keys.put("DefaultTime2Retain", "0");
        keys.put("MaxOutstandingR2T", "1");
        keys.put("ErrorRecoveryLevel", "0");
        keys.put("IFMarker", "No");
        keys.put("OFMarker", "No");
        keys.put("MaxConnections", "1");
        keys.put("MaxRecvDataSegmentLength", "262144");
        keys.put("DataPDUInOrder", "Yes");
        keys.put("DataSequenceInOrder", "Yes");
        return keys;
    }

    public void sendLogin(long isid, Map<String, String> keys) throws IOException {
        BasicHeader login = new BasicHeader()
                .begin(Opcode.LOGIN_REQUEST, BasicHeader.FINAL | 1 << 2 | 3)
                .isidAndTsih(isid, 0)
                .initiatorTaskTag(7)
                .cmdSn(cmdSn);
        login.immediate(true);
        send(login, new TextKeys(keys).encode());
    }

    /** Logs in and expects to be answered with status class 0. */
    public Pdu login(long isid, Map<String, String> keys) throws Exception {
        sendLogin(isid, keys);
        Pdu response = receive();
        if (response.header.opcode() != Opcode.LOGIN_RESPONSE || response.header.loginStatusClass() != 0) {
            throw new IOException(
                    "login answered with " + response.header + " status " + response.header.loginStatusClass());
        }
        Digest header = "CRC32C".equals(response.keys().get("HeaderDigest")) ? Digest.CRC32C : Digest.NONE;
        Digest data = "CRC32C".equals(response.keys().get("DataDigest")) ? Digest.CRC32C : Digest.NONE;
        decoder.digests(header, data);
        encoder.digests(header, data);
        return response;
    }

    public BasicHeader request(int opcode, int flags) {
        return new BasicHeader().begin(opcode, flags).initiatorTaskTag(tag++).cmdSn(cmdSn++);
    }

    public int read10() throws IOException {
        BasicHeader read = request(Opcode.SCSI_COMMAND, BasicHeader.FINAL | BasicHeader.READ);
        read.putInt(20, 4096);
        read.bytes()[32] = 0x28;
        send(read, new byte[0]);
        return read.initiatorTaskTag();
    }

    public int write10(byte[] immediate) throws IOException {
        BasicHeader write = request(Opcode.SCSI_COMMAND, BasicHeader.FINAL | BasicHeader.WRITE);
        write.putInt(20, immediate.length);
        write.bytes()[32] = 0x2a;
        send(write, immediate);
        return write.initiatorTaskTag();
    }

    public void send(BasicHeader header, byte[] data) throws IOException {
        ByteBuf out = Unpooled.buffer();
        encoder.writePdu(header, data, data.length, out);
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        sendRaw(bytes);
    }

    public void sendRaw(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    public void digests(Digest header, Digest data) {
        decoder.digests(header, data);
        encoder.digests(header, data);
    }

    public Pdu receive() throws Exception {
        while (received.isEmpty()) {
            // One byte at a time: a login's answer decides how what follows in the same segment is read.
            int got = socket.getInputStream().read(buffer, 0, 1);
            if (got < 0) {
                throw new IOException("the portal hung up");
            }
            decoder.decode(Unpooled.wrappedBuffer(buffer, 0, got), new PduDecoder.Receiver() {
                @Override
                public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
                    return Unpooled.buffer(lengthBytes);
                }

                @Override
                public void pduReceived(BasicHeader header, ByteBuf data) {
                    BasicHeader copy = new BasicHeader();
                    System.arraycopy(header.bytes(), 0, copy.bytes(), 0, BasicHeader.BYTES);
                    byte[] bytes = new byte[data.readableBytes()];
                    data.getBytes(data.readerIndex(), bytes);
                    received.add(new Pdu(copy, bytes));
                }

                @Override
                public void dataDigestFailed(BasicHeader header, ByteBuf data) {
                    throw new AssertionError("data digest of " + header);
                }
            });
        }
        return received.remove();
    }

    /** True if the other side ends the connection without another PDU. */
    public boolean hungUp() throws IOException {
        return received.isEmpty() && socket.getInputStream().read(buffer) < 0;
    }

    /** True if nothing comes within a moment. */
    public boolean unanswered(int forMs) throws IOException {
        socket.setSoTimeout(forMs);
        try {
            int got = socket.getInputStream().read(buffer);
            throw new AssertionError("came " + Arrays.toString(Arrays.copyOf(buffer, Math.max(0, got))));
        } catch (java.net.SocketTimeoutException e) {
            return true;
        } finally {
            socket.setSoTimeout(10_000);
        }
    }

    public int localPort() {
        return socket.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
