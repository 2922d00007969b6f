package io.holdfast.agent.qmp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one monitor connection to a VM open for as long as there is a QEMU, and makes a new one when QEMU restarts.
 *
 * <p>A thread per VM reads; what it reads is handed to the agent's loop, where the {@link Listener} and the
 * {@link QmpSession} live. The connection is never dropped because QEMU is slow: a monitor is silent for as long as QEMU's
 * main loop waits for a disk, and that is just when it is needed.
 */
public final class QmpClient implements AutoCloseable {
    /** How long the greeting may take before somebody is told. */
    public static final int GREETING_LIMIT_MS = 5_000;

    private static final int RETRY_FIRST_MS = 50;
    private static final int RETRY_MAX_MS = 1_000;
    /** A socket that speaks something else will not learn QMP soon. */
    private static final int RETRY_NOT_QMP_MS = 5_000;

    private static final ObjectMapper JSON = JsonMapper.builder().build();

    /** Hears what happens, on the agent's loop. */
    public interface Listener {
        /** QEMU has greeted and accepts commands. */
        void connected(QmpSession session);

        void event(QmpEvent event);

        /** The connection is over: QEMU ended, or something is wrong with it. Another will be tried. */
        void disconnected(String why);

        /** It cannot be connected to, and why; told again only when the reason changes. */
        void unreachable(String why);
    }

    private final Path socket;
    private final QmpTransport.Connector connector;
    private final Executor loop;
    private final Listener listener;
    private final Thread reader;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile @Nullable QmpTransport current;
    private String lastTrouble = "";

    private QmpClient(String vm, Path socket, QmpTransport.Connector connector, Executor loop, Listener listener) {
        this.socket = socket;
        this.connector = connector;
        this.loop = loop;
        this.listener = listener;
        reader = new Thread(this::run, "qmp-" + vm);
        reader.setDaemon(true);
    }

    /**
     * Begins to connect to a UNIX socket.
     *
     * @param vm the VM's name, for the thread's
     * @param loop where the listener is called
     */
    public static QmpClient start(String vm, Path socket, Executor loop, Listener listener) {
        return start(vm, socket, UnixTransport::connect, loop, listener);
    }

    /** The same over any transport. */
    public static QmpClient start(
            String vm, Path socket, QmpTransport.Connector connector, Executor loop, Listener listener) {
        QmpClient client = new QmpClient(vm, socket, connector, loop, listener);
        client.reader.start();
        return client;
    }

    @Override
    public void close() {
        closed.countDown();
        closeQuietly(current);
    }

    // ------------------------------------------------------------------ the reading thread

    private void run() {
        int retryMs = RETRY_FIRST_MS;
        while (closed.getCount() > 0) {
            boolean greeted = false;
            int waitMs = retryMs;
            try (QmpTransport transport = connector.connect(socket)) {
                current = transport;
                if (closed.getCount() == 0) {
                    return;
                }
                Conversation conversation = new Conversation(transport);
                conversation.greet();
                greeted = true;
                lastTrouble = "";
                conversation.readUntilEnd();
            } catch (NotQmpException e) {
                waitMs = RETRY_NOT_QMP_MS;
                trouble(e.getMessage());
            } catch (IOException e) {
                if (greeted) {
                    tell(() -> listener.disconnected("monitor connection: " + e.getMessage()));
                } else {
                    trouble("cannot connect to the QMP socket " + socket + ": " + e.getMessage());
                }
            }
            retryMs = greeted ? RETRY_FIRST_MS : Math.min(RETRY_MAX_MS, retryMs * 2);
            if (awaitClose(waitMs)) {
                return;
            }
        }
    }

    private boolean awaitClose(int waitMs) {
        try {
            return closed.await(waitMs, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private void trouble(@Nullable String why) {
        String text = "" + why;
        if (!text.equals(lastTrouble)) {
            lastTrouble = text;
            tell(() -> listener.unreachable(text));
        }
    }

    private void tell(Runnable what) {
        if (closed.getCount() > 0) {
            loop.execute(what);
        }
    }

    private static void closeQuietly(@Nullable QmpTransport transport) {
        if (transport != null) {
            try {
                transport.close();
            } catch (IOException e) {
                // It is over either way.
            }
        }
    }

    /** The socket exists and somebody answers, but not a QEMU. */
    private static final class NotQmpException extends IOException {
        private static final long serialVersionUID = 1L;

        NotQmpException(String message) {
            super(message);
        }
    }

    /** One connection, as the reading thread sees it. */
    private final class Conversation {
        private final QmpTransport transport;
        private final QmpLines lines = new QmpLines();
        private final Deque<byte[]> whole = new ArrayDeque<>();
        private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);

        Conversation(QmpTransport transport) {
            this.transport = transport;
        }

        /** Waits for the greeting, agrees on capabilities, and hands the session over. */
        void greet() throws IOException {
            JsonNode greeting = parseGreeting(nextLine(true)).path("QMP");
            JsonNode qemu = greeting.path("version").path("qemu");
            String version = qemu.path("major").asInt() + "."
                    + qemu.path("minor").asInt() + "." + qemu.path("micro").asInt();
            boolean outOfBand = false;
            for (JsonNode capability : greeting.path("capabilities")) {
                outOfBand |= "oob".equals(capability.asText());
            }
            // With out-of-band enabled QEMU reads its monitor in a thread of its own, so that commands are taken even
            // while its main loop waits for a disk.
            String negotiate = outOfBand
                    ? "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]},\"id\":0}\n"
                    : "{\"execute\":\"qmp_capabilities\",\"id\":0}\n";
            transport.write(ByteBuffer.wrap(negotiate.getBytes(StandardCharsets.UTF_8)));
            for (; ; ) {
                JsonNode reply = parse(nextLine(false));
                if (reply.has("error")) {
                    throw new NotQmpException("QEMU at " + socket + " refuses qmp_capabilities: "
                            + reply.path("error").path("desc").asText());
                }
                if (reply.has("return")) {
                    break;
                }
            }
            QmpSession session = new QmpSession(transport, transport.peerPid(), version);
            receiver = session;
            tell(() -> listener.connected(session));
        }

        private @Nullable QmpSession receiver;

        void readUntilEnd() throws IOException {
            for (; ; ) {
                byte[] line = nextLine(false);
                JsonNode message;
                try {
                    message = parse(line);
                } catch (NotQmpException e) {
                    // Half a line after a restart, or a bug: the next line is as good as any.
                    continue;
                }
                if (message.has("event")) {
                    QmpEvent event = new QmpEvent(
                            message.path("event").asText(), message.path("data"), message.path("timestamp"));
                    tell(() -> listener.event(event));
                } else {
                    QmpSession session = receiver;
                    if (session != null) {
                        tell(() -> session.replied(message));
                    }
                }
            }
        }

        private byte[] nextLine(boolean greeting) throws IOException {
            long beganNanos = System.nanoTime();
            while (whole.isEmpty()) {
                buffer.clear();
                int got = transport.read(buffer);
                if (closed.getCount() == 0) {
                    throw new IOException("closed by the agent");
                }
                if (got < 0) {
                    throw endOfStream(greeting);
                }
                buffer.flip();
                lines.accept(buffer, whole::add);
                if (greeting && whole.isEmpty()) {
                    complainIfLate((System.nanoTime() - beganNanos) / 1_000_000);
                }
            }
            return whole.remove();
        }

        private IOException endOfStream(boolean greeting) {
            if (greeting && lines.unfinishedBytes() > 0) {
                return new NotQmpException(
                        socket + " is not a QMP socket: it said " + lines.unfinished() + " and hung up");
            }
            return new IOException(greeting ? "hung up before its greeting" : "QEMU closed it");
        }

        private void complainIfLate(long waitedMs) throws NotQmpException {
            if (waitedMs < GREETING_LIMIT_MS) {
                return;
            }
            if (lines.unfinishedBytes() > 0) {
                throw new NotQmpException(
                        socket + " is not a QMP socket: instead of a greeting came " + lines.unfinished());
            }
            // Not given up: QEMU greets late while it waits for its disks, and a new connection would queue up behind
            // this one.
            trouble("no greeting from the QMP socket " + socket + " within " + GREETING_LIMIT_MS
                    + " ms: it is not QMP, or another client holds it, or QEMU still waits for its disks. Waiting on");
        }

        private JsonNode parseGreeting(byte[] line) throws NotQmpException {
            JsonNode greeting;
            try {
                greeting = parse(line);
            } catch (NotQmpException e) {
                greeting = null;
            }
            if (greeting == null || !greeting.path("QMP").isObject()) {
                throw new NotQmpException(socket + " is not a QMP socket: instead of a greeting came "
                        + QmpLines.preview(line, line.length));
            }
            return greeting;
        }

        private JsonNode parse(byte[] line) throws NotQmpException {
            try {
                return JSON.readTree(new String(line, StandardCharsets.UTF_8));
            } catch (JsonProcessingException e) {
                throw new NotQmpException("not JSON: " + QmpLines.preview(line, line.length));
            }
        }
    }
}
