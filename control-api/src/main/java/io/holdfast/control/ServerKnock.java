package io.holdfast.control;

import io.holdfast.net.NetworkFailure;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Asks a server's control port, as an agent without VMs, whether somebody serves there, and leaves again. That a connection
 * is accepted proves nothing: the service manager accepts them for a server that is away. Blocks the caller.
 */
public final class ServerKnock {
    private ServerKnock() {}

    /**
     * Knocks.
     *
     * @param name for the server's log
     * @param limitMs for all of it: the connection and the answer, however slowly it trickles in
     * @return what it serves
     * @throws IOException saying for people why nobody serves there
     */
    public static ServerDescription at(InetSocketAddress address, String name, int limitMs) throws IOException {
        long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
        try (Socket socket = new Socket()) {
            socket.connect(address, leftMs(endNs));
            OutputStream out = socket.getOutputStream();
            out.write(bytes(new AgentMessage.Hello(name, ControlProtocol.VERSION, List.of())));
            ServerDescription server = answer(new BufferedInputStream(new Limited(socket, endNs)));
            leave(out);
            return server;
        } catch (SocketTimeoutException e) {
            throw new IOException("no answer within " + limitMs / 1000.0 + " s", e);
        } catch (IOException e) {
            throw new IOException(NetworkFailure.inWords(e), e);
        }
    }

    private static void leave(OutputStream out) {
        try {
            out.write(bytes(new AgentMessage.Bye("has looked")));
        } catch (IOException e) {
            // It has answered; that it is gone by now is not what was asked.
        }
    }

    private static int leftMs(long endNs) throws SocketTimeoutException {
        long leftMs = TimeUnit.NANOSECONDS.toMillis(endNs - System.nanoTime());
        if (leftMs <= 0) {
            throw new SocketTimeoutException();
        }
        return (int) leftMs;
    }

    /** What a socket receives until one moment, not anew for each piece. */
    private static final class Limited extends InputStream {
        private final Socket socket;
        private final InputStream in;
        private final long endNs;

        Limited(Socket socket, long endNs) throws IOException {
            this.socket = socket;
            this.in = socket.getInputStream();
            this.endNs = endNs;
        }

        @Override
        public int read() throws IOException {
            socket.setSoTimeout(leftMs(endNs));
            return in.read();
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            socket.setSoTimeout(leftMs(endNs));
            return in.read(into, offset, length);
        }
    }

    private static byte[] bytes(AgentMessage message) {
        ByteBuf line = MessageCodec.line(message);
        try {
            return ByteBufUtil.getBytes(line);
        } finally {
            line.release();
        }
    }

    private static ServerDescription answer(InputStream in) throws IOException {
        while (true) {
            Optional<ServerMessage> message = MessageCodec.serverMessage(Unpooled.wrappedBuffer(line(in)));
            if (message.isPresent() && message.get() instanceof ServerMessage.Welcome welcome) {
                return welcome.server();
            }
            if (message.isPresent() && message.get() instanceof ServerMessage.Refused refused) {
                throw new IOException("it refuses us: " + refused.why());
            }
        }
    }

    private static byte[] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new IOException("it hung up");
            }
            if (line.size() >= ControlProtocol.MAX_LINE_BYTES) {
                throw new IOException("it is no control port of Holdfast: a line has more than "
                        + ControlProtocol.MAX_LINE_BYTES + " bytes");
            }
            line.write(next);
        }
        return line.toByteArray();
    }
}
