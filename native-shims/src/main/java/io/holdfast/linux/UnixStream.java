package io.holdfast.linux;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import jnr.unixsocket.Credentials;
import jnr.unixsocket.UnixSocketAddress;
import jnr.unixsocket.UnixSocketChannel;
import jnr.unixsocket.UnixSocketOptions;
import org.jspecify.annotations.Nullable;

/**
 * A connected AF_UNIX stream. One thread reads and one writes at a time; {@link #close} comes from any thread and ends a
 * read or write that is waiting.
 */
public final class UnixStream implements AutoCloseable {
    /** Longest path of a socket in bytes: sun_path less its final zero (unix(7)). */
    public static final int MAX_PATH_BYTES = 107;

    private static final int BUFFER_BYTES = 16 * 1024;

    private final UnixSocketChannel channel;
    private final String path;
    private final ByteBuffer received = ByteBuffer.allocate(BUFFER_BYTES).limit(0);
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    // Guarded by this. The descriptor is closed only when nobody is inside a call on it, or its number could come to
    // mean
    // another file between two reads.
    private int inside;
    private boolean closed;

    private UnixStream(UnixSocketChannel channel, String path) {
        this.channel = channel;
        this.path = path;
    }

    /**
     * Connects to a listening socket.
     *
     * @param timeoutMs how long to wait, 1 or more, when the listener's backlog is full
     * @throws IOException naming the path and the reason
     */
    public static UnixStream connect(Path path, int timeoutMs) throws IOException {
        JnrSettings.apply();
        String name = path.toString();
        UnixSocketChannel channel = UnixSocketChannel.open();
        boolean connected = false;
        try {
            check(name);
            channel.setOption(UnixSocketOptions.SO_SNDTIMEO, timeoutMs);
            if (!channel.connect(new UnixSocketAddress(name))) {
                throw new SocketTimeoutException("connect " + name + ": not accepted within " + timeoutMs + " ms");
            }
            channel.setOption(UnixSocketOptions.SO_SNDTIMEO, 0);
            connected = true;
            return new UnixStream(channel, name);
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException("connect " + name + ": " + e.getMessage(), e);
        } finally {
            if (!connected) {
                channel.close();
            }
        }
    }

    private static void check(String path) throws IOException {
        int length = path.getBytes(StandardCharsets.UTF_8).length;
        if (length > MAX_PATH_BYTES) {
            throw new IOException("the path has " + length + " bytes, and a UNIX socket's may have at most "
                    + MAX_PATH_BYTES + " bytes");
        }
    }

    public String path() {
        return path;
    }

    /** Who listens at the other end. */
    public PeerCredentials peerCredentials() throws IOException {
        Credentials peer = channel.getOption(UnixSocketOptions.SO_PEERCRED);
        return new PeerCredentials(peer.getPid(), peer.getUid(), peer.getGid());
    }

    /** How long a read waits before it throws {@link SocketTimeoutException}; 0, the start value, for ever. */
    public void readTimeoutMs(int timeoutMs) throws IOException {
        channel.setOption(UnixSocketOptions.SO_RCVTIMEO, timeoutMs);
    }

    /** How long a write waits for room before it throws {@link SocketTimeoutException}; 0, the start value, for ever. */
    public void writeTimeoutMs(int timeoutMs) throws IOException {
        channel.setOption(UnixSocketOptions.SO_SNDTIMEO, timeoutMs);
    }

    /**
     * Reads what is there, waiting for the first byte.
     *
     * @return how many bytes were read, or -1 at the end of the stream
     */
    public int read(byte[] into, int offset, int length) throws IOException {
        if (!received.hasRemaining() && !fill()) {
            return -1;
        }
        int n = Math.min(length, received.remaining());
        received.get(into, offset, n);
        return n;
    }

    /**
     * Reads up to the next line feed, which is not part of the answer, nor is a carriage return before it. After a
     * {@link SocketTimeoutException} the next call goes on with what had come of the line.
     *
     * @param maxBytes a longer line is an error: the other end decides how much it sends
     * @return the line as UTF-8, or null at the end of the stream, where a line without its line feed is dropped
     */
    public @Nullable String readLine(int maxBytes) throws IOException {
        while (received.hasRemaining() || fill()) {
            byte b = received.get();
            if (b == '\n') {
                String text = line.toString(StandardCharsets.UTF_8);
                line.reset();
                return withoutReturn(text);
            }
            if (line.size() == maxBytes) {
                throw new IOException("read " + path + ": a line is longer than " + maxBytes + " bytes");
            }
            line.write(b);
        }
        return null;
    }

    private static String withoutReturn(String line) {
        return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
    }

    private boolean fill() throws IOException {
        if (!enter()) {
            return false;
        }
        try {
            received.clear();
            int n = channel.read(received);
            received.flip();
            if (n == 0) {
                throw new SocketTimeoutException("read " + path + ": nothing came within the time-out");
            }
            return n > 0;
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            received.limit(0);
            throw new IOException("read " + path + ": " + e.getMessage(), e);
        } finally {
            leave();
        }
    }

    /** Writes all bytes. After an exception it is unknown how many the other end got. */
    public void write(byte[] bytes) throws IOException {
        if (!enter()) {
            throw new IOException("write " + path + ": closed");
        }
        try {
            ByteBuffer rest = ByteBuffer.wrap(bytes);
            while (rest.hasRemaining()) {
                if (channel.write(rest) == 0) {
                    throw new SocketTimeoutException("write " + path + ": no room within the time-out");
                }
            }
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException("write " + path + ": " + e.getMessage(), e);
        } finally {
            leave();
        }
    }

    private synchronized boolean enter() {
        if (closed) {
            return false;
        }
        inside++;
        return true;
    }

    private synchronized void leave() throws IOException {
        inside--;
        if (closed && inside == 0) {
            channel.close();
        }
    }

    /** Ends the connection: a read that waits returns the end of the stream. May be repeated. */
    @Override
    public synchronized void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        if (inside == 0) {
            channel.close();
            return;
        }
        // Only shutdown(2) wakes who is inside; close(2) would let it wait and free its descriptor's number.
        channel.shutdownInput();
        channel.shutdownOutput();
    }
}
