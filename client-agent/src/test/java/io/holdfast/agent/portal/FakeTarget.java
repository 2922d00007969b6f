package io.holdfast.agent.portal;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A target that logs everybody in, answers NOPs, and answers commands unless it is told to let them lie. */
public final class FakeTarget implements AutoCloseable {
    private static final int ACCEPTOR_LIMIT_MS = 2000;
    private static final int INQUIRY = 0x12;

    private final ServerSocket listener;
    private final Thread acceptor;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    public final List<Map<String, String>> logins = new CopyOnWriteArrayList<>();
    public volatile boolean answersCommands = true;
    public volatile boolean answersLogins = true;
    /** As a server at its connection limit does. */
    public volatile boolean hangsUp;

    /** What a command is answered with. */
    public record Answer(int status, ByteBuffer data) {
        public static final Answer GOOD = of(0, new byte[0]);

        public static Answer of(int status, byte[] data) {
            return new Answer(status, ByteBuffer.wrap(data));
        }

        /** CHECK CONDITION with such sense (SPC-4 §4.5.3, fixed format behind its length). */
        public static Answer sense(int key, int code, int qualifier) {
            byte[] segment = new byte[20];
            segment[1] = 18;
            segment[2] = 0x70;
            segment[4] = (byte) key;
            segment[9] = 10;
            segment[14] = (byte) code;
            segment[15] = (byte) qualifier;
            return of(2, segment);
        }
    }

    /** How its unit answers, by the operation code; GOOD without data where nothing is said. Consumed one by one. */
    public final Map<Integer, Deque<Answer>> answers = new ConcurrentHashMap<>();

    /** Operation codes it was sent. */
    public final List<Integer> operations = new CopyOnWriteArrayList<>();

    /** What its unit says who it is, if it says so. */
    public volatile Optional<UUID> unit = Optional.empty();

    public final AtomicInteger commands = new AtomicInteger();
    /** Connections since the beginning. */
    public final AtomicInteger accepted = new AtomicInteger();

    public FakeTarget() throws IOException {
        this(0);
    }

    public FakeTarget(int port) throws IOException {
        this(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    public FakeTarget(InetSocketAddress address) throws IOException {
        listener = new ServerSocket(address.getPort(), 50, address.getAddress());
        acceptor = new Thread(this::accept, "fake-target");
        acceptor.setDaemon(true);
        acceptor.start();
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) listener.getLocalSocketAddress();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket socket = listener.accept();
                sockets.add(socket);
                accepted.incrementAndGet();
                Thread thread = new Thread(() -> serve(socket), "fake-target-session");
                thread.setDaemon(true);
                thread.start();
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (WireInitiator peer = new WireInitiator(socket)) {
            if (hangsUp) {
                return;
            }
            socket.setSoTimeout(0);
            int statSn = 500;
            for (; ; ) {
                WireInitiator.Pdu request = peer.receive();
                BasicHeader header = request.header();
                BasicHeader reply = new BasicHeader();
                byte[] data = {};
                switch (header.opcode()) {
                    case Opcode.LOGIN_REQUEST -> {
                        if (!answersLogins) {
                            continue;
                        }
                        logins.add(request.keys());
                        reply.begin(Opcode.LOGIN_RESPONSE, header.flags()).isidAndTsih(header.isid(), 1);
                    }
                    case Opcode.SCSI_COMMAND -> {
                        commands.incrementAndGet();
                        if (!answersCommands) {
                            continue;
                        }
                        int operation = header.bytes()[32] & 0xff;
                        operations.add(operation);
                        Answer answer = next(operation);
                        data = answer.data().array();
                        boolean sends = answer.status() == 0 && data.length > 0;
                        if (sends) {
                            reply.begin(Opcode.DATA_IN, BasicHeader.FINAL | BasicHeader.STATUS);
                        } else if (data.length > 0 || answer.status() != 0) {
                            reply.begin(Opcode.SCSI_RESPONSE, BasicHeader.FINAL);
                            reply.bytes()[3] = (byte) answer.status();
                        } else if (operation == INQUIRY && unit.isPresent()) {
                            reply.begin(Opcode.DATA_IN, BasicHeader.FINAL | BasicHeader.STATUS);
                            data = identification(unit.get());
                        } else {
                            reply.begin(Opcode.SCSI_RESPONSE, BasicHeader.FINAL);
                        }
                    }
                    case Opcode.NOP_OUT -> {
                        reply.begin(Opcode.NOP_IN, BasicHeader.FINAL).targetTransferTag(BasicHeader.NO_TAG);
                        data = request.data();
                    }
                    default -> {
                        continue;
                    }
                }
                reply.initiatorTaskTag(header.initiatorTaskTag())
                        .statSn(statSn++)
                        .window(header.cmdSn() + 1, header.cmdSn() + 64);
                peer.send(reply, data);
            }
        } catch (Exception e) {
            // The peer has gone, or this target has.
        }
    }

    private Answer next(int operation) {
        Deque<Answer> own = answers.get(operation);
        Answer answer = own == null ? null : own.poll();
        return answer == null ? Answer.GOOD : answer;
    }

    /** VPD page 83h: a name of its port, then its UUID. */
    private static byte[] identification(UUID uuid) {
        return ByteBuffer.allocate(34)
                .put(new byte[] {0, (byte) 0x83, 0, 30, 1, 0x14, 0, 4, 0, 0, 0, 1, 1, 0x0a, 0, 18, 0x10, 0})
                .putLong(uuid.getMostSignificantBits())
                .putLong(uuid.getLeastSignificantBits())
                .array();
    }

    public int connections() {
        return (int) sockets.stream().filter(socket -> !socket.isClosed()).count();
    }

    @Override
    public void close() throws IOException {
        die();
    }

    /** As a killed process does. */
    public void die() throws IOException {
        listener.close();
        try {
            // As long as its thread is in accept(2) the kernel keeps the port open, closed or not.
            acceptor.join(ACCEPTOR_LIMIT_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
