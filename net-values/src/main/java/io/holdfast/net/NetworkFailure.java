package io.holdfast.net;

import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import org.jspecify.annotations.Nullable;

/**
 * Why a port could not be had or a peer not be reached, in words. The JDK's sockets and Netty's transports agree on nothing
 * but the C library's text somewhere in the message, between names of calls and numbers.
 */
public final class NetworkFailure {
    /** What the C library says, and what people are told. */
    private enum Kind {
        // Not -l: an outgoing connection may hold the port as well as a listener.
        IN_USE("Address already in use", "another program uses it ('ss -tanp' tells which)"),
        NOT_OURS("Cannot assign requested address", "this machine does not have the address"),
        FORBIDDEN("Permission denied", "ports below 1024 need a privilege"),
        REFUSED("Connection refused", "connection refused: nothing listens there"),
        RESET("Connection reset", "the other end broke the connection"),
        BROKEN_PIPE("Broken pipe", "the other end broke the connection"),
        NO_ROUTE("No route to host", "no route to the host"),
        NO_NETWORK("Network is unreachable", "no route to that network"),
        TIMED_OUT("timed out", "no answer");

        private final String system;
        private final String words;

        Kind(String system, String words) {
            this.system = system;
            this.words = words;
        }
    }

    private NetworkFailure() {}

    /** Why an address cannot be listened on: {@code cannot listen on 127.0.0.1:3260: another program uses it}. */
    public static String ofListening(InetSocketAddress address, @Nullable Throwable cause) {
        String place = Addresses.print(address);
        Kind kind = kind(cause);
        if (kind == Kind.FORBIDDEN) {
            return "cannot listen on " + place + ": user " + System.getProperty("user.name") + " may not; "
                    + kind.words;
        }
        return "cannot listen on " + place + ": " + inWords(cause);
    }

    /** Why a connection could not be made, or has ended. */
    public static String inWords(@Nullable Throwable cause) {
        Kind kind = kind(cause);
        if (kind != null) {
            return kind.words;
        }
        if (cause instanceof ClosedChannelException) {
            return "the connection was closed"; // the JDK's and Netty's carry no message at all
        }
        String message = cause == null ? null : cause.getMessage();
        return message == null || message.isBlank()
                ? cause == null ? "unknown" : cause.getClass().getSimpleName()
                : message;
    }

    /** Whether the host is there, and says that nobody listens. */
    public static boolean isRefusal(@Nullable Throwable cause) {
        Kind kind = kind(cause);
        return kind == Kind.REFUSED || kind == Kind.RESET;
    }

    /** Whether the network lets nothing through. */
    public static boolean isUnreachable(@Nullable Throwable cause) {
        Kind kind = kind(cause);
        return kind == Kind.NO_ROUTE || kind == Kind.NO_NETWORK || kind == Kind.TIMED_OUT;
    }

    private static @Nullable Kind kind(@Nullable Throwable cause) {
        String message = cause == null ? "" : String.valueOf(cause.getMessage());
        for (Kind kind : Kind.values()) {
            if (message.contains(kind.system)) {
                return kind;
            }
        }
        return null;
    }
}
