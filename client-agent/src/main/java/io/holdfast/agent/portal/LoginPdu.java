package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Isid;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.TextKeys;
import io.netty.buffer.ByteBuf;

/**
 * The first Login Request of a connection, kept because it may have to wait.
 *
 * @param header a copy of its own
 * @param text its data segment
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared, never shared.
record LoginPdu(BasicHeader header, byte[] text, TextKeys keys) {

    static LoginPdu of(BasicHeader header, byte[] text, TextKeys keys) {
        BasicHeader own = new BasicHeader();
        System.arraycopy(header.bytes(), 0, own.bytes(), 0, BasicHeader.BYTES);
        return new LoginPdu(own, text, keys);
    }

    String initiator() {
        return keys.pairs().getOrDefault("InitiatorName", "");
    }

    String target() {
        return keys.pairs().getOrDefault("TargetName", "");
    }

    long isid() {
        return header.isid();
    }

    boolean discovery() {
        return "Discovery".equals(keys.pairs().get("SessionType"));
    }

    /** libiscsi's, which take a Time2Wait of zero as leave to come back at once; the Linux kernel's are others. */
    boolean fromLibiscsi() {
        return Isid.isRandom(isid());
    }

    /** The PDU as it came: no digests yet. */
    void writeTo(ByteBuf out) {
        BasicHeader copy = new BasicHeader();
        System.arraycopy(header.bytes(), 0, copy.bytes(), 0, BasicHeader.BYTES);
        new PduEncoder().writePdu(copy, text, text.length, out);
    }

    /** "Target moved temporarily" (RFC 7143 §11.13.5), to {@code ip:port}: without a portal group tag (§13.8). */
    void writeRedirect(String address, ByteBuf out) {
        BasicHeader response = new BasicHeader()
                .begin(Opcode.LOGIN_RESPONSE, 0)
                .isidAndTsih(header.isid(), 0)
                .initiatorTaskTag(header.initiatorTaskTag())
                .statSn(1)
                .window(header.cmdSn(), header.cmdSn())
                .loginStatus(1, 1);
        byte[] keysOut = new TextKeys(java.util.Map.of("TargetAddress", address)).encode();
        new PduEncoder().writePdu(response, keysOut, keysOut.length, out);
    }

    @Override
    public String toString() {
        return TextKeys.printable(initiator()) + " " + Isid.print(isid()) + " for "
                + (discovery() ? "discovery" : TextKeys.printable(target()));
    }
}
