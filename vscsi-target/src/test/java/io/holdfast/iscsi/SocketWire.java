package io.holdfast.iscsi;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A TCP connection whose reads wait, but not for ever. */
final class SocketWire implements Wire {
    private static final int PATIENCE_MS = 20_000;

    private final Socket socket = new Socket();
    private final byte[] buffer = new byte[256 << 10];

    SocketWire(InetSocketAddress target) throws IOException {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MS);
        socket.connect(target, PATIENCE_MS);
    }

    @Override
    public void send(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public byte @Nullable [] receive() {
        try {
            int n = socket.getInputStream().read(buffer);
            return n < 0 ? null : Arrays.copyOf(buffer, n);
        } catch (SocketException e) {
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
