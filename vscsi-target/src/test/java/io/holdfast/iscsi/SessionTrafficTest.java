package io.holdfast.iscsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockOperation;
import io.holdfast.scsi.MappedLuns;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is counted of a session's commands. */
class SessionTrafficTest {
    private final IscsiRig rig = new IscsiRig();
    private final UUID unit = rig.unit.identity().uuid();

    @AfterEach
    void noBufferIsLeft() {
        rig.close();
    }

    private IoTotals totals() {
        AtomicReference<IoTotals> found = new AtomicReference<>(IoTotals.NONE);
        rig.traffic.get(0).forEach((uuid, totals) -> {
            assertThat(uuid).isEqualTo(unit);
            found.set(totals.get());
        });
        return Objects.requireNonNull(found.get());
    }

    @Test
    void shouldCountCommandsAndTheirDataByKind() {
        TestInitiator initiator = rig.connect().login().ready();
        initiator.writeAll(0, new byte[4096]);
        initiator.readAll(0, 8);
        initiator.readAll(0, 1);

        IoTotals totals = totals();
        assertThat(totals.operations(IoKind.READ)).isEqualTo(2);
        assertThat(totals.bytes(IoKind.READ)).isEqualTo(4608);
        assertThat(totals.operations(IoKind.WRITE)).isEqualTo(1);
        assertThat(totals.bytes(IoKind.WRITE)).isEqualTo(4096);
        assertThat(totals.operations(IoKind.OTHER)).as("TEST UNIT READY").isPositive();
        assertThat(totals.executing()).isZero();
        assertThat(totals.nanos(IoKind.READ)).isPositive();
    }

    @Test
    void shouldShowWhatIsBeingCarriedOut() {
        TestInitiator initiator = rig.connect().login().ready();
        rig.disk.hold(BlockOperation.READ);
        initiator.send(initiator.read(0, 1), initiator.read(8, 1));
        assertThat(totals().executing()).isEqualTo(2);
        rig.disk.release();
        rig.pump();
        assertThat(totals().executing()).isZero();
    }

    @Test
    void shouldCountAnErrorForTheStorageAndNoneForTheInitiator() {
        TestInitiator initiator = rig.connect().login().ready();
        Pdu beyond = initiator.read(1L << 30, 1);
        initiator.send(beyond);
        initiator.expectStatus(beyond.header().initiatorTaskTag(), TestInitiator.CHECK_CONDITION);
        assertThat(totals().errors(IoKind.READ)).isZero();

        assertThat(IoCounters.isError(sense(0x70, 0x00, 0x03)))
                .as("MEDIUM ERROR, fixed")
                .isTrue();
        assertThat(IoCounters.isError(sense(0x72, 0x04, 0x00)))
                .as("HARDWARE ERROR, descriptor")
                .isTrue();
        assertThat(IoCounters.isError(sense(0x70, 0x00, 0x02))).as("NOT READY").isTrue();
        assertThat(IoCounters.isError(sense(0x70, 0x00, 0x0b)))
                .as("ABORTED COMMAND")
                .isTrue();
        assertThat(IoCounters.isError(sense(0x70, 0x00, 0x06)))
                .as("UNIT ATTENTION")
                .isFalse();
        assertThat(IoCounters.isError(sense(0x72, 0x05, 0x00)))
                .as("ILLEGAL REQUEST")
                .isFalse();
    }

    private static byte[] sense(int... bytes) {
        byte[] sense = new byte[18];
        for (int i = 0; i < bytes.length; i++) {
            sense[i] = (byte) bytes[i];
        }
        return sense;
    }

    @Test
    void shouldTellWhenAUnitIsSeenNoMore() {
        TestInitiator initiator = rig.connect().login().ready();
        initiator.readAll(0, 1);
        rig.luns.show(Map.of(), () -> {});
        rig.pump();
        assertThat(rig.events).anyMatch(event -> event.startsWith("parted ") && event.endsWith(unit.toString()));
        assertThat(rig.traffic.get(0).take(unit).operations(IoKind.READ)).isEqualTo(1);
        assertThat(totals().isEmpty()).isTrue();

        rig.luns.show(Map.of(0, new MappedLuns.Mapped(rig.unit, false)), () -> {});
        Pdu attention = initiator.testUnitReady();
        initiator.send(attention);
        initiator.expectStatus(attention.header().initiatorTaskTag(), TestInitiator.CHECK_CONDITION);
        assertThat(totals().operations(IoKind.OTHER)).as("counted anew").isEqualTo(1);
    }

    @Test
    void shouldPutADurationIntoTheClassThatItsLimitNames() {
        IoTotals sum = IoTotals.NONE;
        assertThat(sum.isEmpty()).isTrue();
        assertThat(IoTotals.LIMITS_US).isSorted().doesNotHaveDuplicates();
        TestInitiator initiator = rig.connect().login().ready();
        initiator.readAll(0, 1);
        sum = sum.plus(totals()).plus(totals());
        long classes = 0;
        for (int i = 0; i <= IoTotals.LIMITS_US.size(); i++) {
            classes += sum.inClass(IoKind.READ, i);
        }
        assertThat(classes).isEqualTo(2).isEqualTo(sum.operations(IoKind.READ));
    }
}
