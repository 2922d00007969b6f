package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import io.holdfast.scsi.MappedLuns;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Data of a WRITE that are written while they come, and everything that must keep them from it. */
class EarlyDataTest {
    private static final int GOOD = TestInitiator.GOOD;
    private static final int CHECK_CONDITION = TestInitiator.CHECK_CONDITION;
    private static final int RESERVATION_CONFLICT = 0x18;
    private static final int ABORT_TASK = 1;
    private static final int LUN_RESET = 5;
    private static final int ORDERED = 2;
    private static final int KIB = 1 << 10;

    private final IscsiRig rig = new IscsiRig();
    private final NotingDisk disk = new NotingDisk(8 << 20);
    private TestInitiator initiator = rig.connect();

    @BeforeEach
    void logIn() {
        show(disk, false);
        initiator = rig.connect().login("MaxConnections=2").ready();
    }

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private void show(NotingDisk at, boolean readOnly) {
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(new UUID(3, System.identityHashCode(at))), at)
                .build();
        rig.luns.show(Map.of(0, new MappedLuns.Mapped(unit, readOnly)), () -> {});
        rig.pump();
    }

    private static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static byte[] part(byte[] of, int from, int to) {
        return Arrays.copyOfRange(of, from, to);
    }

    /** A WRITE of all of {@code data}, of which so many come with the command. */
    private Pdu write(long lba, byte[] data, int immediateBytes) {
        return initiator.write(lba, data.length / 512, part(data, 0, immediateBytes));
    }

    private Pdu good(Pdu command) {
        return initiator.expectStatus(command.header().initiatorTaskTag(), GOOD);
    }

    private String sense(Pdu command) {
        return initiator
                .expectStatus(command.header().initiatorTaskTag(), CHECK_CONDITION)
                .sense();
    }

    private TestInitiator neighbour() {
        TestInitiator neighbour = rig.connect();
        neighbour.name = TestInitiator.NAME + ":other";
        return neighbour.login().ready();
    }

    private void does(TestInitiator who, String cdb) {
        Pdu command = who.numbered(Pdu.command(Opcode.SCSI_COMMAND, 0, cdb, 0));
        who.send(command);
        who.expectStatus(command.header().initiatorTaskTag(), GOOD);
    }

    // ------------------------------------------------------------------ what is written when

    @Test
    void shouldWriteWhatHasComeBeforeTheRestIsAskedFor() {
        byte[] data = bytes(128 * KIB, 1);
        Pdu write = write(8, data, 64 * KIB);
        initiator.send(write);
        assertThat(disk.writes()).containsExactly("now 4096+65536");
        Pdu r2t = initiator.expect(Opcode.R2T);
        assertThat(initiator.readAll(8, 256))
                .as("a command that runs may be seen half done")
                .startsWith(part(data, 0, 64 * KIB))
                .endsWith(new byte[64 * KIB]);
        initiator.send(initiator.dataOut(r2t, data));
        assertThat(good(write).header().residualCount()).isZero();
        assertThat(disk.writes()).containsExactly("now 4096+65536", "now 69632+65536");
        assertThat(initiator.readAll(8, 256)).isEqualTo(data);
    }

    /** However the stream is cut, and wherever the blocks lie: nothing is lost, and no physical block is written in two. */
    @ParameterizedTest
    @CsvSource({"None, 8", "None, 3", "CRC32C, 8", "CRC32C, 3"})
    void shouldWriteWholePhysicalBlocksHoweverTheStreamIsCut(String digest, int lba) {
        initiator = rig.connect()
                .login("DataDigest=" + digest, "MaxBurstLength=65536", "FirstBurstLength=65536")
                .ready();
        Random random = new Random(lba);
        for (int round = 0; round < 50; round++) {
            byte[] data = bytes(160 * KIB, round);
            Pdu write = write(lba, data, 64 * KIB);
            int before = disk.writes().size();
            sendInPieces(random, initiator.encode(write));
            for (Pdu answer = initiator.next(); answer.header().opcode() == Opcode.R2T; answer = initiator.next()) {
                sendInPieces(random, initiator.encode(initiator.dataOut(answer, data)));
            }
            assertThat(initiator.readAll(lba, 320)).isEqualTo(data);
            List<String> written = disk.writes().subList(before, disk.writes().size());
            assertThat(written).hasSizeGreaterThan(2).allMatch(each -> each.startsWith("now "));
            long at = lba * 512L;
            for (String each : written) {
                int plus = each.indexOf('+');
                assertThat(Long.parseLong(each.substring("now ".length(), plus)))
                        .as(each)
                        .isEqualTo(at);
                at += Long.parseLong(each.substring(plus + 1));
                assertThat(at % 4096 == 0 || at == lba * 512L + data.length)
                        .as(each)
                        .isTrue();
            }
        }
    }

    private void sendInPieces(Random random, byte[] stream) {
        int[] lengths = {1, 47, 48, 511, 4095, 4096, 4097, 20_000, 200_000};
        for (int at = 0; at < stream.length; ) {
            int end = Math.min(stream.length, at + lengths[random.nextInt(lengths.length)]);
            initiator.sendRaw(part(stream, at, end));
            at = end;
        }
    }

    @Test
    void shouldWriteManyCommandsThatComeInOneBuffer() {
        byte[] data = bytes(4 * 64 * KIB, 5);
        Pdu[] writes = new Pdu[4];
        for (int i = 0; i < writes.length; i++) {
            writes[i] = write(128L * i, part(data, i * 64 * KIB, (i + 1) * 64 * KIB), 64 * KIB);
        }
        initiator.send(writes);
        for (Pdu write : writes) {
            good(write);
        }
        assertThat(initiator.readAll(0, 512)).isEqualTo(data);
    }

    @Test
    void shouldGatherTheDataOfAShortWrite() {
        byte[] data = bytes(EarlyData.MIN_TASK_BYTES - 512, 1);
        Pdu write = write(0, data, data.length);
        initiator.send(write);
        good(write);
        assertThat(disk.writes()).containsExactly("write 0+" + data.length);
    }

    @Test
    void shouldMakeAllOfAForcedWriteDurable() {
        byte[] data = bytes(64 * KIB, 2);
        Pdu write = initiator.numbered(
                Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, "2a 08 00000003 00 0080 00", data.length)
                        .with(data));
        initiator.sendRaw(part(initiator.encode(write), 0, 10_000));
        initiator.sendRaw(part(initiator.encode(write), 10_000, BasicHeader.BYTES + data.length));
        good(write);
        assertThat(disk.writes()).hasSize(4).endsWith("flush");
        assertThat(initiator.readAll(3, 128)).isEqualTo(data);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldWriteTheRestInItsPlaceWhenSomethingCameInBetween(boolean forced) {
        byte[] data = bytes(128 * KIB, 18);
        Pdu write = initiator.numbered(Pdu.command(
                        Opcode.SCSI_COMMAND,
                        BasicHeader.WRITE,
                        "2a " + (forced ? "08" : "00") + " 00000008 00 0100 00",
                        data.length)
                .with(part(data, 0, 64 * KIB)));
        initiator.send(write);
        Pdu r2t = initiator.expect(Opcode.R2T);
        rig.luns.holdWrites(true);
        initiator.send(initiator.dataOut(r2t, data));
        initiator.expectNothing();
        rig.luns.holdWrites(false);
        good(write);
        assertThat(disk.writes())
                .startsWith("now 4096+65536", "write 69632+65536")
                .hasSize(forced ? 3 : 2);
        assertThat(disk.writes().contains("flush")).isEqualTo(forced);
        assertThat(initiator.readAll(8, 256)).isEqualTo(data);
    }

    @ParameterizedTest
    @CsvSource({
        "8b 00 0000000000000000 00000080 00 00, write", // ORWRITE
        "8e 00 0000000000000000 00000080 00 00, durable write", // WRITE AND VERIFY
    })
    void shouldGatherTheDataOfCommandsThatAreMoreThanAWrite(String cdb, String how) {
        byte[] data = bytes(64 * KIB, 3);
        Pdu command = initiator.numbered(Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, cdb, data.length)
                .with(data));
        initiator.send(command);
        good(command);
        assertThat(disk.writes()).containsExactly(how + " 0+65536");
    }

    @Test
    void shouldGatherWhatIsLessThanTheCommandAsksFor() {
        byte[] data = bytes(64 * KIB, 4);
        Pdu write = initiator.numbered(
                Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, "2a 00 00000000 00 0100 00", data.length)
                        .with(data));
        initiator.send(write);
        assertThat(good(write).header().residualCount()).isEqualTo(64 * KIB);
        assertThat(disk.writes()).containsExactly("write 0+65536");
    }

    // ------------------------------------------------------------------ what ends in the middle

    @Test
    void shouldSayThatThereIsNoSpaceAndGoOnWhenThereIs() {
        disk.fullFrom(50_000);
        byte[] data = bytes(256 * KIB, 6);
        Pdu write = write(0, data, 64 * KIB);
        initiator.send(write);
        initiator.send(initiator.dataOut(initiator.expect(Opcode.R2T), data));
        assertThat(sense(write)).isEqualTo("7/27/07");
        assertThat(disk.writes()).containsExactly("now 0+50000");
        disk.fullFrom(Long.MAX_VALUE);
        Pdu again = write(0, data, 64 * KIB);
        initiator.send(again);
        initiator.send(initiator.dataOut(initiator.expect(Opcode.R2T), data));
        good(again);
        assertThat(initiator.readAll(0, 512)).isEqualTo(data);
    }

    @ParameterizedTest
    @ValueSource(ints = {ABORT_TASK, LUN_RESET})
    void shouldWriteNothingMoreOfATaskThatIsAborted(int function) {
        byte[] data = bytes(128 * KIB, 7);
        Pdu write = write(0, data, 64 * KIB);
        initiator.send(write);
        byte[] rest = initiator.encode(initiator.dataOut(initiator.expect(Opcode.R2T), data));
        initiator.sendRaw(part(rest, 0, BasicHeader.BYTES + 8192));
        assertThat(disk.writes()).containsExactly("now 0+65536", "now 65536+8192");
        TestInitiator who =
                function == ABORT_TASK ? rig.connect().joining(initiator, 2).login() : neighbour();
        who.send(who.taskManagement(function, write.header().initiatorTaskTag()));
        assertThat(who.expect(Opcode.TASK_MANAGEMENT_RESPONSE).header().response())
                .isZero();
        initiator.sendRaw(part(rest, BasicHeader.BYTES + 8192, rest.length));
        assertThat(disk.writes()).hasSize(2);
    }

    @Test
    void shouldWriteNothingOfAnAbortedTaskToTheOneThatHasItsSlot() {
        byte[] data = bytes(128 * KIB, 8);
        Pdu old = write(0, data, 64 * KIB);
        initiator.send(old);
        byte[] late = initiator.encode(initiator.dataOut(initiator.expect(Opcode.R2T), data));
        initiator.sendRaw(part(late, 0, 5000));
        TestInitiator second = rig.connect().joining(initiator, 2).login();
        second.send(second.taskManagement(ABORT_TASK, old.header().initiatorTaskTag()));
        second.expect(Opcode.TASK_MANAGEMENT_RESPONSE);
        initiator.sendRaw(part(late, 5000, late.length));
        byte[] other = bytes(128 * KIB, 9);
        Pdu fresh = write(1024, other, 64 * KIB);
        initiator.send(fresh);
        initiator.send(initiator.dataOut(initiator.expect(Opcode.R2T), other));
        good(fresh);
        assertThat(initiator.readAll(1024, 256)).isEqualTo(other);
        assertThat(initiator.readAll(128, 128))
                .as("but for the first block of the rest")
                .endsWith(new byte[60 * KIB]);
    }

    @Test
    void shouldWriteNothingOfDataThatComeOutOfPlace() {
        byte[] data = bytes(128 * KIB, 10);
        Pdu write = write(0, data, 64 * KIB);
        initiator.send(write);
        Pdu r2t = initiator.expect(Opcode.R2T);
        byte[] wrong = part(data, 96 * KIB, 128 * KIB);
        initiator.send(initiator.dataOut(r2t, 0, 96 * KIB, wrong, BasicHeader.FINAL));
        assertThat(sense(write)).isEqualTo("b/0c/0d");
        assertThat(disk.writes()).containsExactly("now 0+65536");
    }

    @Test
    void shouldWriteNothingThatHasAWrongDigest() {
        initiator = rig.connect().login("DataDigest=CRC32C").ready();
        byte[] encoded = initiator.encode(write(0, bytes(64 * KIB, 11), 64 * KIB));
        encoded[encoded.length - 1] ^= 1;
        initiator.sendRaw(encoded);
        initiator.expect(Opcode.REJECT);
        initiator.expectClosed();
        assertThat(disk.writes()).isEmpty();
    }

    @Test
    void shouldHaveTheCommandSentAgainWhenItsUnitIsAnotherOneInTheMiddle() {
        byte[] data = bytes(128 * KIB, 12);
        Pdu write = write(0, data, 64 * KIB);
        initiator.send(write);
        Pdu r2t = initiator.expect(Opcode.R2T);
        NotingDisk other = new NotingDisk(8 << 20);
        show(other, false);
        initiator.send(initiator.dataOut(r2t, data));
        assertThat(sense(write)).isEqualTo("6/3f/0e");
        assertThat(disk.writes()).containsExactly("now 0+65536");
        assertThat(other.writes()).isEmpty();
    }

    // ------------------------------------------------------------------ what must come first

    /** Sends a WRITE of 64 KiB, all of it at once. */
    private Pdu sendWrite() {
        byte[] data = bytes(64 * KIB, 13);
        Pdu write = write(0, data, data.length);
        initiator.send(write);
        return write;
    }

    @Test
    void shouldWriteNothingBeforeAUnitAttentionIsHeard() {
        TestInitiator neighbour = neighbour();
        neighbour.send(neighbour.taskManagement(LUN_RESET, BasicHeader.NO_TAG));
        neighbour.expect(Opcode.TASK_MANAGEMENT_RESPONSE);
        assertThat(sense(sendWrite())).isEqualTo("6/29/03");
        assertThat(disk.writes()).isEmpty();
        good(sendWrite());
        assertThat(disk.writes()).containsExactly("now 0+65536");
    }

    @Test
    void shouldWriteNothingToAUnitThatAnotherHasReserved() {
        TestInitiator neighbour = neighbour();
        does(neighbour, "16 00 0000 00 00");
        Pdu write = sendWrite();
        initiator.expectStatus(write.header().initiatorTaskTag(), RESERVATION_CONFLICT);
        assertThat(disk.writes()).isEmpty();
    }

    @Test
    void shouldWriteNothingMoreOnceAnotherHasReservedTheUnit() {
        byte[] data = bytes(128 * KIB, 14);
        Pdu write = write(0, data, 64 * KIB);
        initiator.send(write);
        Pdu r2t = initiator.expect(Opcode.R2T);
        does(neighbour(), "16 00 0000 00 00");
        initiator.send(initiator.dataOut(r2t, data));
        initiator.expectStatus(write.header().initiatorTaskTag(), RESERVATION_CONFLICT);
        assertThat(disk.writes()).containsExactly("now 0+65536");
    }

    @Test
    void shouldWriteNothingWhereTheInitiatorMayOnlyRead() {
        show(disk, true);
        initiator.ready().ready();
        assertThat(sense(sendWrite())).isEqualTo("7/27/00");
        assertThat(disk.writes()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "2a 00 00003fff 00 0080 00, 5/21/00", // beyond the last block
        "2a 20 00000000 00 0080 00, 5/24/00", // protection information
    })
    void shouldWriteNothingOfACommandThatWillBeRefused(String cdb, String sense) {
        byte[] data = bytes(64 * KIB, 15);
        Pdu write = initiator.numbered(Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, cdb, data.length)
                .with(data));
        initiator.send(write);
        assertThat(sense(write)).isEqualTo(sense);
        assertThat(disk.writes()).isEmpty();
    }

    @Test
    void shouldWriteNothingWhileWritesAreHeld() {
        rig.luns.holdWrites(true);
        Pdu write = sendWrite();
        initiator.expectNothing();
        assertThat(disk.writes()).isEmpty();
        rig.luns.holdWrites(false);
        good(write);
        assertThat(disk.writes()).containsExactly("write 0+65536");
    }

    @Test
    void shouldWriteNothingBeforeTheInitiatorsOlderSessionIsSettled() {
        initiator.name = TestInitiator.NAME;
        TestInitiator old = initiator;
        initiator = rig.connect();
        initiator.isid = TestInitiator.LINUX_ISID + 1;
        initiator.login().ready();
        Pdu write = sendWrite();
        initiator.expectNothing();
        assertThat(disk.writes()).isEmpty();
        old.close();
        good(write);
        assertThat(disk.writes()).containsExactly("write 0+65536");
    }

    @Test
    void shouldWriteNothingWhileAnOlderOrderedCommandIsHere() {
        Pdu ordered = initiator.write(512, 8, Pdu.NO_DATA);
        ordered.header().bytes()[1] |= ORDERED;
        initiator.send(ordered);
        Pdu r2t = initiator.expect(Opcode.R2T);
        Pdu write = sendWrite();
        assertThat(disk.writes()).isEmpty();
        initiator.send(initiator.dataOut(r2t, new byte[4096]));
        good(ordered);
        good(write);
        assertThat(disk.writes()).containsExactly("write 262144+4096", "write 0+65536");
    }

    @Test
    void shouldWriteNothingOfAnOrderedCommandBeforeItsTurn() {
        Pdu simple = initiator.write(0, 8, Pdu.NO_DATA);
        initiator.send(simple);
        Pdu r2t = initiator.expect(Opcode.R2T);
        byte[] data = bytes(64 * KIB, 16);
        Pdu ordered = write(0, data, data.length);
        ordered.header().bytes()[1] |= ORDERED;
        initiator.send(ordered);
        assertThat(disk.writes()).isEmpty();
        initiator.send(initiator.dataOut(r2t, new byte[4096]));
        good(simple);
        good(ordered);
        assertThat(initiator.readAll(0, 128)).isEqualTo(data);
    }

    @Test
    void shouldWriteNothingOfACommandBeforeThoseBeforeItHaveCome() {
        TestInitiator second = rig.connect().joining(initiator, 2).login();
        Pdu first = initiator.testUnitReady();
        byte[] data = bytes(64 * KIB, 17);
        Pdu early = write(0, data, data.length);
        second.send(early);
        assertThat(disk.writes()).isEmpty();
        initiator.send(first);
        good(first);
        second.expectStatus(early.header().initiatorTaskTag(), GOOD);
        assertThat(disk.writes()).containsExactly("now 0+65536");
        assertThat(initiator.readAll(0, 128)).isEqualTo(data);
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 4096, 8192, 20000})
    void shouldTakeUpACommandWhoseTurnComesInTheMiddleOfItsPdu(int cut) {
        TestInitiator second = rig.connect().joining(initiator, 2).login();
        Pdu first = initiator.testUnitReady();
        byte[] data = bytes(64 * KIB, 17);
        Pdu early = write(0, data, data.length);
        byte[] raw = second.encode(early);
        second.sendRaw(part(raw, 0, BasicHeader.BYTES + cut));
        initiator.send(first);
        good(first);
        second.sendRaw(part(raw, BasicHeader.BYTES + cut, raw.length));
        second.expectStatus(early.header().initiatorTaskTag(), GOOD);
        assertThat(initiator.readAll(0, 128)).isEqualTo(data);
    }
}
