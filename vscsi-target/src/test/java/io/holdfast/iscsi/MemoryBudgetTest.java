package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.block.BlockOperation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The memory of all connections together: bounded, fair, and given back. */
class MemoryBudgetTest {
    private static final long MIB = 1 << 20;

    private final MemoryBudget budget = new MemoryBudget(MemoryBudget.MIN_BYTES);
    private final long shared =
            MemoryBudget.MIN_BYTES - (long) IscsiServer.MAX_CONNECTIONS * ConnectionMemory.FLOOR_BYTES;
    private final List<String> turns = new ArrayList<>();

    private ConnectionMemory connection(String name) {
        return new ConnectionMemory(budget, Runnable::run, () -> turns.add(name));
    }

    @Test
    void shouldRefuseABudgetThatLeavesNothingBesideTheFloors() {
        assertThatThrownBy(() -> new MemoryBudget(64 * MIB)).hasMessageContaining("at least");
    }

    @Test
    void shouldNotClaimForWhatTheFloorHolds() {
        ConnectionMemory one = connection("one");
        assertThat(one.take(ConnectionMemory.FLOOR_BYTES)).isTrue();
        assertThat(budget.claimedBytes()).isZero();
        one.give(ConnectionMemory.FLOOR_BYTES);
    }

    @Test
    void shouldNeverGiveMoreThanThereIs() {
        List<ConnectionMemory> all = new ArrayList<>();
        long given = 0;
        for (int i = 0; i < 100; i++) {
            ConnectionMemory one = connection("c" + i);
            all.add(one);
            given += one.take(MIB) ? MIB : 0;
            assertThat(budget.claimedBytes()).isLessThanOrEqualTo(shared);
        }
        assertThat(given).isBetween(shared * 3 / 4, MemoryBudget.MIN_BYTES);
        assertThat(all.get(99).take(ConnectionMemory.FLOOR_BYTES))
                .as("the floor is there")
                .isTrue();
    }

    @Test
    void shouldLimitOneConnectionWhateverIsFree() {
        ConnectionMemory one = new ConnectionMemory(new MemoryBudget(1024 * MIB), Runnable::run, () -> {});
        assertThat(one.take(40 * MIB)).isTrue();
        assertThat(one.take(40 * MIB)).isFalse();
        assertThat(one.take(24 * MIB)).isTrue();
    }

    @Test
    void shouldServeThoseWhoWaitInTheirOrder() {
        ConnectionMemory holder = connection("holder");
        ConnectionMemory large = connection("large");
        ConnectionMemory small = connection("small");
        assertThat(holder.take(60 * MIB)).isTrue();
        assertThat(large.take(16 * MIB)).isFalse();
        assertThat(small.take(MIB))
                .as("there is room, but somebody waits longer")
                .isFalse();
        turns.clear();
        holder.give(20 * MIB);
        assertThat(turns).containsOnly("large");
        assertThat(large.take(16 * MIB)).isTrue();
        turns.clear();
        large.waitNoLonger();
        assertThat(turns).containsOnly("small");
        assertThat(small.take(MIB)).isTrue();
        small.waitNoLonger();
        assertThat(budget.isWanted()).isFalse();
    }

    @Test
    void shouldKeepNothingForAConnectionThatIsIdle() {
        ConnectionMemory one = connection("one");
        for (int i = 1; i < 100; i++) {
            assertThat(one.take(i * 40_000L)).isTrue();
            one.give(i * 40_000L);
            assertThat(budget.claimedBytes()).isZero();
        }
    }

    /** Connections that want more than there is. */
    @Nested
    class OfConnections {
        private static final int BLOCKS = 16384; // 8 MiB

        private TestInitiator login(IscsiRig rig, int number) {
            TestInitiator initiator = rig.connect();
            initiator.name = TestInitiator.NAME + ":" + number;
            return initiator.login("MaxRecvDataSegmentLength=16777215").ready();
        }

        @Test
        void shouldBoundAllTogetherAndServeEveryCommandInTheEnd() {
            IscsiRig rig =
                    new IscsiRig(new WriteAdmission(), new IscsiSettings(MemoryBudget.MIN_BYTES, 0, ChapAccounts.NONE));
            List<TestInitiator> all = new ArrayList<>();
            rig.disk.hold(BlockOperation.READ);
            for (int i = 0; i < 4; i++) {
                TestInitiator initiator = login(rig, i);
                all.add(initiator);
                for (int reads = 0; reads < 6; reads++) {
                    initiator.send(initiator.read(0, BLOCKS));
                }
            }
            assertThat(rig.allocator.metric().usedDirectMemory()).isLessThan(MemoryBudget.MIN_BYTES);
            rig.disk.release();
            for (TestInitiator initiator : all) {
                for (int served = 0; served < 6; ) {
                    Pdu pdu = initiator.expect(Opcode.DATA_IN);
                    served += pdu.header().flag(BasicHeader.STATUS) ? 1 : 0;
                    assertThat(pdu.header().scsiStatus()).isZero();
                }
            }
            rig.close();
        }

        @Test
        void shouldAskAgainForImmediateDataThatFoundNoMemory() {
            IscsiRig rig =
                    new IscsiRig(new WriteAdmission(), new IscsiSettings(MemoryBudget.MIN_BYTES, 0, ChapAccounts.NONE));
            TestInitiator hog = login(rig, 1);
            TestInitiator writer = rig.connect();
            writer.login("DataDigest=CRC32C", "FirstBurstLength=262144").ready();
            rig.disk.hold(BlockOperation.READ);
            for (int reads = 0; reads < 8; reads++) {
                hog.send(hog.read(0, BLOCKS));
            }
            byte[] data = new byte[256 << 10];
            new Random(5).nextBytes(data);
            Pdu write = writer.write(100, data.length / 512, Arrays.copyOf(data, 200 << 10));
            long before = rig.allocator.metric().usedDirectMemory();
            writer.send(write);
            writer.expectNothing();
            assertThat(rig.allocator.metric().usedDirectMemory() - before).isLessThan(8192);
            Pdu small = writer.write(0, 1, new byte[512]);
            writer.send(small);
            writer.expectNothing();
            rig.disk.release();
            hog.expect(Opcode.DATA_IN);
            Pdu r2t = writer.expect(Opcode.R2T);
            assertThat(r2t.header().bufferOffset()).isZero();
            assertThat(r2t.header().desiredTransferLength()).isEqualTo(data.length);
            writer.send(writer.dataOut(r2t, data));
            for (int i = 0; i < 2; i++) {
                Pdu next = writer.next();
                if (next.header().opcode() == Opcode.R2T) {
                    writer.send(writer.dataOut(next, new byte[512]));
                    next = writer.next();
                }
                assertThat(next.header().scsiStatus()).isZero();
            }
            assertThat(writer.readAll(100, data.length / 512)).isEqualTo(data);
            rig.close();
        }

        @Test
        void shouldLetSmallCommandsThroughWhenOthersTookEverything() {
            IscsiRig rig =
                    new IscsiRig(new WriteAdmission(), new IscsiSettings(MemoryBudget.MIN_BYTES, 0, ChapAccounts.NONE));
            TestInitiator hog = login(rig, 1);
            TestInitiator modest = login(rig, 2);
            for (int writes = 0; writes < 8; writes++) {
                hog.send(hog.write(0, BLOCKS, Pdu.NO_DATA)); // and never sends its data
            }
            assertThat(modest.readAll(0, 8)).hasSize(4096);
            modest.writeAll(0, new byte[4096]);
            rig.close();
        }

        @Test
        void shouldSendALargeReadInTinySegmentsWithFewBuffers() {
            IscsiRig rig = new IscsiRig();
            TestInitiator initiator =
                    rig.connect().login("MaxRecvDataSegmentLength=512").ready();
            rig.writesOf(
                    () -> initiator.send(initiator.read(0, BLOCKS)),
                    writes -> assertThat(writes).as("buffers for 16384 PDUs").isLessThan(200));
            for (int sn = 0; sn < BLOCKS; sn++) {
                Pdu pdu = initiator.expect(Opcode.DATA_IN);
                assertThat(pdu.header().dataSn()).isEqualTo(sn);
                assertThat(pdu.data()).hasSize(512);
            }
            rig.close();
        }
    }
}
