package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class InquiryTest {
    private final TestBackend backend = new TestBackend(1 << 20);
    private final Initiator initiator = Initiator.of(Initiator.unit(backend));

    @Test
    void shouldDescribeADirectAccessDevice() {
        Answer answer = initiator.send(CdbBuilder.cdb(ScsiCommand.INQUIRY).length(260));

        assertThat(answer.isGood().u8(0)).as("qualifier and type").isZero();
        assertThat(answer.u8(1) & 0x80).as("RMB").isZero();
        assertThat(answer.u8(2)).as("version").isEqualTo(6);
        assertThat(answer.u8(3) & 0x0f).as("response data format").isEqualTo(2);
        assertThat(answer.u8(4)).as("additional length").isEqualTo(answer.data().length - 5);
        assertThat(answer.u8(7) & 0x02).as("CMDQUE").isNotZero();
        assertThat(ascii(answer, 8, 28)).isEqualTo("HOLDFASTVIRTUAL DISK    0001");
        assertThat(List.of(answer.u16(58), answer.u16(60), answer.u16(62), answer.u16(64)))
                .as("SAM-5, SPC-4, SBC-3")
                .containsExactly(0x00a0, 0x0460, 0x04c0, 0);
    }

    @Test
    void shouldReturnAsMuchAsTheAllocationLengthTakes() {
        byte[] all =
                initiator.send(CdbBuilder.cdb(ScsiCommand.INQUIRY).length(255)).data();
        for (int length = 0; length <= 255; length++) {
            Answer answer = initiator
                    .send(CdbBuilder.cdb(ScsiCommand.INQUIRY).length(length))
                    .isGood();
            assertThat(answer.data()).isEqualTo(Arrays.copyOf(all, Math.min(length, all.length)));
        }
    }

    @Test
    void shouldRefuseAPageCodeWithoutEvpd() {
        initiator
                .send(CdbBuilder.cdb(ScsiCommand.INQUIRY).set(2, 1).length(255))
                .complainsOfCdbByte(2);
    }

    @Test
    void shouldRefuseAPageThatIsNotThere() {
        initiator.send(page(0x84)).complainsOfCdbByte(2);
    }

    @Test
    void shouldReturnEveryPageItLists() {
        Answer list = initiator.send(page(0)).isGood();

        List<Integer> codes = new ArrayList<>();
        for (int i = 4; i < list.data().length; i++) {
            codes.add(list.u8(i));
            Answer page = initiator.send(page(list.u8(i))).isGood();
            assertThat(page.u8(1)).isEqualTo(list.u8(i));
            assertThat(page.u16(2)).as("page length").isEqualTo(page.data().length - 4);
        }
        assertThat(codes).containsExactly(0x00, 0x80, 0x83, 0x86, 0x8f, 0xb0, 0xb1, 0xb2);
    }

    @Test
    void shouldHaveItsUuidForASerialNumber() {
        Answer answer = initiator.send(page(0x80)).isGood();

        assertThat(ascii(answer, 4, answer.u16(2))).isEqualTo(Initiator.UNIT_UUID.toString());
    }

    @Test
    void shouldIdentifyItselfAndThePort() {
        Answer answer = initiator.send(page(0x83)).isGood();

        List<String> designators = new ArrayList<>();
        for (int at = 4; at < answer.data().length; at += 4 + answer.u8(at + 3)) {
            int association = answer.u8(at + 1) >>> 4 & 3;
            int type = answer.u8(at + 1) & 0x0f;
            designators.add(association + "/" + type + " "
                    + (answer.u8(at) == 1
                            ? hex(answer, at + 4, answer.u8(at + 3))
                            : ascii(answer, at + 4, answer.u8(at + 3)).replace("\0", "")));
        }
        assertThat(designators)
                .containsExactly(
                        "0/3 3e6f0123456789ab",
                        "0/1 HOLDFAST0192f0c4-7a3b-4c5d-9e6f-0123456789ab",
                        "0/10 10000192f0c47a3b4c5d9e6f0123456789ab",
                        "1/4 00000001",
                        "1/5 00000001",
                        "1/8 iqn.2026-11.io.holdfast:disk,t,0x0001");
        assertThat(answer.data().length % 4)
                .as("a name string fills whole words")
                .isEqualTo(2);
    }

    @Test
    void shouldAnnounceItsLimits() {
        Answer limits = initiator.send(page(0xb0)).isGood();

        assertThat(limits.u16(2)).as("page length of SBC-3").isEqualTo(0x3c);
        assertThat(limits.u8(4)).as("WSNZ").isZero();
        assertThat(limits.u8(5)).as("maximum compare and write").isEqualTo(255);
        assertThat(limits.u32(44)).as("maximum atomic transfer").isEqualTo(8);
        assertThat(limits.u32(48)).as("atomic alignment").isEqualTo(8);
        assertThat(limits.u32(52)).as("atomic granularity").isEqualTo(8);
        assertThat(limits.u16(6)).as("optimal granularity").isEqualTo(8);
        assertThat(limits.u32(8)).as("maximum transfer length").isEqualTo(Limits.MAX_TRANSFER_BYTES / 512);
        assertThat(limits.u32(20)).as("maximum unmap LBA count").isEqualTo(Limits.MAX_UNMAP_BLOCKS);
        assertThat(limits.u32(24)).as("maximum unmap descriptors").isEqualTo(Limits.MAX_UNMAP_DESCRIPTORS);
        assertThat(limits.u64(36)).as("maximum write same").isEqualTo(Limits.MAX_WRITE_SAME_BYTES / 512);
    }

    @Test
    void shouldSayThatItIsThinAndReadsZeroes() {
        Answer provisioning = initiator.send(page(0xb2)).isGood();

        assertThat(provisioning.u8(5)).as("LBPU, LBPWS, LBPWS10, LBPRZ").isEqualTo(0xe4);
        assertThat(provisioning.u8(6) & 7).as("thin").isEqualTo(2);
    }

    @Test
    void shouldNotAnnounceUnmapWhenTheBackendCannotDiscard() {
        Initiator full = Initiator.of(Initiator.unit(new TestBackend(1 << 20).withoutDiscard()));

        assertThat(full.send(page(0xb2)).isGood().u8(5)).isZero();
        assertThat(full.send(page(0xb0)).isGood().u32(20)).isZero();
        assertThat(full.send(page(0xb0)).isGood().u32(24)).isZero();
    }

    @Test
    void shouldNotRotate() {
        assertThat(initiator.send(page(0xb1)).isGood().u16(4)).isEqualTo(1);
    }

    @Test
    void shouldRefuseNamesThatDoNotFit() {
        UUID uuid = Initiator.UNIT_UUID;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LogicalUnitIdentity(uuid, "SEVENTEEN CHARS !", "1"))
                .withMessageContaining("product \"SEVENTEEN CHARS !\" must be at most 16");
        assertThatIllegalArgumentException().isThrownBy(() -> new LogicalUnitIdentity(uuid, "DISK", "é"));
    }

    private static CdbBuilder page(int code) {
        return CdbBuilder.cdb(ScsiCommand.INQUIRY).set(1, 1).set(2, code).length(1024);
    }

    private static String ascii(Answer answer, int at, int length) {
        return new String(answer.data(), at, length, StandardCharsets.US_ASCII);
    }

    private static String hex(Answer answer, int at, int length) {
        return HexFormat.of().formatHex(answer.data(), at, at + length);
    }
}
