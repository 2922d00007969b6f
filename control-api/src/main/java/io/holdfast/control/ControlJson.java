package io.holdfast.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** Messages to lines and back. */
final class ControlJson {

    /** Built with the first message, because building it costs a starting server more than opening its ports does. */
    private static final class Mapper {
        static final ObjectMapper JSON = JsonMapper.builder()
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .disable(DeserializationFeature.FAIL_ON_INVALID_SUBTYPE)
                .enable(DeserializationFeature.READ_UNKNOWN_ENUM_VALUES_USING_DEFAULT_VALUE)
                .build();
    }

    private ControlJson() {}

    /** The message and its line feed. */
    static ByteBuf line(Object message) {
        try {
            byte[] json = Mapper.JSON.writeValueAsBytes(message);
            return Unpooled.wrappedBuffer(json, new byte[] {'\n'});
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot write " + message.getClass().getName() + " as JSON", e);
        }
    }

    /**
     * @return empty for a message of a type that this version does not know
     * @throws IOException if the line is not a message at all
     */
    static <T> Optional<T> parse(ByteBuf line, Class<T> type) throws IOException {
        // Jackson would take a bare number or null for a message of a type it does not know.
        if (!line.isReadable() || line.getByte(line.readerIndex()) != '{') {
            throw new IOException("not a control message: a line must be a JSON object");
        }
        try (InputStream in = new ByteBufInputStream(line)) {
            return Optional.ofNullable(Mapper.JSON.readValue(in, type));
        } catch (JsonProcessingException e) {
            throw new IOException("not a control message: " + e.getOriginalMessage(), e);
        }
    }
}
