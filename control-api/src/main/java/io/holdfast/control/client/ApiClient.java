package io.holdfast.control.client;

import io.holdfast.control.ControlJson;
import io.holdfast.control.ControlJson.Fields;
import io.holdfast.control.operator.Operation;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Asks a server. Each request has a connection of its own. */
public final class ApiClient {
    private static final Pattern IN_PATH = Pattern.compile("\\{(\\w+)}");
    private static final int MAX_HEAD_BYTES = 64 * 1024;

    private final ServerAddress server;

    public ApiClient(ServerAddress server) {
        this.server = server;
    }

    /**
     * What came back.
     *
     * @param status HTTP's
     * @param json the object; empty if there is none
     */
    public record Reply(int status, Fields json) {
        public boolean good() {
            return status >= 200 && status < 300;
        }
    }

    /**
     * @param values by field of the request: text, Long, Boolean or list of texts
     * @param basis the version the change is based on
     * @throws IOException saying for people what is wrong with the connection
     */
    public Reply ask(Operation operation, Map<String, Object> values, OptionalLong basis) throws IOException {
        Map<String, Object> left = new LinkedHashMap<>(values);
        Matcher names = IN_PATH.matcher(operation.path());
        StringBuilder path = new StringBuilder();
        while (names.find()) {
            String value = String.valueOf(left.remove(names.group(1)));
            names.appendReplacement(path, Matcher.quoteReplacement(encoded(value)));
        }
        names.appendTail(path);
        byte[] body = new byte[0];
        if (operation.verb() == Operation.Verb.POST || operation.verb() == Operation.Verb.PUT) {
            body = ControlJson.bytes(out -> {
                out.writeStartObject();
                for (Map.Entry<String, Object> value : left.entrySet()) {
                    out.writeFieldName(value.getKey());
                    if (value.getValue() instanceof List<?> list) {
                        out.writeStartArray();
                        for (Object text : list) {
                            out.writeString(String.valueOf(text));
                        }
                        out.writeEndArray();
                    } else {
                        out.writeObject(value.getValue());
                    }
                }
                out.writeEndObject();
            });
        } else {
            String before = "?";
            for (Map.Entry<String, Object> value : left.entrySet()) {
                path.append(before).append(encoded(value.getKey())).append('=');
                path.append(encoded(String.valueOf(value.getValue())));
                before = "&";
            }
        }
        try (Connection connection = server.connect()) {
            send(connection.out(), operation.verb().name(), path.toString(), body, basis);
            HttpReply reply = HttpReply.read(connection.in(), MAX_HEAD_BYTES);
            byte[] bytes = reply.body().readAllBytes();
            return new Reply(reply.status(), bytes.length == 0 ? new Fields(Map.of()) : parsed(bytes));
        }
    }

    private static Fields parsed(byte[] bytes) throws IOException {
        try {
            return ControlJson.parse(bytes, 0, bytes.length);
        } catch (IOException e) {
            throw new IOException("what answers there is no Holdfast server", e);
        }
    }

    /** Hears of events. */
    public interface EventHandler {
        /** @return false to end the stream */
        boolean event(String type, Fields event);
    }

    /**
     * Events after a sequence number, until the handler has enough or the server goes.
     *
     * @throws IOException saying for people what is wrong with the connection
     */
    public void events(long after, EventHandler handler) throws IOException {
        try (Connection connection = server.connect()) {
            send(connection.out(), "GET", "/v1/events?after=" + after, new byte[0], OptionalLong.empty());
            HttpReply reply = HttpReply.read(connection.in(), MAX_HEAD_BYTES);
            if (reply.status() != 200) {
                Fields error = parsed(reply.body().readAllBytes());
                throw new IOException(error.text("message"));
            }
            EventReader.read(reply.body(), handler);
        }
    }

    private void send(OutputStream out, String method, String path, byte[] body, OptionalLong basis)
            throws IOException {
        StringBuilder head = new StringBuilder();
        head.append(method).append(' ').append(path).append(" HTTP/1.1\r\n");
        head.append("Host: ").append(server.host()).append("\r\nConnection: close\r\n");
        if (!server.token().isEmpty()) {
            head.append("Authorization: Bearer ").append(server.token()).append("\r\n");
        }
        if (body.length > 0) {
            head.append("Content-Type: application/json\r\nContent-Length: ")
                    .append(body.length)
                    .append("\r\n");
        }
        if (basis.isPresent()) {
            head.append("If-Match: \"").append(basis.getAsLong()).append("\"\r\n");
        }
        head.append("\r\n");
        byte[] bytes = head.toString().getBytes(StandardCharsets.US_ASCII);
        byte[] all = java.util.Arrays.copyOf(bytes, bytes.length + body.length);
        System.arraycopy(body, 0, all, bytes.length, body.length);
        out.write(all);
        out.flush();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Server-sent events, one after the other. */
    private static final class EventReader {
        private EventReader() {}

        static void read(InputStream in, EventHandler handler) throws IOException {
            String type = "";
            String data = "";
            for (String line = line(in); line != null; line = line(in)) {
                if (line.startsWith("event: ")) {
                    type = line.substring("event: ".length());
                } else if (line.startsWith("data: ")) {
                    data = line.substring("data: ".length());
                } else if (line.isEmpty() && !data.isEmpty()) {
                    if (!handler.event(type, parsed(data.getBytes(StandardCharsets.UTF_8)))) {
                        return;
                    }
                    data = "";
                }
            }
        }

        private static @Nullable String line(InputStream in) throws IOException {
            java.io.ByteArrayOutputStream line = new java.io.ByteArrayOutputStream();
            for (int b = in.read(); b != '\n'; b = in.read()) {
                if (b < 0) {
                    return null;
                }
                line.write(b);
            }
            return line.toString(StandardCharsets.UTF_8);
        }
    }
}
