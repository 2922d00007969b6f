package io.holdfast.agent.qmp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import jnr.unixsocket.UnixSocketAddress;
import jnr.unixsocket.UnixSocketChannel;
import jnr.unixsocket.UnixSocketOptions;

/**
 * A monitor's UNIX socket, by jnr-unixsocket: unlike the JDK's it tells the peer's process, which leads to the libraries
 * QEMU has loaded and to its sockets.
 */
final class UnixTransport implements QmpTransport {
    /** sun_path holds 108 bytes with the final zero (unix(7)). */
    private static final int MAX_PATH_BYTES = 107;

    private final UnixSocketChannel channel;

    private UnixTransport(UnixSocketChannel channel) {
        this.channel = channel;
    }

    static UnixTransport connect(Path socket) throws IOException {
        if (socket.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length > MAX_PATH_BYTES) {
            throw new IOException("a UNIX socket's path has at most " + MAX_PATH_BYTES + " bytes");
        }
        UnixSocketChannel channel = UnixSocketChannel.open(new UnixSocketAddress(socket.toFile()));
        try {
            channel.setOption(UnixSocketOptions.SO_RCVTIMEO, READ_PATIENCE_MS);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        return new UnixTransport(channel);
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return channel.read(into);
    }

    @Override
    public void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public int peerPid() {
        try {
            return channel.getOption(UnixSocketOptions.SO_PEERCRED).getPid();
        } catch (IOException e) {
            return 0;
        }
    }

    @Override
    public void close() throws IOException {
        // Closing a descriptor does not wake a thread that reads from it; ending the stream does.
        try {
            channel.shutdownInput();
        } catch (IOException e) {
            // The peer has gone already: the reader has woken up.
        }
        channel.close();
    }
}
