package io.holdfast.agent.qmp;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A monitor on a real UNIX socket, without a VM behind it. */
public final class FakeQemu implements AutoCloseable {
    public static final String GREETING =
            "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7},"
                    + " \"package\": \"Debian\"}, \"capabilities\": [\"oob\"]}}\r\n";
    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([a-z_-]+)\".*\"id\":(\\d+)");

    private final Path socket;
    private final ServerSocketChannel listener;
    private final List<SocketChannel> clients = new CopyOnWriteArrayList<>();
    private final String greeting;
    /** Every line that came. */
    public final List<String> commands = new CopyOnWriteArrayList<>();
    /** What a command returns if it is not one of those that this class knows. */
    public final Map<String, String> returns = new ConcurrentHashMap<>();
    /** Whether stop is answered; a QEMU whose target is dead does not. */
    public volatile boolean answersStop = true;

    public volatile boolean answersStatus = true;

    public volatile boolean running = true;

    public FakeQemu(Path socket) throws IOException {
        this(socket, GREETING);
    }

    public FakeQemu(Path socket, String greeting) throws IOException {
        this.socket = socket;
        this.greeting = greeting;
        listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(socket));
        Thread thread = new Thread(this::accept, "fake-qemu");
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() {
        while (listener.isOpen()) {
            try {
                SocketChannel client = listener.accept();
                clients.add(client);
                send(client, greeting);
                Thread thread = new Thread(() -> serve(client), "fake-qemu-client");
                thread.setDaemon(true);
                thread.start();
            } catch (IOException e) {
                return;
            }
        }
    }

    private void serve(SocketChannel client) {
        StringBuilder pending = new StringBuilder();
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        try {
            while (client.read(buffer.clear()) >= 0) {
                pending.append(StandardCharsets.UTF_8.decode(buffer.flip()));
                for (int end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n")) {
                    String line = pending.substring(0, end);
                    pending.delete(0, end + 1);
                    commands.add(line);
                    answer(client, line);
                }
            }
        } catch (IOException e) {
            // The client has gone.
        }
    }

    private void answer(SocketChannel client, String line) throws IOException {
        Matcher command = COMMAND.matcher(line);
        if (!command.find()) {
            return;
        }
        String value = returns.getOrDefault(command.group(1), "{}");
        switch (command.group(1)) {
            case "stop" -> {
                running = false;
                event("STOP", "{}");
                if (!answersStop) {
                    return;
                }
            }
            case "cont" -> {
                running = true;
                event("RESUME", "{}");
            }
            case "query-status" -> {
                value = "{\"status\": \"" + (running ? "running" : "paused") + "\", \"running\": " + running + "}";
                if (!answersStatus) {
                    return;
                }
            }
            default -> {
                // As it was told.
            }
        }
        send(client, "{\"return\": " + value + ", \"id\": " + command.group(2) + "}\r\n");
    }

    public void event(String name, String data) {
        say("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"" + name + "\", \"data\": " + data
                + "}\r\n");
    }

    /** Sends text to every client as it is. */
    public void say(String text) {
        clients.removeIf(client -> {
            try {
                send(client, text);
                return false;
            } catch (IOException e) {
                // One that has gone, among others that have not.
                return true;
            }
        });
    }

    private static synchronized void send(SocketChannel client, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            client.write(bytes);
        }
    }

    public long count(String command) {
        return commands.stream()
                .filter(line -> line.contains("\"execute\":\"" + command + "\""))
                .count();
    }

    /** Ends the connections and goes on listening. */
    public void hangUp() throws IOException {
        for (SocketChannel client : clients) {
            client.close();
        }
        clients.clear();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        hangUp();
        Files.deleteIfExists(socket);
    }
}
