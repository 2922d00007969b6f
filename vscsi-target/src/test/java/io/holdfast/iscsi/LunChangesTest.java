package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.block.MemoryBackend;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.LogicalUnitIdentity;
import io.holdfast.scsi.MappedLuns;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Logical units come and go while sessions that see them run. */
class LunChangesTest {
    private static final int GOOD = 0;
    private static final int CHECK_CONDITION = 2;
    private static final int DROP_SESSION = 3;
    private static final long LUN_1 = 1L << 48;

    private final IscsiRig rig = new IscsiRig();
    private final TestInitiator initiator = rig.connect().login().ready();
    private final MappedLuns.Mapped disk = new MappedLuns.Mapped(rig.unit, false);
    private final AtomicInteger settled = new AtomicInteger();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private static MappedLuns.Mapped another() {
        LogicalUnitIdentity identity = LogicalUnitIdentity.of(new UUID(3, 4));
        return new MappedLuns.Mapped(
                LogicalUnit.builder(identity, new MemoryBackend(1 << 20)).build(), false);
    }

    private void show(MappedLuns view, Map<Integer, MappedLuns.Mapped> units) {
        view.show(units, settled::incrementAndGet);
        rig.pump();
    }

    private static String sense(TestInitiator of, Pdu command) {
        of.send(command);
        return of.expectStatus(command.header().initiatorTaskTag(), CHECK_CONDITION)
                .sense();
    }

    private static void good(TestInitiator of, Pdu command) {
        of.send(command);
        of.expectStatus(command.header().initiatorTaskTag(), GOOD);
    }

    private TestInitiator other() {
        TestInitiator other = rig.connect();
        other.name = TestInitiator.NAME + ":other";
        return other.login().ready();
    }

    @Test
    void shouldTellOnlyThoseWhoseLunsHaveChanged() {
        MappedLuns elsewhere = new MappedLuns();
        show(elsewhere, Map.of(0, disk));
        rig.lunsOf.put(TestInitiator.NAME + ":other", elsewhere);
        TestInitiator other = other();

        show(rig.luns, Map.of(0, disk, 7, another()));

        good(other, other.testUnitReady());
        assertThat(sense(initiator, initiator.testUnitReady())).isEqualTo("6/3f/0e");
        good(initiator, initiator.testUnitReady());
        assertThat(luns(initiator)).containsExactly(0, 7);
        assertThat(luns(other)).containsExactly(0);
    }

    private static int[] luns(TestInitiator of) {
        of.send(of.numbered(Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.READ, "a0 00 00 000000 00000100 00 00", 256)));
        Pdu answer = of.expect(Opcode.DATA_IN);
        byte[] data = answer.data();
        int[] luns = new int[data.length / 8 - 1];
        Arrays.setAll(luns, i -> data[8 * i + 9]);
        return luns;
    }

    @Test
    void shouldNotTellWhatHasBeenAskedForMeanwhile() {
        show(rig.luns, Map.of(0, disk, 1, another()));

        assertThat(luns(initiator)).containsExactly(0, 1);

        good(initiator, initiator.testUnitReady());
    }

    @Test
    void shouldTellOfAnotherUnitAtTheSameNumber() {
        show(rig.luns, Map.of(0, another()));

        assertThat(sense(initiator, initiator.testUnitReady())).isEqualTo("6/29/00");
        assertThat(sense(initiator, initiator.testUnitReady())).isEqualTo("6/3f/0e");
    }

    @Test
    void shouldAnswerWhatRunsAndRefuseWhatComesAfterwards() {
        rig.disk.hold(BlockOperation.WRITE);
        Pdu running = initiator.write(0, 1, new byte[512]);
        initiator.send(running);

        show(rig.luns, Map.of());

        assertThat(settled).hasValue(0);
        assertThat(sense(initiator, initiator.testUnitReady())).isEqualTo("5/25/00");
        rig.disk.release();
        initiator.expectStatus(running.header().initiatorTaskTag(), GOOD);
        assertThat(settled).hasValue(1);
    }

    @Test
    void shouldRefuseTheWriteWhoseDataAreStillOnTheirWay() {
        Pdu write = initiator.write(0, 8, Pdu.NO_DATA);
        initiator.send(write);
        Pdu r2t = initiator.expect(Opcode.R2T);

        show(rig.luns, Map.of());

        assertThat(settled).as("nothing executes").hasValue(1);
        initiator.send(initiator.dataOut(r2t, new byte[8 * 512]));
        assertThat(initiator
                        .expectStatus(write.header().initiatorTaskTag(), CHECK_CONDITION)
                        .sense())
                .isEqualTo("5/25/00");
    }

    @Test
    void shouldWaitForWhatRunsForAConnectionThatIsGone() {
        rig.disk.hold(BlockOperation.WRITE);
        initiator.send(initiator.write(0, 1, new byte[512]));
        initiator.close();

        show(rig.luns, Map.of());

        assertThat(settled).hasValue(0);
        rig.disk.release();
        rig.pump();
        assertThat(settled).hasValue(1);
    }

    @Test
    void shouldGreetAUnitThatComesBackAsANewOne() {
        show(rig.luns, Map.of());
        show(rig.luns, Map.of(0, disk));

        assertThat(sense(initiator, initiator.testUnitReady())).isEqualTo("6/29/00");
        good(initiator, initiator.testUnitReady());
    }

    @Test
    void shouldProtectAUnitAgainstOneInitiatorOnly() {
        MappedLuns reading = new MappedLuns();
        show(reading, Map.of(0, new MappedLuns.Mapped(rig.unit, true)));
        rig.lunsOf.put(TestInitiator.NAME + ":other", reading);
        TestInitiator other = other();

        assertThat(sense(other, other.write(0, 1, new byte[512]))).isEqualTo("7/27/00");
        assertThat(other.readAll(0, 1)).hasSize(512);
        assertThat(deviceSpecific(other)).isEqualTo(0x90);
        good(initiator, initiator.write(0, 1, new byte[512]));
        assertThat(deviceSpecific(initiator)).isEqualTo(0x10);

        show(reading, Map.of(0, disk));

        assertThat(sense(other, other.testUnitReady())).isEqualTo("6/2a/01");
        good(other, other.write(0, 1, new byte[512]));
        good(initiator, initiator.testUnitReady());
    }

    /** MODE SENSE (6): WP and DPOFUA. */
    private static int deviceSpecific(TestInitiator of) {
        of.send(of.numbered(Pdu.command(Opcode.SCSI_COMMAND, BasicHeader.READ, "1a 08 3f 00 ff 00", 255)));
        return of.expect(Opcode.DATA_IN).data()[2] & 0xff;
    }

    @Test
    void shouldHoldWritesUntilTheyMayGoOn() {
        rig.luns.holdWrites(true);
        Pdu write = initiator.write(0, 1, new byte[512]);
        initiator.send(write);

        assertThat(initiator.readAll(0, 1)).hasSize(512);
        initiator.expectNothing();
        rig.luns.holdWrites(false);

        initiator.expectStatus(write.header().initiatorTaskTag(), GOOD);
    }

    @Test
    void shouldTellAnInitiatorThatItsSessionEndsAndAnswerWhatRuns() {
        TestInitiator other = other();
        rig.disk.hold(BlockOperation.WRITE);
        Pdu write = initiator.write(0, 1, new byte[512]);
        initiator.send(write);

        rig.connections.forEach(each ->
                each.end(session -> session.initiatorName().equals(TestInitiator.NAME), "as the test wants it"));
        rig.pump();

        assertThat(initiator.expect(Opcode.ASYNC_MESSAGE).header().asyncEvent()).isEqualTo(DROP_SESSION);
        assertThat(rig.events).noneMatch(event -> event.startsWith("closed"));
        rig.disk.release();
        initiator.expectStatus(write.header().initiatorTaskTag(), GOOD);
        initiator.expectClosed();
        assertThat(rig.events).filteredOn(event -> event.startsWith("closed")).hasSize(1);
        good(other, other.testUnitReady());
    }

    @Test
    void shouldFindNoUnitAtANumberThatHasNone() {
        Pdu there = initiator.testUnitReady();
        there.header().lun(LUN_1);

        assertThat(sense(initiator, there)).isEqualTo("5/25/00");
    }
}
