package io.holdfast.iscsi.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BasicHeaderTest {

    private static BasicHeader of(String hex) {
        BasicHeader header = new BasicHeader();
        byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
        System.arraycopy(bytes, 0, header.bytes(), 0, bytes.length);
        return header;
    }

    @Test
    void shouldReadAScsiCommand() {
        BasicHeader header = of("01 e1 0000 00 000200 0001000000000000 80000001 fffffe00 7fffffff 80000000"
                + "2800000000010000010000000000000f");
        assertThat(header.opcode()).isEqualTo(Opcode.SCSI_COMMAND);
        assertThat(header.immediate()).isFalse();
        assertThat(header.flag(BasicHeader.FINAL | BasicHeader.READ | BasicHeader.WRITE))
                .isTrue();
        assertThat(header.taskAttribute()).isEqualTo(1);
        assertThat(header.dataSegmentBytes()).isEqualTo(512);
        assertThat(header.lun()).isEqualTo(0x0001_0000_0000_0000L);
        assertThat(header.initiatorTaskTag()).isEqualTo(0x8000_0001);
        assertThat(header.expectedDataTransferLength()).isEqualTo(0xffff_fe00L);
        assertThat(header.cmdSn()).isEqualTo(0x7fff_ffff);
        assertThat(header.expStatSn()).isEqualTo(0x8000_0000);
        byte[] cdb = new byte[16];
        header.copyCdb(cdb);
        assertThat(cdb).startsWith(0x28).endsWith(0x0f);
    }

    @Test
    void shouldReadALoginRequest() {
        BasicHeader header = of("43 87 0100 00000000 80123456 000a 0102 00000007 fffe0000");
        assertThat(header.opcode()).isEqualTo(Opcode.LOGIN_REQUEST);
        assertThat(header.immediate()).isTrue();
        assertThat(header.currentStage()).isEqualTo(1);
        assertThat(header.nextStage()).isEqualTo(3);
        assertThat(header.versionMin()).isZero();
        assertThat(header.isid()).isEqualTo(0x8012_3456_000aL);
        assertThat(Isid.print(header.isid())).isEqualTo("0x80123456000a");
        assertThat(header.tsih()).isEqualTo(0x0102);
        assertThat(header.connectionId()).isEqualTo(0xfffe);
    }

    @Test
    void shouldReadADataOut() {
        BasicHeader header = of(
                "05 80 0000 00 ffffff 0000000000000000 00000001 00000002 00000000 00000003 00000000 00000004 fffffff0");
        assertThat(header.dataSegmentBytes()).isEqualTo(0xff_ffff);
        assertThat(header.targetTransferTag()).isEqualTo(2);
        assertThat(header.dataSn()).isEqualTo(4);
        assertThat(header.bufferOffset()).isEqualTo(0xffff_fff0L);
    }

    @Test
    void shouldPutResponsesWhereTheyBelong() {
        BasicHeader header = new BasicHeader()
                .begin(Opcode.SCSI_RESPONSE, BasicHeader.FINAL | BasicHeader.UNDERFLOW)
                .response(1)
                .scsiStatus(2)
                .dataSegmentBytes(0x010203)
                .initiatorTaskTag(4)
                .statSn(5)
                .window(6, 7)
                .expDataSn(8)
                .residualCount(9);
        assertThat(HexFormat.of().formatHex(header.bytes()))
                .isEqualTo("2182010200010203" + "0000000000000000" + "0000000400000000" + "0000000500000006"
                        + "0000000700000008" + "0000000000000009");
        header.begin(Opcode.R2T, BasicHeader.FINAL)
                .targetTransferTag(1)
                .dataSn(2)
                .bufferOffset(0xffff_fe00L)
                .desiredTransferLength(512);
        assertThat(HexFormat.of().formatHex(header.bytes()))
                .as("nothing is left of the PDU before")
                .isEqualTo("3180000000000000" + "0000000000000000" + "0000000000000001" + "0000000000000000"
                        + "0000000000000002" + "fffffe0000000200");
        header.begin(Opcode.ASYNC_MESSAGE, BasicHeader.FINAL).asyncEvent(2, 0x0102, 0x0304, 0x0506);
        assertThat(HexFormat.of().formatHex(header.bytes(), 36, 44)).isEqualTo("0200010203040506");
        header.begin(Opcode.LOGIN_RESPONSE, 0)
                .isidAndTsih(0x8012_3456_000aL, 0xffff)
                .loginStatus(2, 11);
        assertThat(HexFormat.of().formatHex(header.bytes(), 8, 16)).isEqualTo("80123456000affff");
        assertThat(HexFormat.of().formatHex(header.bytes(), 36, 38)).isEqualTo("020b");
    }

    @ParameterizedTest
    @CsvSource({
        "0x800000000001, true",
        "0xbfffffffffff, true",
        "0x00023d000001, false",
        "0x400000000001, false",
        "0xc00000000001, false",
    })
    void shouldTellTheRandomFormOfAnIsidFromTheOthers(String isid, boolean random) {
        assertThat(Isid.isRandom(Long.decode(isid))).isEqualTo(random);
    }

    @ParameterizedTest
    @CsvSource({"0,0", "1,3", "2,2", "3,1", "4,0", "16777215,1"})
    void shouldPadToWholeWords(int length, int padding) {
        assertThat(Padding.of(length)).isEqualTo(padding);
    }

    @Test
    void shouldPrintForPeople() {
        assertThat(of("01 80 0000 00 000200 0000000000000000 0000abcd"))
                .hasToString("SCSI Command itt 0x0000abcd, 512 bytes");
        assertThat(of("1f")).hasToString("opcode 0x1f itt 0x00000000, 0 bytes");
    }
}
