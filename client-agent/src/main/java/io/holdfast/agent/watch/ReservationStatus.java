package io.holdfast.agent.watch;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/** Reads the parameter data of PERSISTENT RESERVE IN, READ FULL STATUS (SPC-4 §6.15.5). */
final class ReservationStatus {
    private static final int HEADER_BYTES = 8;
    private static final int DESCRIPTOR_BYTES = 24;
    private static final int HOLDER = 0x01;
    /** From here on the types let every registrant in, not the holder alone. */
    private static final int FIRST_REGISTRANTS_TYPE = 5;

    private ReservationStatus() {}

    /**
     * @param owners iSCSI names, in lower case
     * @return who holds a reservation that keeps every one of the owners out; empty if nobody does
     */
    static String foreignHolder(byte[] data, Set<String> owners) {
        ByteBuffer in = ByteBuffer.wrap(data);
        String holder = "";
        boolean ownHolder = false;
        boolean ownRegistrant = false;
        int type = 0;
        int at = HEADER_BYTES;
        while (at + DESCRIPTOR_BYTES <= data.length) {
            int more = in.getInt(at + 20);
            if (more < 4 || at + DESCRIPTOR_BYTES + more > data.length) {
                break;
            }
            String name = initiatorName(data, at + DESCRIPTOR_BYTES + 4, more - 4);
            boolean own = owners.contains(name);
            ownRegistrant |= own;
            if ((data[at + 12] & HOLDER) != 0) {
                type = data[at + 13] & 0xf;
                ownHolder |= own;
                holder = own ? holder : name;
            }
            at += DESCRIPTOR_BYTES + more;
        }
        boolean letIn = ownHolder || ownRegistrant && type >= FIRST_REGISTRANTS_TYPE;
        return letIn ? "" : holder;
    }

    /** Of an iSCSI TransportID (SPC-4 §7.6.4.6): the name ends with a zero byte, or with ",i,0x" and the ISID. */
    private static String initiatorName(byte[] data, int from, int length) {
        String text = new String(data, from, length, StandardCharsets.UTF_8);
        int end = text.indexOf('\0');
        String name = end < 0 ? text : text.substring(0, end);
        int isid = name.indexOf(",i,0x");
        return (isid < 0 ? name : name.substring(0, isid)).toLowerCase(Locale.ROOT);
    }
}
