package io.holdfast.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;

/** Tells the service manager how far we are (sd_notify(3)). Any thread. */
public final class NotifySocket {
    private static final String VARIABLE = "NOTIFY_SOCKET";
    private static final String WATCHDOG_VARIABLE = "WATCHDOG_USEC";

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

    /** Settings are being read anew; {@link #ready} ends it. */
    public void reloading(String status) throws IOException {
        // The manager compares it with its own CLOCK_MONOTONIC, which nanoTime is on Linux.
        send("RELOADING=1\nMONOTONIC_USEC=" + System.nanoTime() / 1000 + "\nSTATUS=" + oneLine(status));
    }

    /** Whatever is under way (start, stop) may take so much longer, counted from now. */
    public void extendTimeout(Duration by) throws IOException {
        send("EXTEND_TIMEOUT_USEC=" + TimeUnit.NANOSECONDS.toMicros(by.toNanos()));
    }

    /** Alive: the watchdog's time begins anew. */
    public void alive() throws IOException {
        send("WATCHDOG=1");
    }

    /** Within which time the manager wants to hear {@link #alive}; empty if it does not (sd_watchdog_enabled(3)). */
    public static Optional<Duration> watchdogFromEnvironment() {
        return watchdog(System.getenv(), ProcessHandle.current().pid());
    }

    static Optional<Duration> watchdog(Map<String, String> environment, long pid) {
        String micros = environment.getOrDefault(WATCHDOG_VARIABLE, "");
        String forPid = environment.getOrDefault("WATCHDOG_PID", "" + pid);
        if (micros.isEmpty() || !forPid.equals("" + pid)) {
            return Optional.empty();
        }
        if (!micros.matches("[1-9][0-9]{0,17}")) {
            throw new IllegalArgumentException(WATCHDOG_VARIABLE + "=" + micros + " is no number of microseconds");
        }
        return Optional.of(Duration.ofNanos(TimeUnit.MICROSECONDS.toNanos(Long.parseLong(micros))));
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
