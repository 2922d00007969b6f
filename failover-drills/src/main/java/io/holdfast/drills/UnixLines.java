package io.holdfast.drills;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.SocketException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A UNIX stream socket on which both sides speak in lines. One thread reads, any thread writes.
 */
final class UnixLines implements AutoCloseable {
    private static final long LISTEN_LIMIT_NS = 5_000_000_000L;
    private static final long RETRY_NS = 5_000_000;

    private final SocketChannel channel;
    private final BufferedReader reader;

    private UnixLines(SocketChannel channel) {
        this.channel = channel;
        this.reader = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
    }

    /** A socket's file is there a moment before anybody listens on it: that moment is waited out. */
    static UnixLines connect(Path path) throws IOException {
        long deadlineNs = System.nanoTime() + LISTEN_LIMIT_NS;
        while (true) {
            try {
                return connectNow(path);
            } catch (SocketException e) {
                if (System.nanoTime() - deadlineNs > 0) {
                    throw e;
                }
                LockSupport.parkNanos(RETRY_NS);
            }
        }
    }

    private static UnixLines connectNow(Path path) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(path));
            return new UnixLines(channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /** The next line, null at the end. */
    @Nullable
    String read() throws IOException {
        return reader.readLine();
    }

    synchronized void write(String line) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(line + "\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
