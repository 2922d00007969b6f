package io.holdfast.management.plane;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Requests made from the API's description: right ones, nearly right ones, and junk. */
final class ApiFuzz {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> TEXTS = List.of(
            "web1",
            "root1",
            "fcs0",
            "vfchost0",
            "V1-C1",
            "images",
            "default",
            "x",
            "",
            " ",
            "..",
            "../../etc/passwd",
            "a/b",
            "é€😀",
            "%00",
            "\u0000",
            "\n",
            "' OR 1=1 --",
            "naa.c050760000000001",
            "c050760000000001",
            "iqn.2026-11.example:x",
            "999999999999999999999",
            "-1",
            "true",
            "null",
            "x".repeat(5000),
            "/srv/images");

    private ApiFuzz() {}

    /** @param content the body, a character for each byte */
    record Request(String path, String content, List<String> headers) {
        byte[] body() {
            return content.getBytes(StandardCharsets.ISO_8859_1);
        }

        String text() {
            return content.length() > 300 ? content.substring(0, 300) + "…" : content;
        }
    }

    static Request request(Random random, String path, JsonNode operation) {
        StringBuilder query = new StringBuilder();
        String filled = path;
        if (operation.has("parameters")) {
            for (JsonNode parameter : operation.get("parameters")) {
                String name = parameter.get("name").asText();
                String value = encoded(text(random, parameter.get("schema")));
                if (parameter.get("in").asText().equals("path")) {
                    filled = filled.replace("{" + name + "}", value.isEmpty() ? "x" : value);
                } else if (parameter.get("in").asText().equals("query") && random.nextBoolean()) {
                    query.append(query.length() == 0 ? '?' : '&')
                            .append(name)
                            .append('=')
                            .append(value);
                }
            }
        }
        if (random.nextInt(10) == 0) {
            query.append(query.length() == 0 ? '?' : '&').append("%zz&a=b&=");
        }
        List<String> versions = List.of("\"0\"", "\"999999\"", "x", "*", "W/\"3\"");
        List<String> headers = random.nextInt(4) == 0
                ? List.of("If-Match: " + versions.get(random.nextInt(versions.size())))
                : List.of();
        String content = new String(body(random, operation), StandardCharsets.ISO_8859_1);
        return new Request(filled + query, content, headers);
    }

    private static byte[] body(Random random, JsonNode operation) {
        if (!operation.has("requestBody") || random.nextInt(12) == 0) {
            return new byte[0];
        }
        if (random.nextInt(12) == 0) {
            byte[] junk = new byte[random.nextInt(200)];
            random.nextBytes(junk);
            return junk;
        }
        ObjectNode body = JSON.createObjectNode();
        JsonNode schema = operation.at("/requestBody/content/application~1json/schema/properties");
        for (Map.Entry<String, JsonNode> field : schema.properties()) {
            switch (random.nextInt(8)) {
                case 0 -> body.put(field.getKey(), random.nextLong());
                case 1 -> body.putArray(field.getKey()).add(1).add("x");
                case 2 -> body.putObject(field.getKey()).put("deep", 1.5);
                case 3 -> body.putNull(field.getKey());
                default -> right(random, body, field);
            }
        }
        if (random.nextInt(10) == 0) {
            body.put("unknown", 1);
        }
        String text = body.toString();
        int cut = random.nextInt(12) == 0 ? random.nextInt(text.length()) : text.length();
        return text.substring(0, cut).getBytes(StandardCharsets.UTF_8);
    }

    private static void right(Random random, ObjectNode body, Map.Entry<String, JsonNode> field) {
        JsonNode schema = field.getValue();
        switch (schema.get("type").asText()) {
            case "integer" ->
                body.put(
                        field.getKey(),
                        Math.min(
                                schema.get("maximum").asLong(),
                                schema.get("minimum").asLong() + 512L * random.nextInt(9)));
            case "boolean" -> body.put(field.getKey(), random.nextBoolean());
            case "array" -> body.putArray(field.getKey()).add(text(random, schema));
            default -> body.put(field.getKey(), text(random, schema));
        }
    }

    private static String text(Random random, JsonNode schema) {
        if (schema.has("enum") && random.nextInt(5) > 0) {
            return schema.get("enum")
                    .get(random.nextInt(schema.get("enum").size()))
                    .asText();
        }
        return random.nextInt(3) == 0 ? "n" + random.nextInt(1000) : TEXTS.get(random.nextInt(TEXTS.size()));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
