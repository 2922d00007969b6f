package io.holdfast.agent.qmp;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * One connection to a monitor that has greeted: commands out, replies matched by their id. Owned by the agent's loop.
 *
 * <p>Writing never blocks the loop: at most {@link #MAX_PENDING} small commands are outstanding, and {@link #MAX_URGENT}
 * of those that pause and resume beside them, which is a fraction of what the socket's buffer holds even if QEMU reads none
 * of them.
 */
public final class QmpSession {
    static final int MAX_PENDING = 64;
    /** Places that questions cannot take from {@code stop} and {@code cont}. */
    static final int MAX_URGENT = 16;

    private static final Set<String> URGENT = Set.of("stop", "cont");

    private final QmpTransport transport;
    private final int pid;
    private final String version;
    private final Map<Long, Consumer<QmpReply>> pending = new LinkedHashMap<>();
    private long lastId;

    QmpSession(QmpTransport transport, int pid, String version) {
        this.transport = transport;
        this.pid = pid;
        this.version = version;
    }

    /** QEMU's process, or 0 if unknown. */
    public int pid() {
        return pid;
    }

    /** QEMU's version, for people. */
    public String version() {
        return version;
    }

    public void execute(String command, Consumer<QmpReply> onReply) {
        execute(command, JsonNodeFactory.instance.objectNode(), onReply);
    }

    /**
     * Sends a command. A reply that never comes costs a place among the pending ones and nothing else: nobody waits.
     *
     * @param onReply called on the loop; also, with an error, if the command could not be sent. Not called if the
     *     connection ends first: the end is told by {@link QmpClient.Listener#disconnected}
     */
    public void execute(String command, ObjectNode arguments, Consumer<QmpReply> onReply) {
        if (pending.size() >= (URGENT.contains(command) ? MAX_PENDING + MAX_URGENT : MAX_PENDING)) {
            onReply.accept(failure("QEMU has not answered " + pending.size() + " commands"));
            return;
        }
        long id = ++lastId;
        pending.put(id, onReply);
        // By hand, because stop must not wait for a JSON library to warm up. Command names need no escaping.
        String line = arguments.isEmpty()
                ? "{\"execute\":\"" + command + "\",\"id\":" + id + "}\n"
                : "{\"execute\":\"" + command + "\",\"arguments\":" + arguments + ",\"id\":" + id + "}\n";
        try {
            transport.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            pending.remove(id);
            onReply.accept(failure("cannot write: " + e.getMessage()));
        }
    }

    /** A line that is not an event came. */
    void replied(JsonNode message) {
        Consumer<QmpReply> receiver = pending.remove(message.path("id").asLong(-1));
        if (receiver == null) {
            return;
        }
        JsonNode error = message.path("error");
        receiver.accept(
                error.isMissingNode()
                        ? new QmpReply(message.path("return"), "")
                        : failure(error.path("desc").asText("error without a description")));
    }

    private static QmpReply failure(String error) {
        return new QmpReply(MissingNode.getInstance(), error);
    }
}
