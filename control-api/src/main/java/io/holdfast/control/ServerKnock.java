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
     * @param limitMs for the connection, and again for the answer
     * @return what it serves
     * @throws IOException saying for people why nobody serves there
     */
    public static ServerDescription at(InetSocketAddress address, String name, int limitMs) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(address, limitMs);
            socket.setSoTimeout(limitMs);
            OutputStream out = socket.getOutputStream();
            out.write(bytes(new AgentMessage.Hello(name, ControlProtocol.VERSION, List.of())));
            ServerDescription server = answer(new BufferedInputStream(socket.getInputStream()));
            out.write(bytes(new AgentMessage.Bye("has looked")));
            return server;
        } catch (SocketTimeoutException e) {
            throw new IOException("no answer within " + limitMs / 1000.0 + " s", e);
        } catch (IOException e) {
            throw new IOException(NetworkFailure.inWords(e), e);
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
