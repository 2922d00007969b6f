package io.holdfast.control.http;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.control.ControlJson;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.Labels;
import io.holdfast.control.operator.Operation;
import io.holdfast.control.operator.Param;
import io.holdfast.control.operator.Row;
import io.holdfast.control.operator.Shape;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The description of the API (OpenAPI 3.1), printed from the tables. */
public final class OpenApi {
    private static final String VERSION = "3.1.0";
    private static final String SCHEMAS = "#/components/schemas/";

    private OpenApi() {}

    /** As JSON. */
    public static String text() {
        byte[] bytes = ControlJson.bytes(out -> {
            out.useDefaultPrettyPrinter();
            write(out);
        });
        return new String(bytes, StandardCharsets.UTF_8) + "\n";
    }

    private static void write(JsonGenerator out) throws IOException {
        out.writeStartObject();
        out.writeStringField("openapi", VERSION);
        out.writeObjectFieldStart("info");
        out.writeStringField("title", "Holdfast");
        out.writeStringField("version", "1");
        out.writeStringField(
                "description",
                "What an operator may ask of a Holdfast server. Every answer carries the version of the state as its ETag;"
                        + " a change with If-Match is refused (412) if what it changes was changed since.");
        out.writeEndObject();
        out.writeArrayFieldStart("security");
        scheme(out, "token");
        scheme(out, "certificate");
        out.writeEndArray();
        out.writeObjectFieldStart("paths");
        Map<String, Map<Operation.Verb, Operation>> paths = new LinkedHashMap<>();
        for (Operation operation : Operation.values()) {
            paths.computeIfAbsent(operation.path(), p -> new EnumMap<>(Operation.Verb.class))
                    .put(operation.verb(), operation);
        }
        for (Map.Entry<String, Map<Operation.Verb, Operation>> path : paths.entrySet()) {
            out.writeObjectFieldStart(path.getKey());
            for (Operation operation : path.getValue().values()) {
                operation(out, operation);
            }
            out.writeEndObject();
        }
        plain(
                out,
                "/v1/events",
                "Events as they come, as text/event-stream; Last-Event-ID or ?after=SEQ goes on there.",
                "text/event-stream");
        plain(out, "/metrics", "Metrics for Prometheus.", "text/plain");
        plain(out, "/readyz", "200 if everything is served, 503 with what is in the way.", "application/json");
        plain(out, "/livez", "200 as long as the process answers. Needs no authentication.", "text/plain");
        out.writeEndObject();
        components(out);
        out.writeEndObject();
    }

    private static void scheme(JsonGenerator out, String name) throws IOException {
        out.writeStartObject();
        out.writeArrayFieldStart(name);
        out.writeEndArray();
        out.writeEndObject();
    }

    private static void plain(JsonGenerator out, String path, String summary, String type) throws IOException {
        out.writeObjectFieldStart(path);
        out.writeObjectFieldStart("get");
        out.writeStringField("summary", summary);
        out.writeObjectFieldStart("responses");
        out.writeObjectFieldStart("200");
        out.writeStringField("description", "OK");
        out.writeObjectFieldStart("content");
        out.writeObjectFieldStart(type);
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
    }

    private static void operation(JsonGenerator out, Operation operation) throws IOException {
        out.writeObjectFieldStart(operation.verb().name().toLowerCase(Locale.ROOT));
        out.writeStringField("operationId", String.join("-", operation.words()));
        out.writeStringField("summary", operation.help());
        out.writeStringField("x-role", Labels.of(operation.role()));
        Shape shape = Shape.of(operation);
        boolean body = operation.verb() == Operation.Verb.POST || operation.verb() == Operation.Verb.PUT;
        List<Shape.Field> inBody = new ArrayList<>();
        out.writeArrayFieldStart("parameters");
        for (Shape.Field field : shape.fields()) {
            boolean inPath = operation.path().contains("{" + field.name() + "}");
            if (inPath || !body) {
                parameter(out, field, inPath ? "path" : "query");
            } else {
                inBody.add(field);
            }
        }
        if (operation.changes()) {
            out.writeStartObject();
            out.writeStringField("name", "If-Match");
            out.writeStringField("in", "header");
            out.writeStringField("description", "The version this change is based on.");
            out.writeObjectFieldStart("schema");
            out.writeStringField("type", "string");
            out.writeEndObject();
            out.writeEndObject();
        }
        out.writeEndArray();
        if (body) {
            body(out, inBody);
        }
        responses(out, operation);
        out.writeEndObject();
    }

    private static void parameter(JsonGenerator out, Shape.Field field, String in) throws IOException {
        out.writeStartObject();
        out.writeStringField("name", field.name());
        out.writeStringField("in", in);
        out.writeBooleanField("required", in.equals("path") || field.required());
        out.writeStringField("description", field.param().value());
        out.writeFieldName("schema");
        schema(out, field);
        out.writeEndObject();
    }

    private static void body(JsonGenerator out, List<Shape.Field> fields) throws IOException {
        out.writeObjectFieldStart("requestBody");
        out.writeBooleanField("required", fields.stream().anyMatch(Shape.Field::required));
        out.writeObjectFieldStart("content");
        out.writeObjectFieldStart("application/json");
        out.writeObjectFieldStart("schema");
        out.writeStringField("type", "object");
        out.writeBooleanField("additionalProperties", false);
        out.writeArrayFieldStart("required");
        for (Shape.Field field : fields) {
            if (field.required()) {
                out.writeString(field.name());
            }
        }
        out.writeEndArray();
        out.writeObjectFieldStart("properties");
        for (Shape.Field field : fields) {
            out.writeFieldName(field.name());
            schema(out, field);
        }
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
    }

    private static void schema(JsonGenerator out, Shape.Field field) throws IOException {
        out.writeStartObject();
        out.writeStringField("description", field.param().value());
        switch (field.kind()) {
            case TEXT -> {
                out.writeStringField("type", "string");
                if (field.param().form() == Param.Form.SECRET) {
                    out.writeStringField("format", "password");
                }
            }
            case NUMBER -> {
                out.writeStringField("type", "integer");
                out.writeNumberField("minimum", field.param().min());
                out.writeNumberField("maximum", field.param().max());
            }
            case FLAG -> {
                out.writeStringField("type", "boolean");
                out.writeBooleanField("default", false);
            }
            case CHOICE -> {
                out.writeStringField("type", "string");
                out.writeArrayFieldStart("enum");
                for (String choice : field.choices()) {
                    out.writeString(choice);
                }
                out.writeEndArray();
            }
            case LIST -> {
                out.writeStringField("type", "array");
                out.writeObjectFieldStart("items");
                out.writeStringField("type", "string");
                out.writeEndObject();
            }
        }
        out.writeEndObject();
    }

    private static void responses(JsonGenerator out, Operation operation) throws IOException {
        String row = operation.answer().getSimpleName();
        out.writeObjectFieldStart("responses");
        out.writeObjectFieldStart("200");
        out.writeStringField("description", operation.changes() ? "Done, and durable." : "The rows.");
        out.writeObjectFieldStart("content");
        out.writeObjectFieldStart("application/json");
        out.writeObjectFieldStart("schema");
        out.writeStringField("type", "object");
        out.writeObjectFieldStart("properties");
        out.writeObjectFieldStart("version");
        out.writeStringField("type", "integer");
        out.writeEndObject();
        out.writeObjectFieldStart(operation.changes() ? "object" : "rows");
        if (operation.changes()) {
            out.writeStringField("$ref", SCHEMAS + row);
        } else {
            out.writeStringField("type", "array");
            out.writeObjectFieldStart("items");
            out.writeStringField("$ref", SCHEMAS + row);
            out.writeEndObject();
        }
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeObjectFieldStart("default");
        out.writeStringField("$ref", "#/components/responses/Error");
        out.writeEndObject();
        out.writeEndObject();
    }

    private static void components(JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("components");
        out.writeObjectFieldStart("securitySchemes");
        out.writeObjectFieldStart("token");
        out.writeStringField("type", "http");
        out.writeStringField("scheme", "bearer");
        out.writeEndObject();
        out.writeObjectFieldStart("certificate");
        out.writeStringField("type", "mutualTLS");
        out.writeEndObject();
        out.writeEndObject();
        out.writeObjectFieldStart("responses");
        out.writeObjectFieldStart("Error");
        out.writeStringField("description", "Nothing has changed.");
        out.writeObjectFieldStart("content");
        out.writeObjectFieldStart("application/json");
        out.writeObjectFieldStart("schema");
        out.writeStringField("$ref", SCHEMAS + "Error");
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeEndObject();
        out.writeObjectFieldStart("schemas");
        errorSchema(out);
        Map<String, Class<? extends Row>> rows = new TreeMap<>();
        for (Operation operation : Operation.values()) {
            rows.put(operation.answer().getSimpleName(), operation.answer());
        }
        for (Map.Entry<String, Class<? extends Row>> row : rows.entrySet()) {
            rowSchema(out, row.getKey(), row.getValue());
        }
        out.writeEndObject();
        out.writeEndObject();
    }

    private static void errorSchema(JsonGenerator out) throws IOException {
        out.writeObjectFieldStart("Error");
        out.writeStringField("type", "object");
        out.writeObjectFieldStart("properties");
        out.writeObjectFieldStart("error");
        out.writeStringField("type", "string");
        out.writeArrayFieldStart("enum");
        for (ErrorCode code : ErrorCode.values()) {
            out.writeString(code.label());
        }
        out.writeEndArray();
        out.writeEndObject();
        for (String text : List.of("message", "advice")) {
            out.writeObjectFieldStart(text);
            out.writeStringField("type", "string");
            out.writeEndObject();
        }
        out.writeEndObject();
        out.writeEndObject();
    }

    private static void rowSchema(JsonGenerator out, String name, Class<? extends Row> type) throws IOException {
        out.writeObjectFieldStart(name);
        out.writeStringField("type", "object");
        out.writeObjectFieldStart("properties");
        for (RecordComponent component : type.getRecordComponents()) {
            Class<?> raw = component.getType();
            boolean optional = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
            out.writeObjectFieldStart(component.getName());
            String kind = raw == boolean.class
                    ? "boolean"
                    : raw == List.class ? "array" : raw == String.class || raw == Instant.class ? "string" : "integer";
            if (optional) {
                out.writeArrayFieldStart("type");
                out.writeString(kind);
                out.writeString("null");
                out.writeEndArray();
            } else {
                out.writeStringField("type", kind);
            }
            if (raw == Instant.class) {
                out.writeStringField("format", "date-time");
            }
            if (raw == List.class) {
                out.writeObjectFieldStart("items");
                out.writeStringField("type", "string");
                out.writeEndObject();
            }
            out.writeEndObject();
        }
        out.writeEndObject();
        out.writeEndObject();
    }
}
