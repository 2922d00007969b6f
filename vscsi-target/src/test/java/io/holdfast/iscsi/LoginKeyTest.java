package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LoginKeyTest {

    @ParameterizedTest(name = "{0}={1} gives {2}")
    @CsvSource(
            delimiter = '|',
            value = {
                "HEADER_DIGEST|CRC32C,None|CRC32C",
                "HEADER_DIGEST|None,CRC32C|None",
                "DATA_DIGEST|CRC32C|CRC32C",
                "DATA_DIGEST|MD5,CRC32C|CRC32C",
                "DATA_DIGEST|MD5|Reject",
                "AUTH_METHOD|CHAP,None|None",
                "AUTH_METHOD|CHAP|Reject",
                "MAX_CONNECTIONS|8|1",
                "INITIAL_R2T|No|Yes",
                "INITIAL_R2T|Yes|Yes",
                "INITIAL_R2T|yes|Reject",
                "IMMEDIATE_DATA|No|No",
                "IMMEDIATE_DATA|Yes|Yes",
                "MAX_BURST_LENGTH|16776192|1048576",
                "MAX_BURST_LENGTH|512|512",
                "MAX_BURST_LENGTH|511|Reject",
                "MAX_BURST_LENGTH|16777216|Reject",
                "FIRST_BURST_LENGTH|0x10000|65536",
                "MAX_OUTSTANDING_R2T|1|1",
                "MAX_OUTSTANDING_R2T|64|8",
                "MAX_OUTSTANDING_R2T|0|Reject",
                "DEFAULT_TIME2WAIT|2|2",
                "DEFAULT_TIME2WAIT|0|0",
                "DEFAULT_TIME2WAIT|3601|Reject",
                "DEFAULT_TIME2RETAIN|20|0",
                "ERROR_RECOVERY_LEVEL|2|0",
                "ERROR_RECOVERY_LEVEL|3|Reject",
                "DATA_PDU_IN_ORDER|No|Yes",
                "DATA_SEQUENCE_IN_ORDER|No|Yes",
                "MAX_RECV_DATA_SEGMENT_LENGTH|1048576|1048576",
                "MAX_RECV_DATA_SEGMENT_LENGTH|-1|Reject",
                "MAX_RECV_DATA_SEGMENT_LENGTH|12x|Reject",
                "MAX_RECV_DATA_SEGMENT_LENGTH|''|Reject",
                "IF_MARKER|Yes|No",
                "OF_MARK_INT|2048~4096|Irrelevant",
                "TASK_REPORTING|FastAbort,RFC3720|RFC3720",
                "PROTOCOL_LEVEL|2|1",
                "INITIATOR_ALIAS|web1|web1",
            })
    void shouldAgreeByTheRuleOfTheKey(LoginKey key, String offered, String agreed) {
        assertThat(key.agree(offered)).isEqualTo(agreed);
    }

    @ParameterizedTest
    @EnumSource(LoginKey.class)
    void shouldFindEveryKeyByItsNameOnTheWire(LoginKey key) {
        assertThat(LoginKey.of(key.key())).isSameAs(key);
    }

    @Test
    void shouldKnowNoKeyInAnotherSpelling() {
        assertThat(LoginKey.of("headerdigest")).isNull();
        assertThat(LoginKey.of("")).isNull();
    }

    @ParameterizedTest
    @CsvSource({"0,0", "0x1f,31", "0X1F,31", "4294967295,4294967295", "99999999999,-1", "0x,-1", "'1 ',-1", "--1,-1"})
    void shouldReadNumbersInBothBases(String text, long value) {
        assertThat(LoginKey.parse(text)).isEqualTo(value);
    }
}
