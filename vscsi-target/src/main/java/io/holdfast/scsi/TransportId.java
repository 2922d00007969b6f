package io.holdfast.scsi;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An initiator as a TransportID names it (SPC-4 §7.6.4.6, iSCSI).
 *
 * @param name an initiator port, {@code name,i,0xISID}, or an initiator device, of which it may be any port
 * @param lengthBytes what the TransportID takes in a parameter list
 */
record TransportId(String name, int lengthBytes) {
    private static final int ISCSI = 0x05;
    private static final int PORT_FORMAT = 0x40;
    private static final int HEADER_BYTES = 4;
    private static final int MIN_ADDITIONAL_BYTES = 20;
    private static final int MAX_NAME_BYTES = 223;

    private static final String SEPARATOR = ",i,0x";
    private static final Pattern NAME = Pattern.compile("[^\\p{Cntrl}\\p{Space},]+");
    private static final Pattern ISID = Pattern.compile("[0-9a-f]{1,12}");

    /** True if this names one port, not a device. */
    boolean isPort() {
        return name.contains(SEPARATOR);
    }

    /** True if this port is meant. */
    boolean names(String initiatorPort) {
        return isPort() ? initiatorPort.equals(name) : initiatorPort.startsWith(name + SEPARATOR);
    }

    /** The TransportID of an initiator port. */
    static byte[] encode(String initiatorPort) {
        byte[] text = initiatorPort.getBytes(StandardCharsets.UTF_8);
        // A null at least, and words of four bytes.
        int additional = Math.max(MIN_ADDITIONAL_BYTES, (text.length + 4) & ~3);
        byte[] id = Arrays.copyOf(
                new byte[] {(byte) (initiatorPort.contains(SEPARATOR) ? PORT_FORMAT | ISCSI : ISCSI)},
                HEADER_BYTES + additional);
        id[2] = (byte) (additional >>> 8);
        id[3] = (byte) additional;
        System.arraycopy(text, 0, id, HEADER_BYTES, text.length);
        return id;
    }

    /**
     * Reads the TransportID that begins at a byte and must end within {@code limit}.
     *
     * @return null if it is none of an iSCSI initiator
     */
    static @Nullable TransportId parse(byte[] list, int at, int limit) {
        if (limit - at < HEADER_BYTES + MIN_ADDITIONAL_BYTES) {
            return null;
        }
        int additional = Cdb.u16(list, at + 2);
        int end = at + HEADER_BYTES + additional;
        int format = Cdb.u8(list, at);
        if (additional < MIN_ADDITIONAL_BYTES
                || (additional & 3) != 0
                || end > limit
                || (format & ~PORT_FORMAT) != ISCSI
                || list[end - 1] != 0) {
            return null;
        }
        int from = at + HEADER_BYTES;
        int nul = from;
        while (list[nul] != 0) {
            nul++;
        }
        String name = normalised(new String(list, from, nul - from, StandardCharsets.UTF_8), format != ISCSI);
        return name == null ? null : new TransportId(name, HEADER_BYTES + additional);
    }

    /** The way names are written here: in lower case, with twelve digits of ISID. */
    private static @Nullable String normalised(String text, boolean port) {
        String lower = text.toLowerCase(Locale.ROOT);
        int separator = lower.indexOf(SEPARATOR);
        if ((separator >= 0) != port) {
            return null;
        }
        String device = port ? lower.substring(0, separator) : lower;
        Matcher isid = ISID.matcher(port ? lower.substring(separator + SEPARATOR.length()) : "0");
        if (!NAME.matcher(device).matches()
                || device.getBytes(StandardCharsets.UTF_8).length > MAX_NAME_BYTES
                || !isid.matches()) {
            return null;
        }
        return port ? device + SEPARATOR + String.format("%012x", Long.parseLong(isid.group(), 16)) : device;
    }
}
