package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class LoginKeyTest {

    /** Each key, what an initiator says, and what is agreed on. */
    private static final String ROWS = """
            HEADER_DIGEST|CRC32C,None|CRC32C
            HEADER_DIGEST|None,CRC32C|None
            HEADER_DIGEST|''|Reject
            HEADER_DIGEST|crc32c|Reject
            DATA_DIGEST|CRC32C|CRC32C
            DATA_DIGEST|MD5,,CRC32C|CRC32C
            DATA_DIGEST|MD5|Reject
            AUTH_METHOD|CHAP,None|None
            AUTH_METHOD|CHAP|Reject
            MAX_CONNECTIONS|8|1
            MAX_CONNECTIONS|0|Reject
            INITIAL_R2T|No|Yes
            INITIAL_R2T|Yes|Yes
            INITIAL_R2T|yes|Reject
            IMMEDIATE_DATA|No|No
            IMMEDIATE_DATA|Yes|Yes
            IMMEDIATE_DATA|Yes,No|Reject
            MAX_BURST_LENGTH|16776192|1048576
            MAX_BURST_LENGTH|512|512
            MAX_BURST_LENGTH|511|Reject
            MAX_BURST_LENGTH|16777216|Reject
            MAX_BURST_LENGTH|0x100000000000000200|Reject
            FIRST_BURST_LENGTH|0x10000|65536
            FIRST_BURST_LENGTH|0b AQAA|Reject
            FIRST_BURST_LENGTH|1024~65536|Reject
            MAX_OUTSTANDING_R2T|1|1
            MAX_OUTSTANDING_R2T|64|8
            MAX_OUTSTANDING_R2T|0|Reject
            DEFAULT_TIME2WAIT|2|2
            DEFAULT_TIME2WAIT|0|0
            DEFAULT_TIME2WAIT|3601|Reject
            DEFAULT_TIME2RETAIN|20|0
            ERROR_RECOVERY_LEVEL|3|Reject
            DATA_PDU_IN_ORDER|No|Yes
            DATA_SEQUENCE_IN_ORDER|No|Yes
            MAX_RECV_DATA_SEGMENT_LENGTH|1048576|1048576
            MAX_RECV_DATA_SEGMENT_LENGTH|-1|Reject
            MAX_RECV_DATA_SEGMENT_LENGTH|12x|Reject
            MAX_RECV_DATA_SEGMENT_LENGTH|٥١٢|Reject
            MAX_RECV_DATA_SEGMENT_LENGTH|''|Reject
            IF_MARKER|Yes|No
            OF_MARKER|Yes|No
            IF_MARK_INT|2048~4096|Irrelevant
            OF_MARK_INT|2048~4096|Irrelevant
            TASK_REPORTING|FastAbort,RFC3720|RFC3720
            TASK_REPORTING|FastAbort|Reject
            PROTOCOL_LEVEL|2|1
            PROTOCOL_LEVEL|32|Reject
            INITIATOR_NAME|iqn.x|iqn.x
            INITIATOR_ALIAS|web1|web1
            TARGET_NAME|iqn.y|iqn.y
            SESSION_TYPE|Normal|Normal
            SEND_TARGETS|All|Irrelevant
            TARGET_ALIAS|disk|Irrelevant
            TARGET_ADDRESS|192.0.2.1,1|Irrelevant
            TARGET_PORTAL_GROUP_TAG|1|Irrelevant
            """;

    static Stream<Arguments> rows() {
        return ROWS.lines()
                .map(row -> row.replace("''", "").split("\\|", -1))
                .map(cells -> Arguments.of(LoginKey.valueOf(cells[0]), cells[1], cells[2]));
    }

    @ParameterizedTest(name = "{0}={1} gives {2}")
    @MethodSource("rows")
    void shouldAgreeByTheRuleOfTheKey(LoginKey key, String offered, String agreed) {
        assertThat(key.agree(offered)).isEqualTo(agreed);
    }

    @ParameterizedTest
    @EnumSource(LoginKey.class)
    void shouldHaveARowForEveryKeyInThisTest(LoginKey key) {
        assertThat(rows().map(row -> row.get()[0])).contains(key);
    }

    @ParameterizedTest
    @EnumSource(LoginKey.class)
    void shouldTakeNoValueLongerThanTheRfcAllows(LoginKey key) {
        assertThat(key.agree("x".repeat(LoginKey.MAX_VALUE_BYTES + 1))).isEqualTo("Reject");
    }

    @Test
    void shouldOfferWhatTheOperatorChose() {
        assertThat(LoginKey.MAX_CONNECTIONS.agree("8", "4")).isEqualTo("4");
        assertThat(LoginKey.MAX_CONNECTIONS.agree("2", "4")).isEqualTo("2");
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
    @CsvSource({
        "0,0",
        "0x1f,31",
        "0X1F,31",
        "4294967295,4294967295",
        "9223372036854775807,9223372036854775807",
        "9223372036854775808,-1",
        "0x8000000000000000,-1",
        "0x,-1",
        "'1 ',-1",
        "--1,-1"
    })
    void shouldReadNumbersInBothBases(String text, long value) {
        assertThat(LoginKey.parse(text)).isEqualTo(value);
    }
}
