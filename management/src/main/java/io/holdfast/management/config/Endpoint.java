package io.holdfast.management.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;

/** Addresses as people write them: {@code 127.0.0.1:3260}, {@code [::1]:3260}, {@code host:3260}. */
public final class Endpoint {
    private static final int MAX_PORT = 65_535;

    private Endpoint() {}

    /** @param what the setting, for messages */
    public static InetSocketAddress parse(String what, String text) throws ConfigException {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (host.isEmpty() || !bracketed && host.indexOf(':') >= 0) {
            throw new ConfigException(
                    what + " '" + text + "' is not ADDRESS:PORT, such as 127.0.0.1:3260 or [::1]:3260");
        }
        try {
            return new InetSocketAddress(
                    InetAddress.getByName(bracketed ? host.substring(1, host.length() - 1) : host),
                    port(what, text, text.substring(colon + 1)));
        } catch (UnknownHostException e) {
            throw new ConfigException(what + " '" + text + "': no such host");
        }
    }

    private static int port(String what, String text, String port) throws ConfigException {
        try {
            int number = Integer.parseInt(port);
            if (number >= 0 && number <= MAX_PORT) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new ConfigException(what + " '" + text + "': port '" + port + "' is not in 0.." + MAX_PORT);
    }
}
