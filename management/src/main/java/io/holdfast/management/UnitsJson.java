package io.holdfast.management;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The logical units of a state directory as a file:
 *
 * <pre>{@code
 * {"units": {"iqn.2026-11.io.holdfast:disk": {"uuid": "…", "path": "/srv/disk.img", "blockBytes": 512}}}
 * }</pre>
 *
 * <p>By Jackson's streams, not by its data binding: this stands between exec and serving, and the binding alone took a
 * third of that time. A file that says anything else is not guessed at.
 */
final class UnitsJson {
    private static final JsonFactory JSON = new JsonFactory();
    private static final String UNITS = "units";
    private static final String UUID_FIELD = "uuid";
    private static final String PATH = "path";
    private static final String BLOCK_BYTES = "blockBytes";

    private UnitsJson() {}

    /**
     * @return by target name
     * @throws IOException saying what is wrong with it
     * @throws IllegalArgumentException if a UUID is none
     */
    static Map<String, KnownUnit> read(byte[] file) throws IOException {
        Map<String, KnownUnit> units = new TreeMap<>();
        try (JsonParser in = JSON.createParser(file)) {
            in.nextToken();
            expect(in, JsonToken.START_OBJECT);
            if (in.nextToken() != JsonToken.FIELD_NAME || !in.currentName().equals(UNITS)) {
                throw new IOException("it does not name units and their UUIDs");
            }
            in.nextToken();
            expect(in, JsonToken.START_OBJECT);
            while (in.nextToken() == JsonToken.FIELD_NAME) {
                String target = in.currentName();
                in.nextToken();
                expect(in, JsonToken.START_OBJECT);
                units.put(target, unit(in));
            }
            in.nextToken();
            expect(in, JsonToken.END_OBJECT);
            if (in.nextToken() != null) {
                throw new IOException("something follows the units");
            }
        }
        return units;
    }

    private static KnownUnit unit(JsonParser in) throws IOException {
        String uuid = "";
        String path = "";
        // Absent in what was written before disks could have other blocks.
        int blockBytes = KnownUnit.DEFAULT_BLOCK_BYTES;
        while (in.nextToken() == JsonToken.FIELD_NAME) {
            String field = in.currentName();
            JsonToken value = in.nextToken();
            switch (field) {
                case UUID_FIELD -> uuid = text(in, value);
                case PATH -> path = text(in, value);
                case BLOCK_BYTES -> {
                    if (value != JsonToken.VALUE_NULL) {
                        blockBytes = in.getIntValue();
                    }
                }
                default -> throw new IOException("a unit has no '" + field + "'");
            }
        }
        if (uuid.isEmpty() || path.isEmpty()) {
            throw new IOException("a unit has no uuid or no path");
        }
        return new KnownUnit(UUID.fromString(uuid), path, blockBytes);
    }

    private static String text(JsonParser in, JsonToken value) throws IOException {
        return value == JsonToken.VALUE_STRING ? in.getText() : "";
    }

    private static void expect(JsonParser in, JsonToken token) throws IOException {
        if (in.currentToken() != token) {
            throw new IOException("it does not name units and their UUIDs");
        }
    }

    static byte[] written(Map<String, KnownUnit> units) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator out = JSON.createGenerator(bytes).useDefaultPrettyPrinter()) {
            out.writeStartObject();
            out.writeObjectFieldStart(UNITS);
            for (Map.Entry<String, KnownUnit> unit : units.entrySet()) {
                out.writeObjectFieldStart(unit.getKey());
                out.writeStringField(UUID_FIELD, unit.getValue().uuid().toString());
                out.writeStringField(PATH, unit.getValue().path());
                out.writeNumberField(BLOCK_BYTES, unit.getValue().blockBytes());
                out.writeEndObject();
            }
            out.writeEndObject();
            out.writeEndObject();
        }
        return bytes.toByteArray();
    }
}
