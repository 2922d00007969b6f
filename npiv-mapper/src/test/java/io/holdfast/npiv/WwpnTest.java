package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WwpnTest {
    private static final Wwpn NAME = new Wwpn(0xc05076075aac0002L);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "c05076075aac0002",
                "C05076075AAC0002",
                "c0:50:76:07:5a:ac:00:02",
                "C0:50:76:07:5a:AC:00:02",
                "c050:7607:5aac:0002",
                "0xc05076075aac0002",
                "naa.c05076075aac0002",
                "NAA.C05076075AAC0002",
                "eui.c05076075aac0002"
            })
    void shouldReadEverySpellingOfAName(String text) {
        assertThat(Wwpn.parse(text)).isEqualTo(NAME);
    }

    @Test
    void shouldPrintTheSpellingsOfHmcSwitchesAndIscsi() {
        assertThat(NAME).hasToString("c05076075aac0002");
        assertThat(NAME.withColons()).isEqualTo("c0:50:76:07:5a:ac:00:02");
        assertThat(NAME.inQuads()).isEqualTo("c050:7607:5aac:0002");
        assertThat(NAME.naaName()).isEqualTo("naa.c05076075aac0002");
        assertThat(NAME.euiName()).isEqualTo("eui.c05076075aac0002");
        assertThat(new WwpnPair(NAME, new Wwpn(NAME.value() + 1))).hasToString("c05076075aac0002,c05076075aac0003");
    }

    @ParameterizedTest
    @CsvSource({
        "1000000000000000, IEEE_48_BIT",
        "2100001b32000000, IEEE_EXTENDED",
        "3000000000000001, LOCALLY_ASSIGNED",
        "5005076801000000, IEEE_REGISTERED",
        "6005076801000000, IEEE_REGISTERED_EXTENDED_SHORT",
        "c050760000000000, EUI_64_MAPPED",
        "f050760000000000, EUI_64_MAPPED"
    })
    void shouldTellTheForm(String text, Naa form) {
        assertThat(Wwpn.parse(text).naa()).isEqualTo(form);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "4", "7", "8", "9", "a", "b"})
    void shouldRefuseFormsThatNoPortNameHas(String first) {
        NameFormatException error = error(first + "050760000000000");
        assertThat(error.position()).isZero();
        assertThat(error).hasMessageContaining("'" + first + "050760000000000'").hasMessageContaining("1, 2, 3, 5, 6");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "c05076075aac000 |15| 16 are needed",
                "c05076075aac00021 |16| more than 16",
                "c05076075aag0002 |11| not a hexadecimal digit",
                "c0:50:76:07:5a:ac:00:0 |22| it ends after 15",
                "c0:50:76:07:5aac:00:02 |14| a colon is missing",
                "c0:5:076075aac00002 |4| every second or every fourth",
                "c050:76:075aac0002 |7| every second or every fourth",
                "c05076075aac0002: |16| every second or every fourth",
                "c0::50 |3| every second or every fourth",
                "naa.c0:50:76:07:5a:ac:00:02 |6| not a hexadecimal digit",
                "naa.c05076075aac0002c05076075aac0002 |20| more than 16",
                "naa. |4| it ends after 0",
                "iqn.2026-11.io.holdfast |0| not a hexadecimal digit",
                "'' |0| it ends after 0",
                "c05076075aac000２ |15| not a hexadecimal digit"
            })
    void shouldSayWhereATextGoesWrong(String text, int position, String why) {
        NameFormatException error = error(text);
        assertThat(error.position()).isEqualTo(position);
        assertThat(error.text()).isEqualTo(text);
        assertThat(error).hasMessageContaining(why).hasMessageContaining("(character " + (position + 1) + ")");
    }

    @Test
    void shouldNotPutForeignCharactersIntoMessages() {
        assertThat(error("c0\u001b[31m")).hasMessageContaining("'c0\\u001b[31m'");
    }

    @Test
    void shouldReadWhatItPrintsForAnyName() {
        Random random = new Random(1);
        int[] forms = {1, 2, 3, 5, 6, 0xc, 0xd, 0xe, 0xf};
        for (int i = 0; i < 2_000; i++) {
            long form = forms[random.nextInt(forms.length)];
            Wwpn name = new Wwpn(form << 60 | random.nextLong() >>> 4);
            assertThat(Wwpn.parse(name.toString())).isEqualTo(name);
            assertThat(Wwpn.parse(name.withColons().toUpperCase(Locale.ROOT))).isEqualTo(name);
            assertThat(Wwpn.parse(name.inQuads())).isEqualTo(name);
            assertThat(Wwpn.parse(name.naaName())).isEqualTo(name);
            assertThat(Wwpn.parse(name.euiName())).isEqualTo(name);
        }
    }

    @Test
    void shouldReadGarbageAsANameOrRefuseItClearly() {
        Random random = new Random(2);
        String alphabet = "0123456789abcdefABCDEF::::naeuix.0x \u212a";
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(26); n > 0; n--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            try {
                Wwpn name = Wwpn.parse(text.toString());
                assertThat(text.toString().replaceAll("^(?i)(naa\\.|eui\\.|0x)|:", ""))
                        .isEqualToIgnoringCase(name.toString());
            } catch (NameFormatException e) {
                assertThat(e.position()).isBetween(0, text.length());
            }
        }
    }

    @Test
    void shouldSortNamesAsUnsignedNumbers() {
        assertThat(Wwpn.parse("2000000000000000")).isLessThan(Wwpn.parse("c000000000000000"));
    }

    @Test
    void shouldRefuseAPairOfOneName() {
        assertThatThrownBy(() -> new WwpnPair(NAME, NAME)).hasMessageContaining(NAME.toString());
    }

    private static NameFormatException error(String text) {
        NameFormatException error = catchThrowableOfType(NameFormatException.class, () -> Wwpn.parse(text));
        assertThat(error).as(text).isNotNull();
        return error;
    }
}
