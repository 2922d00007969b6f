package io.holdfast.agent.qmp;

import io.holdfast.linux.UnixStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * A monitor's UNIX socket. Unlike the JDK's it tells the peer's process, which leads to the libraries QEMU has loaded and to
 * its sockets.
 */
final class UnixTransport implements QmpTransport {
    /** A monitor that serves somebody else lets one more connection wait, and others not even connect. */
    private static final int CONNECT_LIMIT_MS = 5_000;

    private static final int READ_BYTES = 64 * 1024;

    private final UnixStream stream;
    private final byte[] received = new byte[READ_BYTES];

    private UnixTransport(UnixStream stream) {
        this.stream = stream;
    }

    static UnixTransport connect(Path socket) throws IOException {
        UnixStream stream;
        try {
            stream = UnixStream.connect(socket, CONNECT_LIMIT_MS);
        } catch (IOException e) {
            // Whoever tells people names the socket already.
            throw e.getCause() == null ? e : new IOException(e.getCause().getMessage(), e);
        }
        try {
            stream.readTimeoutMs(READ_PATIENCE_MS);
            return new UnixTransport(stream);
        } catch (IOException e) {
            stream.close();
            throw e;
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        try {
            int got = stream.read(received, 0, Math.min(received.length, into.remaining()));
            if (got > 0) {
                into.put(received, 0, got);
            }
            return got;
        } catch (SocketTimeoutException e) {
            return 0;
        }
    }

    @Override
    public void write(ByteBuffer bytes) throws IOException {
        byte[] all = new byte[bytes.remaining()];
        bytes.get(all);
        stream.write(all);
    }

    @Override
    public int peerPid() {
        try {
            return stream.peerCredentials().pid();
        } catch (IOException e) {
            return 0;
        }
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}
