package io.holdfast.drills;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Another host that logs in to a server and takes a disk for itself. Says what it must, and no more. */
final class ForeignHost implements AutoCloseable {
    private static final String NAME = "iqn.2026-11.io.holdfast.guest:foreign";
    private static final int HEADER_BYTES = 48;
    private static final int LOGIN_RESPONSE = 0x23;
    private static final int SCSI_RESPONSE = 0x21;
    private static final int NOP_IN = 0x20;
    private static final int ASYNCHRONOUS_MESSAGE = 0x32;
    private static final int LIMIT_MS = 20_000;
    private static final int PERSISTENT_RESERVE_OUT = 0x5f;
    private static final int REGISTER = 0x00;
    private static final int RESERVE = 0x01;
    private static final int RELEASE = 0x02;
    private static final int EXCLUSIVE_ACCESS = 0x03;
    private static final int PARAMETER_BYTES = 24;
    private static final long KEY = 0xf0e1;
    /** The first commands after a login may be told what happened before: UNIT ATTENTION. */
    private static final int TRIES = 5;

    private final Socket socket;
    private final OutputStream out;
    private final DataInputStream in;
    private int cmdSn = 1;
    private int expStatSn;

    private ForeignHost(Socket socket) throws IOException {
        this.socket = socket;
        out = socket.getOutputStream();
        in = new DataInputStream(socket.getInputStream());
    }

    static ForeignHost at(int port, String target) throws IOException {
        return at(port, target, NAME);
    }

    /** The same under another name. */
    static ForeignHost at(int port, String target, String name) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(LIMIT_MS);
        ForeignHost host = new ForeignHost(socket);
        host.login(target, name);
        return host;
    }

    private void login(String target, String name) throws IOException {
        byte[] keys = ("InitiatorName=" + name + "\0TargetName=" + target + "\0SessionType=Normal\0")
                .getBytes(StandardCharsets.UTF_8);
        // Login Request, RFC 7143 §11.12: operational negotiation, and on to the full feature phase.
        ByteBuffer header = header(0x43, 0x87, keys.length);
        header.putLong(8, 0x8000_0000_0001_0000L);
        send(header, keys);
        ByteBuffer answer = receive(LOGIN_RESPONSE);
        if (answer.getShort(36) != 0) {
            throw new IOException("login refused: " + Integer.toHexString(answer.getShort(36)));
        }
    }

    /** Registers, and reserves the disk for itself alone. */
    void takeDisk() throws IOException {
        reserve(REGISTER, 0, KEY);
        reserve(RESERVE, KEY, 0);
    }

    void giveDiskBack() throws IOException {
        reserve(RELEASE, KEY, 0);
        reserve(REGISTER, KEY, 0);
    }

    /** PERSISTENT RESERVE OUT, SPC-4 §6.16. */
    private void reserve(int action, long key, long serviceActionKey) throws IOException {
        byte[] parameters = ByteBuffer.allocate(PARAMETER_BYTES)
                .putLong(key)
                .putLong(serviceActionKey)
                .array();
        int status = -1;
        for (int i = 0; i < TRIES && status != 0; i++) {
            // SCSI Command, RFC 7143 §11.3: final, a write, simple; the data come with it.
            ByteBuffer header = header(0x01, 0xa1, parameters.length);
            header.putInt(20, parameters.length);
            header.put(32, (byte) PERSISTENT_RESERVE_OUT).put(33, (byte) action).put(34, (byte) EXCLUSIVE_ACCESS);
            header.putInt(37, parameters.length);
            send(header, parameters);
            cmdSn++;
            status = receive(SCSI_RESPONSE).get(3);
        }
        if (status != 0) {
            throw new IOException("PERSISTENT RESERVE OUT " + action + " ended with status " + status);
        }
    }

    private ByteBuffer header(int opcode, int flags, int dataBytes) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        header.put(0, (byte) opcode).put(1, (byte) flags);
        header.putInt(4, dataBytes);
        header.putInt(16, cmdSn).putInt(24, cmdSn).putInt(28, expStatSn);
        return header;
    }

    private void send(ByteBuffer header, byte[] data) throws IOException {
        byte[] pdu = new byte[HEADER_BYTES + padded(data.length)];
        header.get(0, pdu, 0, HEADER_BYTES);
        System.arraycopy(data, 0, pdu, HEADER_BYTES, data.length);
        out.write(pdu);
    }

    /** The header of the answer; the server may ping or tell something in between. */
    private ByteBuffer receive(int opcode) throws IOException {
        for (; ; ) {
            ByteBuffer header = ByteBuffer.wrap(in.readNBytes(HEADER_BYTES));
            if (header.limit() < HEADER_BYTES) {
                throw new IOException("the server has closed the connection");
            }
            in.skipNBytes(padded(header.getInt(4) & 0xff_ffff));
            if (header.get(0) == opcode) {
                expStatSn = header.getInt(24) + 1;
                return header;
            }
            if (header.get(0) != NOP_IN && header.get(0) != ASYNCHRONOUS_MESSAGE) {
                throw new IOException("the server says " + Integer.toHexString(header.get(0)) + ", not " + opcode);
            }
        }
    }

    private static int padded(int bytes) {
        return (bytes + 3) / 4 * 4;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
