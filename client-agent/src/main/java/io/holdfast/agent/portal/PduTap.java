package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Digest;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.Padding;
import io.holdfast.iscsi.wire.WireException;
import io.netty.buffer.ByteBuf;

/**
 * Follows a stream of PDUs that is passed on as it is: sees each header, copies no data but that of login PDUs. Owned by
 * its connection.
 */
final class PduTap {

    /** Hears of the PDUs that go by. */
    interface Observer {
        /** A header has gone by whole; its data segment follows. The header is re-used. */
        void header(BasicHeader header);

        /** A login PDU has gone by whole. */
        void login(BasicHeader header, byte[] text) throws WireException;
    }

    private static final int MAX_LOGIN_BYTES = 64 * 1024;

    private final Observer observer;
    private final BasicHeader header = new BasicHeader();
    private Digest headerDigest = Digest.NONE;
    private Digest dataDigest = Digest.NONE;
    private int filled;
    private int toSkip;
    private byte[] loginText = {};
    private int loginFilled;
    private boolean inLogin;

    PduTap(Observer observer) {
        this.observer = observer;
    }

    void digests(Digest newHeaderDigest, Digest newDataDigest) {
        headerDigest = newHeaderDigest;
        dataDigest = newDataDigest;
    }

    /** True if what went by so far ends with a whole PDU. */
    boolean atBoundary() {
        return filled == 0 && toSkip == 0 && !inLogin;
    }

    /**
     * Looks at everything readable without consuming it.
     *
     * @throws WireException if it is not iSCSI
     */
    void watch(ByteBuf bytes) throws WireException {
        int at = bytes.readerIndex();
        int end = bytes.writerIndex();
        while (at < end) {
            at = step(bytes, at, end);
        }
    }

    /** Looks at no more than the PDU under way, and returns the index after it, or the end. */
    int watchCurrent(ByteBuf bytes) throws WireException {
        int at = bytes.readerIndex();
        int end = bytes.writerIndex();
        while (at < end && !atBoundary()) {
            at = step(bytes, at, end);
        }
        return at;
    }

    private int step(ByteBuf bytes, int at, int end) throws WireException {
        if (inLogin) {
            return copyLogin(bytes, at, end);
        }
        if (toSkip > 0) {
            int skipped = Math.min(toSkip, end - at);
            toSkip -= skipped;
            return at + skipped;
        }
        int taken = Math.min(BasicHeader.BYTES - filled, end - at);
        bytes.getBytes(at, header.bytes(), filled, taken);
        filled += taken;
        if (filled == BasicHeader.BYTES) {
            filled = 0;
            headerDone();
        }
        return at + taken;
    }

    private void headerDone() throws WireException {
        int length = header.dataSegmentBytes();
        observer.header(header);
        if (header.opcode() == Opcode.LOGIN_REQUEST || header.opcode() == Opcode.LOGIN_RESPONSE) {
            if (length > MAX_LOGIN_BYTES) {
                throw new WireException(
                        "a login PDU with " + length + " bytes of text; the limit is " + MAX_LOGIN_BYTES);
            }
            if (length == 0) {
                observer.login(header, new byte[0]);
                return;
            }
            // Login PDUs carry no digests (RFC 7143 §13.1); additional headers have no place in them.
            loginText = new byte[length + Padding.of(length)];
            loginFilled = 0;
            inLogin = true;
            return;
        }
        toSkip = header.additionalHeaderBytes() + headerDigest.bytes();
        if (length > 0) {
            toSkip += length + Padding.of(length) + dataDigest.bytes();
        }
    }

    private int copyLogin(ByteBuf bytes, int at, int end) throws WireException {
        int taken = Math.min(loginText.length - loginFilled, end - at);
        bytes.getBytes(at, loginText, loginFilled, taken);
        loginFilled += taken;
        if (loginFilled == loginText.length) {
            inLogin = false;
            observer.login(header, java.util.Arrays.copyOf(loginText, header.dataSegmentBytes()));
        }
        return at + taken;
    }
}
