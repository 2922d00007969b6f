package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.iscsi.wire.WireException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 7143 §4.2.7, RFC 3722. */
class IscsiNameTest {

    @ParameterizedTest
    @CsvSource({
        "iqn.2026-11.Test:Me, iqn.2026-11.test:me",
        "EUI.02004567A425678D, eui.02004567a425678d",
        "NAA.52004567BA64678D, naa.52004567ba64678d",
        "naa.62004567BA64678D0123456789ABCDEF, naa.62004567ba64678d0123456789abcdef",
        "iqn.2026-11.test:ＷＥＢ１, iqn.2026-11.test:web1", // full width
        "iqn.2026-11.test:ﬁle, iqn.2026-11.test:file", // ligature
        "iqn.2026-11.test:ÄRGER, iqn.2026-11.test:ärger",
        "whatever_this/is, whatever_this/is",
    })
    void shouldCompareInLowerCaseAndNormalised(String name, String same) throws WireException {
        assertThat(IscsiName.normalised(name)).isEqualTo(same);
        assertThat(IscsiName.normalised(same)).isEqualTo(same);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "eui.02004567A425678",
                "eui.02004567A425678G",
                "eui.",
                "naa.52004567BA64678",
                "naa.62004567ba64678d0123456789abcde",
                "iqn.2026-11.test:soft\u00adhyphen",
                "iqn.2026-11.test:no\u200bwidth",
                "iqn.2026-11.test:a b",
            })
    void shouldRefuseWhatIsNoName(String name) {
        assertThatThrownBy(() -> IscsiName.normalised(name))
                .isInstanceOf(WireException.class)
                .hasMessageContaining("is no iSCSI name");
    }

    @Test
    void shouldMeasureNamesInBytes() throws WireException {
        assertThat(IscsiName.normalised("ä".repeat(111))).hasSize(111);
        assertThatThrownBy(() -> IscsiName.normalised("ä".repeat(112))).isInstanceOf(WireException.class);
    }
}
