package io.holdfast.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;

/** Tells the service manager how far we are (sd_notify(3)). Any thread. */
public final class NotifySocket {
    private static final String VARIABLE = "NOTIFY_SOCKET";

    private final String address;

    /** @param address an absolute path, or a name in the abstract name space after {@code @} */
    public NotifySocket(String address) {
        if (!address.startsWith("/") && !address.startsWith("@")) {
            throw new IllegalArgumentException(
                    VARIABLE + "=" + address + " is neither an absolute path nor an abstract name after @");
        }
        this.address = address;
    }

    /** The socket that the service manager named, if one started us. */
    public static Optional<NotifySocket> fromEnvironment() {
        return Optional.ofNullable(System.getenv(VARIABLE))
                .filter(value -> !value.isEmpty())
                .map(NotifySocket::new);
    }

    /** Serving; {@code status} is the one line that {@code systemctl status} shows. */
    public void ready(String status) throws IOException {
        send("READY=1\nSTATUS=" + oneLine(status));
    }

    public void status(String status) throws IOException {
        send("STATUS=" + oneLine(status));
    }

    /** A planned stop has begun. */
    public void stopping(String status) throws IOException {
        send("STOPPING=1\nSTATUS=" + oneLine(status));
    }

    private static String oneLine(String status) {
        return status.replace('\n', ' ');
    }

    private void send(String message) throws IOException {
        JnrSettings.apply();
        // An abstract name starts with a zero byte where people write @.
        String name = address.startsWith("@") ? "\0" + address.substring(1) : address;
        // Not connected first: write on a connected datagram socket fails in jnr-unixsocket 0.39.
        try (UnixDatagramChannel channel = UnixDatagramChannel.open()) {
            channel.send(ByteBuffer.wrap(message.getBytes(StandardCharsets.UTF_8)), new UnixSocketAddress(name));
        } catch (IOException e) {
            throw new IOException("notify " + address + ": " + e.getMessage(), e);
        }
    }
}
