package io.holdfast.control;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON objects to lines and back, by Jackson's streams. Not by its data binding: that takes as long to warm up as a server
 * takes to start, and frozen guests wait for a server's first welcome.
 */
public final class ControlJson {
    private static final JsonFactory JSON = new JsonFactory();
    static final int MAX_DEPTH = 16;

    private ControlJson() {}

    /** Writes one object. */
    public interface Writer {
        void write(JsonGenerator out) throws IOException;
    }

    /** The object and its line feed. */
    static ByteBuf line(Writer content) {
        ByteArrayOutputStream bytes = written(content);
        bytes.write('\n');
        return Unpooled.wrappedBuffer(bytes.toByteArray());
    }

    /** The object alone. */
    public static byte[] bytes(Writer content) {
        return written(content).toByteArray();
    }

    private static ByteArrayOutputStream written(Writer content) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (JsonGenerator out = JSON.createGenerator(bytes)) {
            content.write(out);
        } catch (IOException e) {
            throw new IllegalStateException("cannot write a message into memory", e);
        }
        return bytes;
    }

    /** @throws IOException if the line is not one JSON object */
    static Fields parse(ByteBuf line) throws IOException {
        try (InputStream in = new ByteBufInputStream(line);
                JsonParser parser = JSON.createParser(in)) {
            return one(parser);
        } catch (JsonProcessingException e) {
            throw new IOException("not a control message: " + e.getOriginalMessage(), e);
        } catch (CharConversionException e) {
            throw new IOException("not a control message: " + e.getMessage(), e);
        }
    }

    /** @throws IOException if that is not one JSON object */
    public static Fields parse(byte[] bytes, int offset, int length) throws IOException {
        Fields plain = PlainJson.object(bytes, offset, length);
        return plain != null ? plain : parseAny(bytes, offset, length);
    }

    /** However it is written. */
    static Fields parseAny(byte[] bytes, int offset, int length) throws IOException {
        try (JsonParser parser = JSON.createParser(bytes, offset, length)) {
            return one(parser);
        }
    }

    private static Fields one(JsonParser parser) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new IOException("not a control message: a line must be a JSON object");
        }
        Fields fields = object(parser, 0);
        if (parser.nextToken() != null) {
            throw new IOException("not a control message: more than one JSON object on a line");
        }
        return fields;
    }

    private static Fields object(JsonParser parser, int depth) throws IOException {
        if (depth > MAX_DEPTH) {
            throw new IOException("not a control message: nested deeper than " + MAX_DEPTH);
        }
        Map<String, Object> values = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            Object value = value(parser, depth);
            if (value != null) {
                values.put(name, value);
            }
        }
        return new Fields(values);
    }

    private static @Nullable Object value(JsonParser parser, int depth) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> object(parser, depth + 1);
            case START_ARRAY -> {
                List<Object> values = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    Object value = value(parser, depth + 1);
                    if (value != null) {
                        values.add(value);
                    }
                }
                yield values;
            }
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            // Null is as good as not there, and nothing in the protocol has a fraction.
            default -> null;
        };
    }

    /**
     * The fields of an object. What is missing or of another kind reads as empty, because a peer of another version may
     * not send it; fields that nobody asks for are passed over.
     *
     * @param values String, Long, Boolean, List or Fields
     */
    public record Fields(Map<String, Object> values) {
        public String text(String name) {
            return values.get(name) instanceof String text ? text : "";
        }

        public long number(String name) {
            return values.get(name) instanceof Long number ? number : 0;
        }

        public boolean flag(String name) {
            return values.get(name) instanceof Boolean flag && flag;
        }

        public Fields object(String name) {
            return values.get(name) instanceof Fields fields ? fields : new Fields(Map.of());
        }

        public List<Fields> objects(String name) {
            return list(name, Fields.class);
        }

        public List<String> texts(String name) {
            return list(name, String.class);
        }

        public List<Integer> numbers(String name) {
            return list(name, Long.class).stream().map(Long::intValue).toList();
        }

        private <T> List<T> list(String name, Class<T> type) {
            return values.get(name) instanceof List<?> list
                    ? list.stream().filter(type::isInstance).map(type::cast).toList()
                    : List.of();
        }
    }
}
