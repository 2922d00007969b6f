package io.holdfast.agent;

import io.holdfast.agent.qmp.QmpTransport;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A QEMU that consists of its monitor: it greets, stops, resumes, and has no disks. For rehearsals. */
final class MemoryMonitor implements QmpTransport {
    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([a-z_-]+)\".*\"id\":(\\d+)");
    private static final String END = "";

    private final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private boolean running = true;

    MemoryMonitor() {
        lines.add("{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 0, \"major\": 0}, \"package\": \"\"},"
                + " \"capabilities\": [\"oob\"]}}\n");
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        try {
            String line = lines.poll(READ_PATIENCE_MS, TimeUnit.MILLISECONDS);
            if (line == null) {
                return 0;
            }
            if (line.equals(END)) {
                return -1;
            }
            byte[] bytes = line.getBytes(StandardCharsets.UTF_8);
            into.put(bytes);
            return bytes.length;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -1;
        }
    }

    @Override
    public void write(ByteBuffer bytes) {
        Matcher command = COMMAND.matcher(StandardCharsets.UTF_8.decode(bytes));
        if (!command.find()) {
            return;
        }
        String value = switch (command.group(1)) {
            case "stop" -> {
                running = false;
                event("STOP");
                yield "{}";
            }
            case "cont" -> {
                running = true;
                event("RESUME");
                yield "{}";
            }
            case "query-status" ->
                "{\"status\": \"" + (running ? "running" : "paused") + "\", \"running\": " + running + "}";
            case "query-block", "query-named-block-nodes" -> "[]";
            default -> "{}";
        };
        lines.add("{\"return\": " + value + ", \"id\": " + command.group(2) + "}\n");
    }

    private void event(String name) {
        lines.add("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 1}, \"event\": \"" + name + "\"}\n");
    }

    @Override
    public int peerPid() {
        return 0;
    }

    @Override
    public void close() {
        lines.add(END);
    }
}
