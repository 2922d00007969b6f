package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SCSI Commands with data: immediate data, R2T and Data-Out, Data-In, residuals, memory (RFC 7143 §11.3 to §11.8). */
class DataTransferTest {
    private final IscsiRig rig = new IscsiRig();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private static byte[] bytes(int length, long seed) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void shouldWriteImmediateDataWithoutAskingForAny() {
        TestInitiator initiator = rig.connect().login().ready();
        byte[] data = bytes(8192, 1);
        Pdu write = initiator.write(100, 16, data);
        initiator.send(write);
        Pdu answer = initiator.expectStatus(write.header().initiatorTaskTag(), TestInitiator.GOOD);
        assertThat(answer.header().residualCount()).isZero();
        assertThat(answer.header().flags()).isEqualTo(BasicHeader.FINAL);
        assertThat(initiator.readAll(100, 16)).isEqualTo(data);
    }

    @Test
    void shouldAskForWhatImmediateDataLeftOut() {
        TestInitiator initiator = rig.connect().login().ready();
        byte[] data = bytes(16384, 2);
        initiator.send(initiator.write(0, 32, Arrays.copyOf(data, 4096)));
        Pdu r2t = initiator.expect(Opcode.R2T);
        assertThat(r2t.header().bufferOffset()).isEqualTo(4096);
        assertThat(r2t.header().desiredTransferLength()).isEqualTo(12288);
        assertThat(r2t.header().dataSn()).as("R2TSN").isZero();
        initiator.send(initiator.dataOut(r2t, data));
        Pdu answer = initiator.expect(Opcode.SCSI_RESPONSE);
        assertThat(answer.header().scsiStatus()).isZero();
        assertThat(answer.header().dataSn()).as("ExpDataSN counts R2Ts").isEqualTo(1);
        assertThat(initiator.readAll(0, 32)).isEqualTo(data);
    }

    @Test
    void shouldKeepAsManyR2tsOutstandingAsAgreedAndEachOfOneBurst() {
        TestInitiator initiator = rig.connect()
                .login("MaxBurstLength=4096", "FirstBurstLength=4096", "MaxOutstandingR2T=3")
                .ready();
        byte[] data = bytes(5 * 4096 + 512, 3);
        initiator.send(initiator.write(8, data.length / 512, Pdu.NO_DATA));
        List<Pdu> asked = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Pdu r2t = initiator.expect(Opcode.R2T);
            assertThat(r2t.header().dataSn()).isEqualTo(i);
            assertThat(r2t.header().bufferOffset()).isEqualTo(i * 4096L);
            assertThat(r2t.header().desiredTransferLength()).isEqualTo(4096);
            asked.add(r2t);
        }
        initiator.expectNothing();
        assertThat(asked.stream().map(r2t -> r2t.header().targetTransferTag()).distinct())
                .as("every R2T has a tag of its own")
                .hasSize(3);
        for (int i = 0; i < 6; i++) {
            initiator.send(initiator.dataOut(asked.get(i), data));
            if (i + 3 < 6) {
                asked.add(initiator.expect(Opcode.R2T));
                initiator.expectNothing();
            }
        }
        assertThat(asked.get(5).header().desiredTransferLength()).isEqualTo(512);
        assertThat(initiator.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
        assertThat(initiator.readAll(8, data.length / 512)).isEqualTo(data);
    }

    @Test
    void shouldTakeABurstInManyDataOutsSplitAnywhere() {
        TestInitiator initiator = rig.connect().login().ready();
        byte[] data = bytes(4096, 4);
        initiator.send(initiator.write(0, 8, Pdu.NO_DATA));
        Pdu r2t = initiator.expect(Opcode.R2T);
        int[] ends = {1, 2, 5, 1000, 1003, 4096};
        int from = 0;
        for (int i = 0; i < ends.length; i++) {
            int flags = i == ends.length - 1 ? BasicHeader.FINAL : 0;
            initiator.send(initiator.dataOut(r2t, i, from, Arrays.copyOfRange(data, from, ends[i]), flags));
            from = ends[i];
        }
        assertThat(initiator.expect(Opcode.SCSI_RESPONSE).header().scsiStatus()).isZero();
        assertThat(initiator.readAll(0, 8)).isEqualTo(data);
    }

    @ParameterizedTest(name = "number {0}, offset {1}, {2} bytes, flags {3}")
    @CsvSource({
        "0, 512, 512, 0, b/0c/0d", // leaves a hole
        "0, 0, 4608, 0, b/0c/0d", // more than was asked for
        "1, 0, 512, 0, b/47/05", // a number that is not due
        "0, 0, 512, 128, b/0c/0d", // the end of a sequence that is not complete
        "0, 4096, 512, 0, b/0c/0d", // beyond what was asked for
        "0, 0, 0, 128, b/0c/0d", // an end with nothing in it
    })
    void shouldEndATaskWhoseDataComeOutOfPlace(int dataSn, int offset, int length, int flags, String sense) {
        TestInitiator initiator = rig.connect().login().ready();
        Pdu write = initiator.write(0, 8, Pdu.NO_DATA);
        initiator.send(write);
        Pdu r2t = initiator.expect(Opcode.R2T);
        byte[] ones = new byte[length];
        Arrays.fill(ones, (byte) 1);
        initiator.send(initiator.dataOut(r2t, dataSn, offset, ones, flags));
        if (flags == 0) {
            // RFC 7143 §7.8: no answer before everything that was asked for has come.
            initiator.expectNothing();
            initiator.send(initiator.dataOut(r2t, dataSn + 1, 0, new byte[512], BasicHeader.FINAL));
        }
        Pdu answer = initiator.expectStatus(write.header().initiatorTaskTag(), TestInitiator.CHECK_CONDITION);
        assertThat(answer.sense()).isEqualTo(sense);
        assertThat(initiator.readAll(0, 8)).as("nothing was written").containsOnly(0);
    }

    @Test
    void shouldEndASpoiledTaskOnlyWhenEveryR2tHasBeenAnswered() {
        TestInitiator initiator = rig.connect()
                .login("MaxBurstLength=4096", "FirstBurstLength=4096", "MaxOutstandingR2T=2")
                .ready();
        Pdu write = initiator.write(0, 24, Pdu.NO_DATA);
        initiator.send(write);
        Pdu first = initiator.expect(Opcode.R2T);
        Pdu second = initiator.expect(Opcode.R2T);
        initiator.send(initiator.dataOut(first, 3, 0, new byte[4096], BasicHeader.FINAL));
        initiator.expectNothing();
        initiator.send(initiator.dataOut(second, new byte[24 * 512]));
        Pdu answer = initiator.expectStatus(write.header().initiatorTaskTag(), TestInitiator.CHECK_CONDITION);
        assertThat(answer.header().dataSn()).as("ExpDataSN counts R2Ts").isEqualTo(2);
        initiator.readAll(0, 1);
    }

    @Test
    void shouldRefuseDataOutWithAForeignTag() {
        for (int i = 0; i < 2; i++) {
            TestInitiator initiator = rig.connect().login();
            initiator.send(initiator.testUnitReady());
            initiator.next();
            initiator.send(initiator.write(0, 8, Pdu.NO_DATA));
            Pdu r2t = initiator.expect(Opcode.R2T);
            BasicHeader wrong = r2t.header();
            if (i == 0) {
                wrong.initiatorTaskTag(0x5555);
            } else {
                wrong.targetTransferTag(wrong.targetTransferTag() + 1);
            }
            initiator.send(initiator.dataOut(r2t, new byte[4096]));
            initiator.expectClosed();
        }
    }

    @Test
    void shouldRefuseImmediateDataThatWereAgreedNotToCome() {
        TestInitiator initiator = rig.connect().login("ImmediateData=No").ready();
        Pdu write = initiator.write(0, 1, bytes(512, 8));
        initiator.send(write);
        Pdu answer = initiator.expectStatus(write.header().initiatorTaskTag(), TestInitiator.CHECK_CONDITION);
        assertThat(answer.sense()).isEqualTo("b/0c/0c");
        assertThat(initiator.readAll(0, 1)).containsOnly(0);
        byte[] data = bytes(1024, 9);
        initiator.writeAll(0, data);
        assertThat(initiator.readAll(0, 2)).isEqualTo(data);
    }

    @Test
    void shouldRefuseUnsolicitedDataOutWhenTheyHaveEnded() {
        TestInitiator initiator = rig.connect().login().ready();
        Pdu write = initiator.write(0, 8, Pdu.NO_DATA);
        initiator.send(write);
        Pdu r2t = initiator.expect(Opcode.R2T);
        Pdu unsolicited = new Pdu(r2t.header(), r2t.data());
        int asked = r2t.header().targetTransferTag();
        unsolicited.header().targetTransferTag(BasicHeader.NO_TAG);
        initiator.send(initiator.dataOut(unsolicited, 0, 0, new byte[512], 0));
        initiator.send(initiator.dataOut(unsolicited, 1, 512, new byte[512], BasicHeader.FINAL));
        initiator.expectNothing();
        r2t.header().targetTransferTag(asked);
        initiator.send(initiator.dataOut(r2t, bytes(4096, 1)));
        Pdu answer = initiator.expectStatus(write.header().initiatorTaskTag(), TestInitiator.CHECK_CONDITION);
        assertThat(answer.sense()).isEqualTo("b/0c/0c");
        assertThat(initiator.readAll(0, 8)).containsOnly(0);
    }

    @Test
    void shouldRefuseTheSameDataTwice() {
        TestInitiator initiator = rig.connect()
                .login("MaxBurstLength=512", "FirstBurstLength=512", "MaxOutstandingR2T=1")
                .ready();
        initiator.send(initiator.write(0, 2, Pdu.NO_DATA));
        Pdu r2t = initiator.expect(Opcode.R2T);
        Pdu data = initiator.dataOut(r2t, new byte[1024]);
        initiator.send(data);
        initiator.expect(Opcode.R2T);
        initiator.send(data);
        initiator.expectClosed();
    }

    @Test
    void shouldNotRunAWaitingWriteTwiceForAnEmptyDataOut() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.disk.hold(BlockOperation.READ);
        // Fill the memory budget, so that the write waits with all its data here.
        int reads = (int) (ConnectionMemory.LIMIT_BYTES / (8 << 20)) + 1;
        for (int i = 0; i < reads; i++) {
            initiator.send(initiator.read(0, 16384));
        }
        Pdu write = initiator.write(0, 1, new byte[512]);
        initiator.send(write);
        initiator.expectNothing();
        for (int slot = 0; slot < 16; slot++) {
            Pdu stray = Pdu.of(Opcode.DATA_OUT, BasicHeader.FINAL);
            stray.header().initiatorTaskTag(write.header().initiatorTaskTag()).targetTransferTag(slot);
            initiator.send(stray);
        }
        initiator.expectClosed();
    }

    @Test
    void shouldRefuseMoreImmediateDataThanAgreed() {
        TestInitiator initiator = rig.connect().login("FirstBurstLength=1024").ready();
        initiator.send(initiator.write(0, 8, new byte[1536]));
        assertThat(initiator.expect(Opcode.SCSI_RESPONSE).sense()).isEqualTo("b/0c/0d");
    }

    @Test
    void shouldRefuseMoreImmediateDataThanTheCommandAnnounces() {
        TestInitiator initiator = rig.connect().login().ready();
        initiator.send(initiator.write(0, 1, new byte[1024]));
        assertThat(initiator.expect(Opcode.SCSI_RESPONSE).sense()).isEqualTo("b/0c/0d");
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 513, 4096, 8192, 65536})
    void shouldSplitDataInByWhatTheInitiatorTakes(int maxSegment) {
        TestInitiator initiator = rig.connect()
                .login("MaxRecvDataSegmentLength=" + maxSegment, "MaxBurstLength=8192", "FirstBurstLength=8192")
                .ready();
        byte[] data = bytes(20480, 5);
        initiator.writeAll(0, data);
        initiator.send(initiator.read(0, 40));
        byte[] got = new byte[data.length];
        int at = 0;
        for (int dataSn = 0; at < data.length; dataSn++) {
            Pdu pdu = initiator.expect(Opcode.DATA_IN);
            assertThat(pdu.header().dataSn()).isEqualTo(dataSn);
            assertThat(pdu.header().bufferOffset()).isEqualTo(at);
            assertThat(pdu.data().length).isLessThanOrEqualTo(maxSegment);
            System.arraycopy(pdu.data(), 0, got, at, pdu.data().length);
            at += pdu.data().length;
            boolean last = at == data.length;
            assertThat(pdu.header().flag(BasicHeader.FINAL))
                    .as("F at the end of a burst")
                    .isEqualTo(last || at % 8192 == 0);
            assertThat(pdu.header().flag(BasicHeader.STATUS)).isEqualTo(last);
        }
        assertThat(got).isEqualTo(data);
    }

    @Test
    void shouldTellAnUnderflowWhenTheAnswerIsShorterThanTheRoom() {
        TestInitiator initiator = rig.connect().login();
        initiator.send(
                initiator.numbered(Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.READ, "12 00 00 00 ff 00", 1000)));
        Pdu answer = initiator.expect(Opcode.DATA_IN);
        assertThat(answer.header().flag(BasicHeader.UNDERFLOW)).isTrue();
        assertThat(answer.header().residualCount()).isEqualTo(1000 - answer.data().length);
    }

    @Test
    void shouldTruncateAndTellAnOverflowWhenTheAnswerIsLongerThanTheRoom() {
        TestInitiator initiator = rig.connect().login().ready();
        byte[] data = bytes(1024, 6);
        initiator.writeAll(0, data);
        initiator.send(initiator.numbered(
                Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.READ, "28 00 00000000 00 0002 00", 512)));
        Pdu answer = initiator.expect(Opcode.DATA_IN);
        assertThat(answer.data()).isEqualTo(Arrays.copyOf(data, 512));
        assertThat(answer.header().flag(BasicHeader.OVERFLOW)).isTrue();
        assertThat(answer.header().residualCount()).isEqualTo(512);
    }

    @Test
    void shouldTellAnOverflowWithoutDataWhenThereIsNoRoomAtAll() {
        TestInitiator initiator = rig.connect().login().ready();
        initiator.send(initiator.numbered(Pdu.command(Opcode.SCSI_COMMAND, 0, "28 00 00000000 00 0002 00", 0)));
        Pdu answer = initiator.expect(Opcode.SCSI_RESPONSE);
        assertThat(answer.header().flag(BasicHeader.OVERFLOW)).isTrue();
        assertThat(answer.header().residualCount()).isEqualTo(1024);
    }

    @Test
    void shouldTellResidualsOfWrites() {
        TestInitiator initiator = rig.connect().login().ready();
        Pdu longer = Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, "2a 00 00000000 00 0001 00", 1024);
        initiator.send(initiator.numbered(longer.with(new byte[1024])));
        Pdu answer = initiator.expect(Opcode.SCSI_RESPONSE);
        assertThat(answer.header().flag(BasicHeader.UNDERFLOW)).isTrue();
        assertThat(answer.header().residualCount()).isEqualTo(512);

        Pdu shorter = Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, "2a 00 00000000 00 0002 00", 512);
        initiator.send(initiator.numbered(shorter.with(new byte[512])));
        answer = initiator.expect(Opcode.SCSI_RESPONSE);
        assertThat(answer.header().flag(BasicHeader.OVERFLOW)).isTrue();
        assertThat(answer.header().residualCount()).isEqualTo(512);
    }

    @Test
    void shouldSendSenseDataWithItsLength() {
        TestInitiator initiator = rig.connect().login().ready();
        Pdu beyond = initiator.read(IscsiRig.DISK_BYTES / 512, 1);
        initiator.send(beyond);
        Pdu answer = initiator.expectStatus(beyond.header().initiatorTaskTag(), TestInitiator.CHECK_CONDITION);
        assertThat(answer.data()[0] << 8 | answer.data()[1]).isEqualTo(answer.data().length - 2);
        assertThat(answer.sense()).isEqualTo("5/21/00");
        assertThat(answer.header().flag(BasicHeader.UNDERFLOW)).isTrue();
        assertThat(answer.header().residualCount()).isEqualTo(512);
    }

    @Test
    void shouldLetCommandsWaitForMemoryAndServeThemAllInTheEnd() {
        TestInitiator initiator =
                rig.connect().login("MaxRecvDataSegmentLength=16777215").ready();
        rig.disk.hold(BlockOperation.READ);
        int blocks = 16384; // 8 MiB
        int fit = (int) (ConnectionMemory.LIMIT_BYTES / (blocks * 512L));
        for (int i = 0; i < fit + 3; i++) {
            initiator.send(initiator.read(0, blocks));
        }
        assertThat(rig.disk.heldCount()).isEqualTo(fit);
        assertThat(rig.allocator.metric().usedDirectMemory()).isLessThan(ConnectionMemory.LIMIT_BYTES + (1 << 20));
        rig.disk.release();
        Set<Integer> served = new HashSet<>();
        while (served.size() < fit + 3) {
            Pdu pdu = initiator.expect(Opcode.DATA_IN);
            if (pdu.header().flag(BasicHeader.STATUS)) {
                assertThat(served.add(pdu.header().initiatorTaskTag()))
                        .as("served once")
                        .isTrue();
            }
        }
        initiator.expectNothing();
    }

    @Test
    void shouldCountMemoryThatTheInitiatorDidNotAnnounce() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.disk.hold(BlockOperation.READ);
        for (int i = 0; i < 64; i++) {
            // The CDB asks for 8 MiB, the transport is told that there is room for nothing.
            initiator.send(initiator.numbered(Pdu.command(Opcode.SCSI_COMMAND, 0, "28 00 00000000 00 4000 00", 0)));
        }
        assertThat(rig.allocator.metric().usedDirectMemory()).isLessThan(ConnectionMemory.LIMIT_BYTES + (9 << 20));
    }

    @Test
    void shouldCountDataOfBothDirections() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.disk.hold(BlockOperation.READ);
        byte[] data = new byte[4 << 20];
        for (long used = 0; used < ConnectionMemory.LIMIT_BYTES; used += 2L * data.length) {
            initiator.send(initiator.numbered(
                    Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, "2f 02 00000000 00 2000 00", data.length)));
            for (int bursts = 0; bursts < 16; bursts++) {
                initiator.send(initiator.dataOut(initiator.expect(Opcode.R2T), data));
            }
        }
        initiator.send(initiator.numbered(
                Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.WRITE, "2f 02 00000000 00 2000 00", data.length)));
        initiator.expectNothing();
        assertThat(rig.allocator.metric().usedDirectMemory()).isLessThan(ConnectionMemory.LIMIT_BYTES + (1 << 20));
    }

    @Test
    void shouldGatherAWriteThatHadToWaitForMemory() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.disk.hold(BlockOperation.READ);
        int reads = (int) (ConnectionMemory.LIMIT_BYTES / (8 << 20));
        for (int i = 0; i < reads; i++) {
            initiator.send(initiator.read(0, 16384));
        }
        byte[] data = bytes(8192, 7);
        initiator.send(initiator.write(64, 16, Arrays.copyOf(data, 1024)));
        initiator.expectNothing();
        rig.disk.release();
        Pdu pdu = initiator.next();
        while (pdu.header().opcode() == Opcode.DATA_IN) {
            pdu = initiator.next();
        }
        assertThat(pdu.header().opcode()).isEqualTo(Opcode.R2T);
        initiator.send(initiator.dataOut(pdu, data));
        do {
            pdu = initiator.next();
        } while (pdu.header().opcode() == Opcode.DATA_IN);
        assertThat(pdu.header().opcode()).isEqualTo(Opcode.SCSI_RESPONSE);
        assertThat(initiator.readAll(64, 16)).isEqualTo(data);
    }

    @Test
    void shouldGiveMemoryBackWhenTheConnectionBreaksInTheMiddleOfData() {
        TestInitiator initiator = rig.connect().login().ready();
        initiator.send(initiator.write(0, 64, new byte[4096]));
        Pdu r2t = initiator.expect(Opcode.R2T);
        byte[] whole = initiator.encode(initiator.dataOut(r2t, new byte[32768]));
        initiator.sendRaw(Arrays.copyOf(whole, 1000));
        initiator.close();
    }
}
