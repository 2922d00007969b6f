package io.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.linux.UnixStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Commands to a guest's QEMU guest agent, each on a connection of its own: an agent that does not answer costs a limit and
 * nothing else. Blocks; not for the loop.
 */
final class GuestAgent {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MAX_LINE_BYTES = 64 * 1024;
    private static final int MAX_STALE_LINES = 16;

    private final Path socket;

    GuestAgent(Path socket) {
        this.socket = socket;
    }

    /** @throws IOException if it does not do it within the limit */
    void setTime(long nanosSince1970, int limitMs) throws IOException {
        execute("guest-set-time", "{\"time\":" + nanosSince1970 + "}", limitMs);
    }

    /** Makes the guest's file systems quiet. */
    int freezeFileSystems(int limitMs) throws IOException {
        return execute("guest-fsfreeze-freeze", null, limitMs).asInt();
    }

    int thawFileSystems(int limitMs) throws IOException {
        return execute("guest-fsfreeze-thaw", null, limitMs).asInt();
    }

    private JsonNode execute(String command, @Nullable String arguments, int limitMs) throws IOException {
        try (UnixStream stream = UnixStream.connect(socket, limitMs)) {
            stream.readTimeoutMs(limitMs);
            stream.writeTimeoutMs(limitMs);
            // What an earlier client was answered too late may still be on its way.
            int id = ThreadLocalRandom.current().nextInt(1, Integer.MAX_VALUE);
            say(stream, "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":" + id + "}}");
            JsonNode reply = read(stream);
            for (int i = 0; i < MAX_STALE_LINES && reply.path("return").asInt() != id; i++) {
                reply = read(stream);
            }
            say(
                    stream,
                    arguments == null
                            ? "{\"execute\":\"" + command + "\"}"
                            : "{\"execute\":\"" + command + "\",\"arguments\":" + arguments + "}");
            JsonNode answer = read(stream);
            if (answer.has("error")) {
                throw new IOException(
                        command + ": " + answer.path("error").path("desc").asText());
            }
            return answer.path("return");
        }
    }

    private static void say(UnixStream stream, String line) throws IOException {
        stream.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static JsonNode read(UnixStream stream) throws IOException {
        String line = stream.readLine(MAX_LINE_BYTES);
        if (line == null) {
            throw new IOException("the guest agent's port was closed");
        }
        return JSON.readTree(line);
    }
}
