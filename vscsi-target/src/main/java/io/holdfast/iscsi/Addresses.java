package io.holdfast.iscsi;

import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/** Socket addresses as text, the way RFC 7143 §13.8 writes them: {@code 192.0.2.1:3260}, {@code [2001:db8::1]:3260}. */
public final class Addresses {
    private Addresses() {}

    /** The address, or {@code ?} if there is none. */
    public static String print(@Nullable SocketAddress address) {
        if (!(address instanceof InetSocketAddress inet) || inet.getAddress() == null) {
            return "?";
        }
        String host = inet.getAddress().getHostAddress();
        int zone = host.indexOf('%');
        String bare = zone < 0 ? host : host.substring(0, zone);
        return (inet.getAddress() instanceof Inet6Address ? "[" + bare + "]" : bare) + ":" + inet.getPort();
    }
}
