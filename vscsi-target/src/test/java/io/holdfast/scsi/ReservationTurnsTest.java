package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Changes that overlap, on stores that are slow, or that somebody else changes too. */
class ReservationTurnsTest {
    private static final NexusName ELSEWHERE = new NexusName("iqn.elsewhere,i,0x000000000001", 3);

    /** A store that others write to as well, which is found out at commit. */
    private static final class SharedStore implements ReservationStore {
        private PersistentReservations committed = PersistentReservations.NONE;
        private PersistentReservations known = PersistentReservations.NONE;
        private boolean restless;
        private int generation = 100;

        void changeElsewhere() {
            committed = new PersistentReservations(generation++, false, Map.of(ELSEWHERE, 9L), null);
        }

        @Override
        public PersistentReservations current() {
            return known;
        }

        @Override
        public PersistentReservations commit(PersistentReservations expected, PersistentReservations next)
                throws IOException {
            if (restless) {
                changeElsewhere();
            }
            if (committed.equals(expected)) {
                committed = next;
            }
            known = committed;
            return known;
        }

        @Override
        public boolean durable() {
            return true;
        }
    }

    private final SharedStore store = new SharedStore();
    private final LogicalUnit unit = LogicalUnit.builder(
                    LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 16))
            .reservations(store)
            .build();

    @Test
    void shouldApplyTheRulesToWhatSomebodyElseHasCommitted() {
        Reserver a = Reserver.at(unit, "iqn.a", 1);
        store.changeElsewhere();

        a.register(0, 5).isGood();

        assertThat(a.keys()).containsExactlyInAnyOrder(9L, 5L);
        assertThat(a.generation()).isEqualTo(101);
    }

    @Test
    void shouldBeBusyWhenOthersAreAlwaysQuicker() {
        store.restless = true;

        assertThat(Reserver.at(unit, "iqn.a", 1).register(0, 5).status()).isEqualTo(ScsiStatus.BUSY);
    }

    @Test
    void shouldTakeOneChangeAfterTheOther() {
        TestLane slow = TestLane.held();
        TestTask first = start("iqn.a", slow, ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER, Reserver.list(0, 5, 0));
        TestTask second = start("iqn.b", slow, ScsiCommand.RESERVE_6, new byte[0]);
        TestTask third = start("iqn.c", slow, ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER, Reserver.list(0, 6, 0));
        assertThat(first.completions() + second.completions() + third.completions())
                .isZero();

        slow.runOne();
        assertThat(first.completions()).as("durable, so answered").isEqualTo(1);
        assertThat(second.completions() + third.completions()).isZero();
        slow.runOne();
        assertThat(second.completions()).isEqualTo(1);
        assertThat(second.status()).as("the registration came first").isEqualTo(ScsiStatus.RESERVATION_CONFLICT);
        slow.runOne();
        slow.runOne();
        assertThat(third.completions()).isEqualTo(1);
        third.answer().isGood();
        assertThat(slow.runOne()).isFalse();
    }

    @Test
    void shouldLetNobodyInByAChangeThatIsNotDurableYet() {
        Reserver b = Reserver.at(unit, "iqn.b", 1);
        b.register(0, 6).isGood();
        TestLane slow = TestLane.held();
        start("iqn.a", TestLane.direct(), ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER, Reserver.list(0, 5, 0));
        TestTask reserve = start("iqn.a", slow, ScsiCommand.PERSISTENT_RESERVE_OUT_RESERVE, Reserver.list(5, 0, 0));

        assertThat(b.write()).as("nobody has been told of a reservation").isEqualTo(ScsiStatus.GOOD);
        slow.runOne();
        reserve.answer().isGood();
        assertThat(b.write()).isEqualTo(ScsiStatus.RESERVATION_CONFLICT);
    }

    private TestTask start(String name, TestLane lane, ScsiCommand command, byte[] list) {
        Nexus nexus = Initiator.at(unit, name, 1).nexus();
        TestTask task = new TestTask(nexus, new FixedLunView(Map.of(0, unit)), lane);
        CdbBuilder cdb = CdbBuilder.cdb(command);
        if (list.length > 0) {
            cdb.set(2, ReservationType.EXCLUSIVE_ACCESS.code()).length(list.length);
        }
        task.start(unit, cdb.bytes(), list.length == 0 ? null : list);
        return task;
    }
}
