package io.holdfast.control;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.control.ControlJson.Fields;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The quick way and the real parser read the same, or the quick way reads nothing. */
class PlainJsonTest {
    private static final List<String> NAMES =
            List.of("k", "r", "name", "nextLun", "revision", "members", "a".repeat(40));

    private static final String ODD = "{}[]\",:0 a\\\177\0-";

    private static @Nullable Fields plain(String text) {
        byte[] bytes = ("<" + text + ">").getBytes(StandardCharsets.UTF_8);
        return PlainJson.object(bytes, 1, bytes.length - 2);
    }

    private static Fields any(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ControlJson.parseAny(bytes, 0, bytes.length);
    }

    @Test
    void shouldReadWhatIsWrittenAsTheRealParserDoes() throws IOException {
        Random random = new Random(7);
        for (int i = 0; i < 5_000; i++) {
            byte[] written = ControlJson.bytes(out -> object(random, out, 0));
            Fields plain = PlainJson.object(written, 0, written.length);
            assertThat(plain)
                    .as(new String(written, StandardCharsets.UTF_8))
                    .isEqualTo(ControlJson.parseAny(written, 0, written.length));
        }
    }

    private static void object(Random random, JsonGenerator out, int depth) throws IOException {
        out.writeStartObject();
        for (String name : NAMES.subList(0, random.nextInt(NAMES.size() + 1))) {
            out.writeFieldName(name);
            value(random, out, depth);
        }
        out.writeEndObject();
    }

    private static void value(Random random, JsonGenerator out, int depth) throws IOException {
        switch (random.nextInt(depth < 4 ? 7 : 5)) {
            case 0 -> out.writeString("x7:/. ~".repeat(random.nextInt(3)));
            case 1 -> out.writeNumber(random.nextLong() >> 10 + random.nextInt(50));
            case 2 -> out.writeBoolean(random.nextBoolean());
            case 3 -> out.writeNull();
            case 4 -> out.writeNumber(random.nextInt(3) - 1);
            case 5 -> object(random, out, depth + 1);
            default -> {
                out.writeStartArray();
                for (int i = random.nextInt(4); i > 0; i--) {
                    value(random, out, depth + 1);
                }
                out.writeEndArray();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{ \"a\":1}",
                "{\"a\": 1}",
                "{\"a\":1} ",
                "{\"a\":\"b\\n\"}",
                "{\"a\\u0062\":1}",
                "{\"a\":\"ä\"}",
                "{\"a\":1.5}",
                "{\"a\":1e3}",
                "{\"a\":1234567890123456789}",
                "{\"a\":1,\"a\":2}"
            })
    void shouldLeaveWhatIsWrittenInAnotherWayToTheRealParser(String text) throws IOException {
        assertThat(plain(text)).isNull();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assertThat(ControlJson.parse(bytes, 0, bytes.length)).isEqualTo(any(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{}{}",
                "[]",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1,}",
                "{\"a\":01}",
                "{\"a\":-}",
                "{\"a\":[1,]}",
                "{\"a\":truth}",
                "{\"a\":nul}",
                "{\"a\":\"b}",
                "{,}",
                "{\"a\":1 2}"
            })
    void shouldReadNothingThatIsWrong(String text) {
        assertThat(plain(text)).isNull();
    }

    @Test
    void shouldReadNothingOfWhatIsCutOffAnywhere() {
        String whole = "{\"k\":\"map\",\"r\":{\"client\":7,\"up\":true,\"members\":[\"a\",[1,{}]],\"x\":null}}";
        assertThat(plain(whole)).isNotNull();
        for (int length = 0; length < whole.length(); length++) {
            assertThat(plain(whole.substring(0, length)))
                    .as(whole.substring(0, length))
                    .isNull();
        }
    }

    @Test
    void shouldReadNothingThatIsNestedTooDeepOrHasTooManyMembers() throws IOException {
        for (int depth : new int[] {8, 100_000}) {
            assertThat(plain("{\"a\":".repeat(depth) + "1" + "}".repeat(depth)) == null)
                    .isEqualTo(depth > 8);
            assertThat(plain("{\"a\":" + "[".repeat(depth) + "]".repeat(depth) + "}") == null)
                    .isEqualTo(depth > 8);
        }
        StringBuilder many = new StringBuilder("{\"a0\":0");
        for (int i = 1; i < 100; i++) {
            many.append(",\"a").append(i).append("\":").append(i);
        }
        assertThat(plain(many + "}")).isNull();
        assertThat(any(many + "}").number("a99")).isEqualTo(99);
    }

    @Test
    void shouldReadRandomBytesAsNothingOrAsTheRealParserDoes() throws IOException {
        Random random = new Random(9);
        byte[] whole = "{\"k\":\"lu\",\"r\":{\"name\":\"lu0-0\",\"list\":[1,false,\"x\"],\"revision\":12}}"
                .getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = Arrays.copyOf(whole, whole.length);
            for (int j = random.nextInt(3); j >= 0; j--) {
                bytes[random.nextInt(bytes.length)] = (byte) ODD.charAt(random.nextInt(ODD.length()));
            }
            Fields plain = PlainJson.object(bytes, 0, bytes.length);
            if (plain != null) {
                assertThat(plain).isEqualTo(ControlJson.parseAny(bytes, 0, bytes.length));
            }
        }
    }
}
