package io.holdfast.iscsi.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextKeysTest {

    private static TextKeys parse(String text) throws WireException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return TextKeys.parse(bytes, bytes.length);
    }

    @Test
    void shouldKeepTheOrderOfTheWire() throws WireException {
        assertThat(parse("b=1\0a=2\0c=\0").pairs()).hasToString("{b=1, a=2, c=}");
    }

    @Test
    void shouldPrintWhatItReads() throws WireException {
        String text = "InitiatorName=iqn.x\0DataDigest=CRC32C,None\0X-a=b=c\0";
        assertThat(new String(parse(text).encode(), StandardCharsets.UTF_8)).isEqualTo(text);
    }

    @Test
    void shouldTakePaddingAndAMissingLastZero() throws WireException {
        assertThat(parse("a=1\0\0\0\0b=2").pairs()).hasSize(2);
        assertThat(parse("").pairs()).isEmpty();
        assertThat(parse("\0\0").pairs()).isEmpty();
    }

    @Test
    void shouldReadNoFurtherThanItIsTold() throws WireException {
        assertThat(TextKeys.parse("a=1\0garbage".getBytes(StandardCharsets.US_ASCII), 4)
                        .pairs())
                .hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "novalue|text 'novalue' is not key=value",
                "=x|text '=x' is not key=value",
                "a=1;a=2|text key a is repeated",
            })
    void shouldSayWhatIsWrong(String text, String message) {
        assertThatThrownBy(() -> parse(text.replace(';', '\0')))
                .isInstanceOf(WireException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void shouldLimitKeysValuesAndPairs() throws WireException {
        assertThat(parse("k".repeat(63) + "=" + "v".repeat(8192)).pairs()).hasSize(1);
        assertThatThrownBy(() -> parse("k".repeat(64) + "=v")).isInstanceOf(WireException.class);
        assertThatThrownBy(() -> parse("k=" + "v".repeat(8193)))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("8192");
        StringBuilder many = new StringBuilder();
        for (int i = 0; i <= TextKeys.MAX_PAIRS; i++) {
            many.append('k').append(i).append("=\0");
        }
        assertThatThrownBy(() -> parse(many.toString())).hasMessageContaining("more than 128");
    }

    @Test
    void shouldMakeTextFromTheNetworkFitForALogLine() {
        assertThat(TextKeys.printable("a\nb\u0000c")).isEqualTo("a?b?c");
        assertThat(TextKeys.printable("x".repeat(200))).hasSize(81).endsWith("…");
    }

    @Test
    void shouldSurviveRandomBytes() {
        Random random = new Random(5);
        for (int round = 0; round < 2000; round++) {
            byte[] junk = new byte[random.nextInt(200)];
            random.nextBytes(junk);
            try {
                TextKeys.parse(junk, junk.length);
            } catch (WireException e) {
                assertThat(e.getMessage()).doesNotContain("\n").hasSizeLessThan(250);
            }
        }
    }
}
