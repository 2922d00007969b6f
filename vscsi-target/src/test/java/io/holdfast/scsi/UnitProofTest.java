package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.block.BlockError;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What is found out of a logical unit for somebody who may not log in. */
class UnitProofTest {
    private static final int BYTES = 1 << 20;
    private static final String FIT = "";
    private static final ReservationType EXCLUSIVE = ReservationType.EXCLUSIVE_ACCESS;

    private final TestBackend backend = new TestBackend(BYTES);
    private final LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), backend)
            .targetPorts(List.of(1, 7))
            .removable()
            .build();
    private final TestLane lane = TestLane.held();
    private final List<String> answers = new ArrayList<>();

    @Test
    void shouldReadAndDurablyWriteTheFirstBlockAndChangeNothing() {
        Arrays.fill(backend.content(), (byte) 'a');

        assertThat(prove(wanted())).isEqualTo(FIT);

        assertThat(backend.operations()).containsExactly("read 0+512", "read 0+512", "write 0+512 DURABLE");
        assertThat(backend.content()).containsOnly('a');
        assertThat(unit.knownNexuses()).as("nothing is kept of it").isZero();
    }

    @Test
    void shouldNotWriteToOneThatIsReadOnly() {
        backend.protect();

        assertThat(prove(new UnitProof.Wanted(Initiator.UNIT_UUID, BYTES, true, Set.of())))
                .isEqualTo(FIT);

        assertThat(backend.operations()).containsExactly("read 0+512");
        assertThat(prove(wanted())).isEqualTo("a durable write is answered with sense 7h/27h/00h");
    }

    @Test
    void shouldNotTouchAnotherUnit() {
        UUID other = UUID.randomUUID();

        assertThat(prove(new UnitProof.Wanted(other, BYTES, false, Set.of())))
                .isEqualTo("that is another unit, " + Initiator.UNIT_UUID + " instead of " + other);

        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldObjectToOneThatHasBecomeSmallerByTheTimeItIsRead() {
        UnitProof.begin(unit, wanted(), lane, answers::add);
        lane.runOne();

        backend.resize(BYTES - 512);
        runAll();

        assertThat(answers).containsExactly("it has 1048064 bytes, and had 1048576");
        assertThat(backend.operations()).containsExactly("read 0+512");
    }

    @Test
    void shouldTakeOneThatHasBecomeLarger() {
        backend.resize(BYTES / 2);
        assertThat(prove(new UnitProof.Wanted(Initiator.UNIT_UUID, BYTES / 4, false, Set.of())))
                .isEqualTo(FIT);
    }

    @ParameterizedTest
    @CsvSource({
        "UNREACHABLE, a read is answered with sense 2h/04h/01h",
        "MEDIUM, a read is answered with sense 3h/11h/00h"
    })
    void shouldSayWhatTheStorageSays(BlockError.Kind kind, String objection) {
        backend.failWith(kind);
        assertThat(prove(wanted())).isEqualTo(objection);

        backend.failNoMore();
        assertThat(prove(wanted())).as("when it is well again").isEqualTo(FIT);
    }

    @Test
    void shouldSayThatTheMediumIsGone() {
        Initiator.of(unit)
                .send(CdbBuilder.cdb(ScsiCommand.START_STOP_UNIT).set(4, 2))
                .isGood();

        assertThat(prove(wanted())).isEqualTo("a read is answered with sense 2h/3ah/00h");
    }

    @Test
    void shouldTakeForFitWhatSomebodyElseHasWrittenMeanwhile() {
        UnitProof.begin(unit, wanted(), lane, answers::add);
        while (backend.operations().isEmpty()) {
            lane.runOne();
        }

        Arrays.fill(backend.content(), (byte) 'b');
        runAll();

        assertThat(answers).containsExactly(FIT);
        assertThat(backend.content()).containsOnly('b');
    }

    @Test
    void shouldComeThroughAPortThatTakesCommands() {
        unit.accessState(1, AccessState.STANDBY);

        assertThat(prove(wanted())).isEqualTo(FIT);
        unit.accessState(7, AccessState.UNAVAILABLE);
        assertThat(prove(wanted())).isEqualTo("a read is answered with sense 2h/04h/0bh");
    }

    // ---- reservations

    @ParameterizedTest
    @EnumSource
    void shouldObjectToAReservationThatKeepsItsInitiatorsOut(ReservationType type) {
        Reserver foreign = Reserver.at(unit, "iqn.Foreign", 1);
        foreign.register(0, 5);
        foreign.reserve(5, type).isGood();

        assertThat(prove(wanted("iqn.vm"))).isEqualTo("it is reserved by iqn.foreign");

        assertThat(backend.operations()).doesNotContain("write 0+512 DURABLE");
        foreign.release(5, type).isGood();
        assertThat(prove(wanted("iqn.vm"))).isEqualTo(FIT);
    }

    @ParameterizedTest
    @EnumSource
    void shouldWriteUnderTheReservationOfItsOwnInitiators(ReservationType type) {
        Reserver own = Reserver.at(unit, "iqn.vm", 7);
        own.register(0, 5);
        own.reserve(5, type).isGood();

        assertThat(prove(wanted("iqn.other", "iqn.VM"))).isEqualTo(FIT);

        assertThat(backend.operations()).containsExactly("read 0+512", "read 0+512", "write 0+512 DURABLE");
        assertThat(own.reservation()).isEqualTo(type.code() + " key " + (type.allRegistrants() ? 0 : 5));
    }

    @Test
    void shouldWriteForARegistrantWhoIsLetInBySomebodyElsesReservation() {
        Reserver own = Reserver.at(unit, "iqn.vm", 1);
        Reserver holder = Reserver.at(unit, "iqn.holder", 1);
        own.register(0, 5);
        holder.register(0, 6);
        holder.reserve(6, ReservationType.WRITE_EXCLUSIVE_REGISTRANTS_ONLY).isGood();

        assertThat(prove(wanted("iqn.vm"))).isEqualTo(FIT);
        assertThat(backend.operations()).contains("write 0+512 DURABLE");
    }

    @Test
    void shouldReadPastAReservationThatLetsReadersIn() {
        Reserver foreign = Reserver.at(unit, "iqn.foreign", 1);
        foreign.register(0, 5);
        foreign.reserve(5, ReservationType.WRITE_EXCLUSIVE).isGood();

        assertThat(prove(new UnitProof.Wanted(Initiator.UNIT_UUID, BYTES, true, Set.of("iqn.vm"))))
                .isEqualTo(FIT);
        foreign.release(5, ReservationType.WRITE_EXCLUSIVE).isGood();
        foreign.reserve(5, EXCLUSIVE).isGood();
        assertThat(prove(new UnitProof.Wanted(Initiator.UNIT_UUID, BYTES, true, Set.of("iqn.vm"))))
                .isEqualTo("it is reserved by iqn.foreign");
    }

    @Test
    void shouldObjectToReserveOfSomebodyElseAndNotToItsOwn() {
        Initiator reserver = Initiator.at(unit, "iqn.one", 1);
        reserver.send(ScsiCommand.RESERVE_6).isGood();

        assertThat(prove(wanted("iqn.two"))).isEqualTo("it is reserved by iqn.one");
        assertThat(prove(wanted("iqn.one"))).isEqualTo(FIT);
        reserver.send(ScsiCommand.RELEASE_6).isGood();
        assertThat(prove(wanted("iqn.two")))
                .as("the proof has released nothing else")
                .isEqualTo(FIT);
    }

    @Test
    void shouldWriteOnceAReservationThatKeptItOutIsGone() {
        Reserver foreign = Reserver.at(unit, "iqn.foreign", 1);
        foreign.register(0, 5);
        foreign.reserve(5, ReservationType.WRITE_EXCLUSIVE).isGood();
        UnitProof.begin(unit, wanted("iqn.vm"), lane, answers::add);
        while (backend.operations().isEmpty()) {
            lane.runOne();
        }
        // The read has ended, and the write is refused, which is not looked at yet.
        lane.runOne();
        lane.runOne();

        foreign.release(5, ReservationType.WRITE_EXCLUSIVE).isGood();
        runAll();

        assertThat(answers).containsExactly(FIT);
        assertThat(backend.operations()).endsWith("write 0+512 DURABLE");
    }

    @Test
    void shouldWriteUnderTheRegistrationAtAPortThatTakesCommands() {
        Reserver standby = Reserver.at(unit, "iqn.vm", 1);
        Reserver active = Reserver.at(unit, "iqn.vm", 7);
        standby.register(0, 5);
        active.register(0, 6);
        active.reserve(6, ReservationType.WRITE_EXCLUSIVE_REGISTRANTS_ONLY).isGood();

        unit.accessState(1, AccessState.STANDBY);
        assertThat(prove(wanted("iqn.vm"))).isEqualTo(FIT);
        assertThat(backend.operations()).endsWith("write 0+512 DURABLE");

        unit.accessState(1, AccessState.ACTIVE_OPTIMIZED);
        unit.accessState(7, AccessState.STANDBY);
        assertThat(prove(wanted("iqn.vm"))).isEqualTo(FIT);
    }

    @Test
    void shouldSayThatAllPortsOfItsRegistrantsStandByWhileTheUnitIsReserved() {
        Reserver own = Reserver.at(unit, "iqn.vm", 1);
        own.register(0, 5);
        unit.accessState(1, AccessState.STANDBY);
        assertThat(prove(wanted("iqn.vm"))).as("nobody holds it").isEqualTo(FIT);

        unit.accessState(1, AccessState.ACTIVE_OPTIMIZED);
        own.initiator().send(ScsiCommand.TEST_UNIT_READY);
        own.reserve(5, EXCLUSIVE).isGood();
        unit.accessState(1, AccessState.STANDBY);

        assertThat(prove(wanted("iqn.vm"))).isEqualTo("a read is answered with sense 2h/04h/0bh");
    }

    // ---- its end

    @Test
    void shouldEndWithTheCommandThatIsUnderWayWhenNobodyWaitsAnyMore() {
        UnitProof proof = UnitProof.begin(unit, wanted(), lane, answers::add);
        while (backend.operations().isEmpty()) {
            lane.runOne();
        }

        proof.giveUp();
        runAll();

        assertThat(answers).containsExactly("nobody waits for it any more");
        assertThat(backend.operations()).containsExactly("read 0+512");
    }

    @Test
    void shouldHoldUpWhoeverTakesTheUnitAwayAndNotBeginAfterThat() {
        UnitProof.begin(unit, wanted(), lane, answers::add);
        lane.runOne();

        unit.retire(() -> answers.add("taken away"));
        assertThat(answers).isEmpty();
        runAll();

        assertThat(answers).containsExactly("taken away", FIT);
        assertThat(prove(wanted())).isEqualTo("it is not served any more");
    }

    @Test
    void shouldNotHoldUpWhoeverTakesTheUnitAwayOnceHeHasBegunTo() {
        TestLane later = TestLane.held();
        UnitProof.begin(unit, wanted(), lane, answers::add);
        unit.retire(() -> answers.add("taken away"));
        UnitProof.begin(unit, wanted(), later, answers::add);

        runAll();
        assertThat(answers).containsExactly("taken away", "it is not served any more");
        later.runOne();

        assertThat(answers).hasSize(3);
        assertThat(backend.operations()).isEmpty();
    }

    @Test
    void shouldEndOnceWhenWhoeverAskedFailsToTakeItsAnswer() {
        UnitProof.begin(unit, wanted(), lane, answer -> {
            answers.add(answer);
            throw new IllegalStateException("as the test wants it");
        });
        runAll();
        assertThat(answers).containsExactly(FIT);

        UnitProof.begin(unit, wanted(), lane, answers::add);
        unit.retire(() -> answers.add("taken away"));
        assertThat(answers).as("the second one is waited for").hasSize(1);
        runAll();

        assertThat(answers).containsExactly(FIT, "taken away", "it is not served any more");
    }

    @Test
    void shouldNotHoldUpAnInitiatorThatLosesTheUnitNorItsSanitizing() {
        MappedLuns client = new MappedLuns();
        client.show(Map.of(0, new MappedLuns.Mapped(unit, false)), () -> {});
        UnitProof.begin(unit, wanted(), lane, answers::add);

        client.show(Map.of(), () -> answers.add("unmapped"));
        assertThat(answers).containsExactly("unmapped");
        Initiator.of(unit)
                .send(CdbBuilder.cdb(ScsiCommand.SANITIZE_OVERWRITE).set(8, 5), new byte[] {1, 0, 0, 1, 7})
                .isGood();
        assertThat(backend.content()).containsOnly(7);
        runAll();

        assertThat(answers).containsExactly("unmapped", FIT);
    }

    private static UnitProof.Wanted wanted(String... initiators) {
        return new UnitProof.Wanted(Initiator.UNIT_UUID, BYTES, false, Set.of(initiators));
    }

    private String prove(UnitProof.Wanted wanted) {
        answers.clear();
        UnitProof.begin(unit, wanted, lane, answers::add);
        runAll();
        assertThat(answers).hasSize(1);
        return answers.get(0);
    }

    private void runAll() {
        while (lane.runOne()) {
            // Until nothing is left to do.
        }
    }
}
