package io.holdfast.scsi;

import static io.holdfast.scsi.ScsiStatus.GOOD;
import static io.holdfast.scsi.ScsiStatus.RESERVATION_CONFLICT;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** RESERVE and RELEASE (SPC-2 §5.5.1), beside persistent reservations (SPC-4 §5.13.3). */
class ReserveReleaseTest {
    private final LogicalUnit unit = Initiator.unit(new TestBackend(1 << 20));
    private final Reserver a = Reserver.at(unit, "iqn.a", 1);
    private final Reserver b = Reserver.at(unit, "iqn.b", 1);

    @ParameterizedTest
    @CsvSource({"RESERVE_6, RELEASE_6", "RESERVE_10, RELEASE_10"})
    void shouldKeepOthersOutUntilItIsReleased(ScsiCommand reserve, ScsiCommand release) {
        send(a, reserve, GOOD);
        send(a, reserve, GOOD);

        send(b, reserve, RESERVATION_CONFLICT);
        assertThat(b.read()).isEqualTo(RESERVATION_CONFLICT);
        send(b, ScsiCommand.TEST_UNIT_READY, RESERVATION_CONFLICT);
        send(b, ScsiCommand.INQUIRY, GOOD);
        send(b, ScsiCommand.READ_CAPACITY_10, GOOD);
        send(b, release, GOOD);
        assertThat(b.read()).as("not b's to release").isEqualTo(RESERVATION_CONFLICT);
        assertThat(a.write()).isEqualTo(GOOD);

        send(a, release, GOOD);
        assertThat(b.write()).isEqualTo(GOOD);
    }

    @Test
    void shouldEndWithAReset() {
        send(a, ScsiCommand.RESERVE_6, GOOD);
        unit.reset();

        b.hears(SenseCode.LOGICAL_UNIT_RESET);
        assertThat(b.write()).isEqualTo(GOOD);
    }

    @Test
    void shouldEndWithTheNexus() {
        send(a, ScsiCommand.RESERVE_6, GOOD);
        b.initiator().nexus().end();
        assertThat(b.read()).as("b's end is not a's").isNotEqualTo(GOOD);
        a.initiator().nexus().end();

        b.initiator().send(ScsiCommand.TEST_UNIT_READY);
        assertThat(b.read()).isEqualTo(GOOD);
    }

    @Test
    void shouldKeepPersistentReservationsOutOfReach() {
        send(a, ScsiCommand.RESERVE_6, GOOD);

        for (Reserver either : new Reserver[] {a, b}) {
            assertThat(either.register(0, 5).status()).isEqualTo(RESERVATION_CONFLICT);
            assertThat(either.in(ScsiCommand.PERSISTENT_RESERVE_IN_READ_KEYS).status())
                    .isEqualTo(RESERVATION_CONFLICT);
        }
    }

    @Test
    void shouldConflictWhileSomebodyIsRegistered() {
        a.register(0, 5).isGood();

        send(a, ScsiCommand.RESERVE_6, RESERVATION_CONFLICT);
        send(b, ScsiCommand.RESERVE_6, RESERVATION_CONFLICT);
        send(b, ScsiCommand.RELEASE_6, RESERVATION_CONFLICT);
    }

    @Test
    void shouldBeGoodWithoutEffectForWhomThePersistentReservationLetsIn() {
        a.register(0, 5).isGood();
        a.reserve(5, ReservationType.WRITE_EXCLUSIVE_REGISTRANTS_ONLY).isGood();
        Reserver c = Reserver.at(unit, "iqn.c", 1);
        c.register(0, 6).isGood();

        send(a, ScsiCommand.RESERVE_6, GOOD);
        send(c, ScsiCommand.RELEASE_10, GOOD);
        send(b, ScsiCommand.RESERVE_6, RESERVATION_CONFLICT);

        assertThat(a.reservation()).isEqualTo("5 key 5");
        assertThat(c.write()).isEqualTo(GOOD);
    }

    private static void send(Reserver who, ScsiCommand command, ScsiStatus expected) {
        assertThat(who.initiator().send(command).status()).as("%s", command).isEqualTo(expected);
    }
}
