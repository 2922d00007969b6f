package io.holdfast.management;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;

/** Addresses that somebody can be given, in place of those that mean "every address of this host". */
final class Reachable {
    /** Documentation addresses (RFC 5737, RFC 3849): where the default route leads. Nothing is sent there. */
    private static final List<String> FAR_AWAY = List.of("192.0.2.1", "2001:db8::1");

    private static final int DISCARD_PORT = 9;

    private Reachable() {}

    /** The address itself, or of a wildcard the one this host is known by where its default route leads. */
    static InetSocketAddress of(InetSocketAddress listening) {
        return listening.getAddress().isAnyLocalAddress()
                ? new InetSocketAddress(ofThisHost(listening.getAddress()), listening.getPort())
                : listening;
    }

    private static InetAddress ofThisHost(InetAddress wildcard) {
        for (String far : FAR_AWAY) {
            // The kernel chooses the source address when a datagram socket is connected; that sends nothing.
            try (DatagramSocket socket = new DatagramSocket()) {
                socket.connect(InetAddress.getByName(far), DISCARD_PORT);
                InetAddress source = socket.getLocalAddress();
                boolean sameFamily = source instanceof Inet4Address || !(wildcard instanceof Inet4Address);
                if (!source.isAnyLocalAddress() && sameFamily) {
                    return source;
                }
            } catch (IOException | RuntimeException e) {
                // No route there: the next, or none.
            }
        }
        return InetAddress.getLoopbackAddress();
    }
}
