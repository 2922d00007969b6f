package io.holdfast.net;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Socket addresses as text: {@code 192.0.2.1:3260}, {@code [2001:db8::1]:3260} (RFC 7143 §13.8, IPv6 as RFC 5952 §4 wants
 * it). Zones are left out but in {@link #printHere}: they mean something on one machine only.
 */
public final class Addresses {
    /** RFC 7143 §13.2. */
    public static final int ISCSI_PORT = 3260;

    private static final int MAX_PORT = 65_535;
    private static final int GROUPS = 8;
    private static final Pattern IPV4 = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

    private Addresses() {}

    /** The address, its name if that could not be resolved, or {@code ?} if there is none. */
    public static String print(@Nullable SocketAddress address) {
        if (!(address instanceof InetSocketAddress inet)) {
            return "?";
        }
        InetAddress host = inet.getAddress();
        if (host == null) {
            return inet.getHostString() + ":" + inet.getPort();
        }
        return (host instanceof Inet6Address ? "[" + printHost(host) + "]" : printHost(host)) + ":" + inet.getPort();
    }

    /** With its zone, for readers on this machine: a link-local address cannot be reached without. */
    public static String printHere(InetSocketAddress address) {
        return address.getAddress() instanceof Inet6Address host && host.getScopeId() != 0
                ? "[" + printHost(host) + "%" + host.getScopeId() + "]:" + address.getPort()
                : print(address);
    }

    /** Without port and brackets. */
    public static String printHost(InetAddress host) {
        return host instanceof Inet6Address ? printIpv6(host.getAddress()) : host.getHostAddress();
    }

    /** RFC 5952 §4.2: the longest run of two or more zero groups becomes {@code ::}, of equal ones the first. */
    private static String printIpv6(byte[] bytes) {
        int longest = 0;
        int longestAt = -1;
        for (int from = 0; from < GROUPS; from++) {
            int length = 0;
            while (from + length < GROUPS && group(bytes, from + length) == 0) {
                length++;
            }
            if (length > longest) {
                longest = length;
                longestAt = from;
            }
        }
        StringBuilder text = new StringBuilder();
        int i = 0;
        while (i < GROUPS) {
            if (i == longestAt && longest > 1) {
                text.append("::");
                i += longest;
            } else {
                if (i > 0 && text.charAt(text.length() - 1) != ':') {
                    text.append(':');
                }
                text.append(Integer.toHexString(group(bytes, i)));
                i++;
            }
        }
        return text.toString();
    }

    private static int group(byte[] bytes, int i) {
        return Byte.toUnsignedInt(bytes[2 * i]) << 8 | Byte.toUnsignedInt(bytes[2 * i + 1]);
    }

    /** The same for an iSCSI portal. */
    public static InetSocketAddress parse(String what, String text) throws AddressException {
        return parse(what, text, ISCSI_PORT);
    }

    /**
     * Reads {@code ADDR:PORT}; an IPv6 address stands in brackets. Names are resolved, which may take as long as a name
     * server takes.
     *
     * @param what the setting, for the message
     * @param usualPort the port that such a thing has most often, for the message
     */
    public static InetSocketAddress parse(String what, String text, int usualPort) throws AddressException {
        String host = host(text);
        if (host.isEmpty()) {
            throw new AddressException(what + " '" + text + "' is not ADDRESS:PORT, such as 127.0.0.1:" + usualPort
                    + " or [::1]:" + usualPort);
        }
        int port = port(what, text);
        try {
            return new InetSocketAddress(InetAddress.getByName(host), port);
        } catch (UnknownHostException e) {
            throw new AddressException(what + " '" + text + "': no such host");
        }
    }

    /** Reads {@code IP:PORT}; empty for anything else, such as a name. Asks nobody, so that an event loop may call it. */
    public static Optional<InetSocketAddress> parseNumeric(String text) {
        String host = host(text);
        if (!IPV4.matcher(host).matches() && !IPV6.matcher(host).matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new InetSocketAddress(InetAddress.getByName(host), port("", text)));
        } catch (AddressException | UnknownHostException e) {
            return Optional.empty();
        }
    }

    /** Without its brackets; empty if there is none, or if it is an IPv6 address that has none. */
    private static String host(String text) {
        String host = text.substring(0, Math.max(0, text.lastIndexOf(':')));
        if (host.startsWith("[") && host.endsWith("]")) {
            return host.substring(1, host.length() - 1);
        }
        return host.indexOf(':') >= 0 ? "" : host;
    }

    private static int port(String what, String text) throws AddressException {
        String port = text.substring(text.lastIndexOf(':') + 1);
        try {
            int number = Integer.parseInt(port);
            if (number >= 0 && number <= MAX_PORT) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new AddressException(what + " '" + text + "': port '" + port + "' is not in 0.." + MAX_PORT);
    }
}
