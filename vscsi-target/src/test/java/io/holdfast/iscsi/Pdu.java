package io.holdfast.iscsi;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.iscsi.wire.WireException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/** A PDU as tests build and read it: its header and its data segment. */
final class Pdu {
    static final byte[] NO_DATA = {};

    private final BasicHeader header;
    private final byte[] data;

    Pdu(BasicHeader header, byte[] data) {
        this.header = header;
        this.data = data;
    }

    BasicHeader header() {
        return header;
    }

    byte[] data() {
        return data;
    }

    static Pdu of(int opcode, int flags) {
        return new Pdu(new BasicHeader().begin(opcode, flags), NO_DATA);
    }

    /** A SCSI Command with this CDB, in hexadecimal. */
    static Pdu command(int opcode, int flags, String cdb, long expectedBytes) {
        Pdu pdu = of(opcode, BasicHeader.FINAL | flags);
        byte[] bytes = HexFormat.of().parseHex(cdb.replace(" ", ""));
        System.arraycopy(bytes, 0, pdu.header.bytes(), 32, bytes.length);
        pdu.header.putInt(20, (int) expectedBytes);
        return pdu;
    }

    Pdu with(byte[] newData) {
        header.dataSegmentBytes(newData.length);
        return new Pdu(header, newData);
    }

    Pdu with(String... pairs) {
        Map<String, String> keys = new LinkedHashMap<>();
        for (String pair : pairs) {
            int equals = pair.indexOf('=');
            keys.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        return with(new TextKeys(keys).encode());
    }

    Pdu immediate() {
        header.immediate(true);
        return this;
    }

    Map<String, String> keys() {
        try {
            return TextKeys.parse(data, data.length).pairs();
        } catch (WireException e) {
            throw new AssertionError(e);
        }
    }

    /** SCSI Response: sense key, additional sense code and qualifier, such as {@code 5/24/00}. */
    String sense() {
        return String.format("%x/%02x/%02x", data[4] & 0xf, data[14], data[15]);
    }
}
