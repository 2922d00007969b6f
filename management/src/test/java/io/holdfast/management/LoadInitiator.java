package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduDecoder;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One session over a real socket, small enough to have a thousand of: logs in, reads, or leaves off in the middle. */
final class LoadInitiator implements AutoCloseable {
    private static final int PATIENCE_MS = 30_000;
    private static final int OPERATIONAL_TO_FULL = BasicHeader.FINAL | 1 << 2 | 3;
    private static final long ISID = 0x00023d000001L;

    private final Socket socket = new Socket();
    private final PduEncoder encoder = new PduEncoder();
    private final PduDecoder decoder = new PduDecoder((1 << 24) - 1);
    private final byte[] buffer = new byte[64 << 10];
    private int cmdSn = 1;
    private int tag = 1;
    private int ended;
    private int lastOpcode;

    /** Only connects. */
    LoadInitiator(int port) throws IOException {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MS);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), PATIENCE_MS);
    }

    static LoadInitiator login(int port, String target, String name) throws IOException {
        LoadInitiator initiator = new LoadInitiator(port);
        initiator.login(target, name);
        return initiator;
    }

    void login(String target, String name) throws IOException {
        Map<String, String> keys = new LinkedHashMap<>();
        keys.put("InitiatorName", name);
        keys.put("SessionType", "Normal");
        keys.put("TargetName", target);
        keys.put("MaxRecvDataSegmentLength", "262144");
        byte[] text = new TextKeys(keys).encode();
        BasicHeader header = new BasicHeader().begin(Opcode.LOGIN_REQUEST, OPERATIONAL_TO_FULL);
        header.immediate(true);
        header.isidAndTsih(ISID, 0).initiatorTaskTag(tag++).cmdSn(cmdSn).dataSegmentBytes(text.length);
        send(header, text);
        awaitAnswer(Opcode.LOGIN_RESPONSE);
    }

    void logout() throws IOException {
        BasicHeader header = new BasicHeader().begin(Opcode.LOGOUT_REQUEST, BasicHeader.FINAL);
        header.immediate(true);
        header.initiatorTaskTag(tag++).cmdSn(cmdSn);
        send(header, new byte[0]);
        awaitAnswer(Opcode.LOGOUT_RESPONSE);
    }

    /** Sends a READ (10) and waits for nothing. */
    void sendRead(int lba, int blocks) throws IOException {
        send(command(BasicHeader.READ, 0x28, lba, blocks), new byte[0]);
    }

    /** Sends a WRITE (10) whose data segment is announced whole and sent in part. */
    void sendPartOfAWrite(int lba, int blocks, int sentBytes) throws IOException {
        BasicHeader header = command(BasicHeader.WRITE, 0x2a, lba, blocks);
        byte[] data = new byte[blocks * 512];
        header.dataSegmentBytes(data.length);
        ByteBuf out = Unpooled.buffer();
        encoder.writePdu(header, data, data.length, out);
        socket.getOutputStream().write(ByteBufUtil.getBytes(out, 0, BasicHeader.BYTES + sentBytes));
    }

    /** SANITIZE, OVERWRITE with one byte, answered as soon as it has begun. */
    void overwriteEverything(int passes, int pattern) throws IOException {
        BasicHeader header = command(BasicHeader.WRITE, 0x48, 0, 0);
        byte[] list = {(byte) passes, 0, 0, 1, (byte) pattern};
        header.bytes()[33] = (byte) 0x81; // IMMED, OVERWRITE
        header.putShort(39, list.length);
        header.putInt(20, list.length);
        header.dataSegmentBytes(list.length);
        send(header, list);
        awaitEnded(1);
    }

    void sendByte() throws IOException {
        socket.getOutputStream().write(0);
    }

    private BasicHeader command(int flags, int opcode, int lba, int blocks) {
        BasicHeader header = new BasicHeader()
                .begin(Opcode.SCSI_COMMAND, BasicHeader.FINAL | flags)
                .initiatorTaskTag(tag++)
                .cmdSn(cmdSn++);
        header.putInt(20, blocks * 512);
        header.bytes()[32] = (byte) opcode;
        header.putInt(34, lba);
        header.putShort(39, blocks);
        return header;
    }

    /** Waits until {@code count} commands more have ended, well or not. */
    void awaitEnded(int count) throws IOException {
        int until = ended + count;
        while (ended < until) {
            receive();
        }
    }

    /** Reads a block and waits for it; the first command of a session is answered by a unit attention. */
    void read(int lba, int blocks) throws IOException {
        sendRead(lba, blocks);
        awaitEnded(1);
    }

    void awaitClosed() throws IOException {
        InputStream in = socket.getInputStream();
        while (in.read(buffer) >= 0) {
            // Whatever still comes.
        }
    }

    private void send(BasicHeader header, byte[] data) throws IOException {
        ByteBuf out = Unpooled.buffer();
        encoder.writePdu(header, data, data.length, out);
        socket.getOutputStream().write(ByteBufUtil.getBytes(out));
    }

    private void awaitAnswer(int opcode) throws IOException {
        lastOpcode = -1;
        while (lastOpcode != opcode) {
            receive();
        }
    }

    private void receive() throws IOException {
        int n = socket.getInputStream().read(buffer);
        if (n < 0) {
            throw new IOException("the server closed the connection");
        }
        try {
            decoder.decode(Unpooled.wrappedBuffer(buffer, 0, n), new Receiver());
        } catch (WireException e) {
            throw new IOException(e);
        }
    }

    private final class Receiver implements PduDecoder.Receiver {
        @Override
        public @Nullable ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
            return null;
        }

        @Override
        public void pduReceived(BasicHeader header, ByteBuf data) throws WireException {
            lastOpcode = header.opcode();
            boolean dataWithStatus = lastOpcode == Opcode.DATA_IN && header.flag(BasicHeader.STATUS);
            if (dataWithStatus || lastOpcode == Opcode.SCSI_RESPONSE) {
                ended++;
            } else if (lastOpcode == Opcode.LOGIN_RESPONSE) {
                assertThat(header.loginStatusClass()).as("login status class").isZero();
            } else if (lastOpcode == Opcode.NOP_IN && header.targetTransferTag() != BasicHeader.NO_TAG) {
                pong(header);
            }
        }

        private void pong(BasicHeader ping) throws WireException {
            BasicHeader pong = new BasicHeader()
                    .begin(Opcode.NOP_OUT, BasicHeader.FINAL)
                    .initiatorTaskTag(BasicHeader.NO_TAG)
                    .targetTransferTag(ping.targetTransferTag())
                    .cmdSn(cmdSn);
            pong.immediate(true);
            try {
                send(pong, new byte[0]);
            } catch (IOException e) {
                throw new WireException("cannot answer a ping: " + e.getMessage());
            }
        }

        @Override
        public void dataDigestFailed(BasicHeader header, ByteBuf data) {
            throw new AssertionError("no digest was agreed on");
        }
    }

    /** The kernel sends RST instead of FIN. */
    void drop() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
