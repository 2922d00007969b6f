package io.holdfast.scsi;

import static io.holdfast.scsi.ScsiStatus.GOOD;
import static io.holdfast.scsi.ScsiStatus.RESERVATION_CONFLICT;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** PERSISTENT RESERVE IN and OUT (SPC-4 §5.13, §6.15, §6.16), three initiators, two target ports. */
class PersistentReserveTest {
    private static final ReservationType EA = ReservationType.EXCLUSIVE_ACCESS;
    private static final ReservationType WE = ReservationType.WRITE_EXCLUSIVE;
    private static final ReservationType WERO = ReservationType.WRITE_EXCLUSIVE_REGISTRANTS_ONLY;
    private static final ReservationType WEAR = ReservationType.WRITE_EXCLUSIVE_ALL_REGISTRANTS;

    private final LogicalUnit unit = LogicalUnit.builder(
                    LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 20))
            .targetPorts(List.of(1, 2))
            .build();
    private final Reserver a = Reserver.at(unit, "iqn.a", 1);
    private final Reserver b = Reserver.at(unit, "iqn.b", 1);
    private final Reserver c = Reserver.at(unit, "iqn.c", 2);

    // ---- registration

    @Test
    void shouldRegisterChangeAndUnregisterAndCountEach() {
        a.register(0, 5).isGood();
        assertThat(a.keys()).containsExactly(5L);
        a.register(5, 6).isGood();
        assertThat(b.keys()).containsExactly(6L);
        a.register(6, 0).isGood();
        assertThat(a.keys()).isEmpty();
        assertThat(a.generation()).isEqualTo(3);
    }

    @Test
    void shouldNotRegisterWithAKeyThatIsNotTheOnePresent() {
        assertThat(a.register(1, 5).status()).isEqualTo(RESERVATION_CONFLICT);
        a.register(0, 5).isGood();
        assertThat(a.register(0, 6).status()).isEqualTo(RESERVATION_CONFLICT);
        assertThat(a.register(6, 0).status()).isEqualTo(RESERVATION_CONFLICT);
        assertThat(a.keys()).containsExactly(5L);
        assertThat(a.generation()).isEqualTo(1);
    }

    @Test
    void shouldDoNothingForTheStrangerWhoUnregisters() {
        a.register(0, 0).isGood();
        a.registerAndIgnore(0, 0).isGood();
        assertThat(a.generation()).isZero();
    }

    @Test
    void shouldIgnoreTheExistingKeyOnRequest() {
        a.registerAndIgnore(5, 0).isGood();
        a.registerAndIgnore(6, 0).isGood();
        assertThat(a.keys()).containsExactly(6L);
        a.registerAndIgnore(0, 0).isGood();
        assertThat(a.keys()).isEmpty();
    }

    @Test
    void shouldKeepRegistrationsOfOneInitiatorAtTwoTargetPortsApart() {
        Reserver a2 = Reserver.at(unit, "iqn.a", 2);
        a.register(0, 5).isGood();
        a2.register(0, 6).isGood();

        assertThat(a.fullStatus()).containsExactly("iqn.a,i,0x800000000001 1 key 5", "iqn.a,i,0x800000000001 2 key 6");
    }

    @Test
    void shouldRegisterAtAllTargetPorts() {
        a.register(0, 5, Reserver.ALL_TG_PT).isGood();

        assertThat(a.fullStatus())
                .containsExactlyInAnyOrder("iqn.a,i,0x800000000001 1 key 5", "iqn.a,i,0x800000000001 2 key 5");
        assertThat(a.generation()).isEqualTo(1);
        a.register(5, 0, Reserver.ALL_TG_PT).isGood();
        assertThat(a.keys()).isEmpty();
    }

    @Test
    void shouldRegisterTheInitiatorPortsThatAreSpecified() {
        byte[] other = TransportId.encode("iqn.z,i,0x0000000000ff");
        byte[] present = TransportId.encode(c.name().initiatorPort());

        a.registerOthers(5, 0, other, present).isGood();

        assertThat(a.fullStatus())
                .containsExactly(
                        "iqn.a,i,0x800000000001 1 key 5",
                        "iqn.z,i,0x0000000000ff 1 key 5",
                        "iqn.c,i,0x800000000001 1 key 5");
        assertThat(a.generation()).isEqualTo(1);
    }

    @Test
    void shouldRegisterThePortsOfASpecifiedDeviceThatAreLoggedIn() {
        a.registerOthers(5, 0, TransportId.encode("iqn.b")).isGood();

        assertThat(a.fullStatus()).containsExactly("iqn.a,i,0x800000000001 1 key 5", "iqn.b,i,0x800000000001 1 key 5");
        b.registerOthers(5, 0, TransportId.encode("iqn.nobody")).status();
        assertThat(a.keys()).hasSize(2);
    }

    @Test
    void shouldLeaveTheKeyOfASpecifiedPortThatIsRegistered() {
        b.register(0, 7).isGood();
        a.registerOthers(5, 0, TransportId.encode(b.name().initiatorPort())).isGood();

        assertThat(a.keys()).containsExactlyInAnyOrder(7L, 5L);
    }

    @Test
    void shouldRefuseSpecifiedPortsWhereTheyDoNotBelong() {
        byte[] id = TransportId.encode("iqn.z,i,0x0000000000ff");
        a.register(0, 5).isGood();
        byte[] list = Arrays.copyOf(Reserver.list(5, 6, Reserver.SPEC_I_PT), 28 + id.length);
        list[27] = (byte) id.length;
        System.arraycopy(id, 0, list, 28, id.length);

        a.out(ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER, 0, list).complainsOfParameterByte(20);
        a.out(ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER_AND_IGNORE_EXISTING_KEY, 0, list)
                .complainsOfParameterByte(20);
        a.out(ScsiCommand.PERSISTENT_RESERVE_OUT_CLEAR, 0, list).complainsOfParameterByte(20);
        b.registerOthers(5, 0, Arrays.copyOf(id, id.length - 4)).complainsOfParameterByte(28);
        b.registerOthers(5, 0, new byte[24]).complainsOfParameterByte(28);
        assertThat(a.keys()).containsExactly(5L);
    }

    @Test
    void shouldHaveALimitOnRegistrations() {
        byte[][] ids = new byte[PersistentReservations.MAX_REGISTRATIONS][];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = TransportId.encode("iqn.crowd:" + i + ",i,0x000000000001");
        }

        a.registerOthers(5, 0, ids).failsWith(SenseCode.INSUFFICIENT_REGISTRATION_RESOURCES);
        assertThat(a.keys()).isEmpty();
        a.registerOthers(5, 0, Arrays.copyOf(ids, ids.length - 1)).isGood();
        assertThat(a.keys()).hasSize(PersistentReservations.MAX_REGISTRATIONS);
    }

    // ---- parameter lists

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "PERSISTENT_RESERVE_OUT_.*")
    void shouldRefuseListsOfTheWrongLength(ScsiCommand command) {
        a.out(command, 1, new byte[23]).failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        a.out(command, 1, new byte[25]).failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        a.initiator().send(CdbBuilder.cdb(command)).failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
        a.initiator()
                .send(CdbBuilder.cdb(command).length(24), new byte[20])
                .failsWith(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
    }

    @Test
    void shouldNotPromiseToPersistWhatIsInMemoryOnly() {
        a.register(0, 5, Reserver.APTPL).complainsOfParameterByte(20);
        assertThat(a.keys()).isEmpty();
        Answer capabilities =
                a.in(ScsiCommand.PERSISTENT_RESERVE_IN_REPORT_CAPABILITIES).isGood();
        assertThat(capabilities.u8(2)).as("CRH, SIP_C, ATP_C").isEqualTo(0x1c);
    }

    // ---- reserve and release

    @Test
    void shouldReserveOnlyForWhoIsRegisteredAndKnowsTheKey() {
        assertThat(a.reserve(0, EA).status()).isEqualTo(RESERVATION_CONFLICT);
        a.register(0, 5).isGood();
        assertThat(a.reserve(6, EA).status()).isEqualTo(RESERVATION_CONFLICT);
        a.reserve(5, EA).isGood();

        assertThat(b.reservation()).isEqualTo("3 key 5");
        assertThat(a.fullStatus()).containsExactly("iqn.a,i,0x800000000001 1 key 5 holds 3");
        assertThat(a.generation()).as("RESERVE does not count").isEqualTo(1);
    }

    @Test
    void shouldRefuseScopesAndTypesThatAreNone() {
        a.register(0, 5).isGood();
        byte[] list = Reserver.list(5, 0, 0);

        for (int code : new int[] {0, 2, 4, 9, 15}) {
            a.out(ScsiCommand.PERSISTENT_RESERVE_OUT_RESERVE, code, list).complainsOfCdbByte(2);
        }
        a.out(ScsiCommand.PERSISTENT_RESERVE_OUT_RESERVE, 0x11, list).complainsOfCdbByte(2);
        assertThat(a.reservation()).isEmpty();
    }

    @Test
    void shouldKeepAReservationFromASecondHolder() {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        a.reserve(5, WE).isGood();
        a.reserve(5, WE).isGood();
        assertThat(a.reserve(5, EA).status()).as("another type").isEqualTo(RESERVATION_CONFLICT);
        assertThat(b.reserve(6, WE).status()).isEqualTo(RESERVATION_CONFLICT);
    }

    @Test
    void shouldLetEveryRegistrantHoldAnAllRegistrantsReservation() {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        a.reserve(5, WEAR).isGood();

        b.reserve(6, WEAR).isGood();
        assertThat(a.reservation()).isEqualTo("7 key 0");
        assertThat(a.fullStatus()).allMatch(line -> line.endsWith("holds 7"));
        a.register(5, 0).isGood();
        assertThat(b.reservation()).isEqualTo("7 key 0");
        b.register(6, 0).isGood();
        assertThat(b.reservation()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void shouldReleaseForTheHolderOnlyAndTellWhoWasLetIn(ReservationType type) {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        a.reserve(5, type).isGood();

        assertThat(a.release(4, type).status()).isEqualTo(RESERVATION_CONFLICT);
        a.release(5, type == WE ? EA : WE).failsWith(SenseCode.INVALID_RELEASE_OF_PERSISTENT_RESERVATION);
        if (!type.allRegistrants()) {
            b.release(6, type).isGood();
            assertThat(a.reservation()).as("not b's to release").isNotEmpty();
        }
        a.release(5, type).isGood();

        assertThat(a.reservation()).isEmpty();
        if (type.letsRegistrantsIn()) {
            b.hears(SenseCode.RESERVATIONS_RELEASED);
        }
        b.hearsNothing();
        c.hearsNothing();
        a.hearsNothing();
        assertThat(a.generation()).isEqualTo(2);
    }

    @Test
    void shouldReleaseWhenTheHolderUnregisters() {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        a.reserve(5, WERO).isGood();
        a.register(5, 0).isGood();

        assertThat(a.reservation()).isEmpty();
        b.hears(SenseCode.RESERVATIONS_RELEASED);
        c.hearsNothing();
    }

    // ---- what a reservation does to others: registrants are let in by types 5 to 8

    @ParameterizedTest
    @CsvSource({
        "WRITE_EXCLUSIVE, false, false, true",
        "EXCLUSIVE_ACCESS, false, false, false",
        "WRITE_EXCLUSIVE_REGISTRANTS_ONLY, true, false, true",
        "EXCLUSIVE_ACCESS_REGISTRANTS_ONLY, true, false, false",
        "WRITE_EXCLUSIVE_ALL_REGISTRANTS, true, false, true",
        "EXCLUSIVE_ACCESS_ALL_REGISTRANTS, true, false, false"
    })
    void shouldLetInWhomTheTypeLetsIn(
            ReservationType type, boolean registrantWrites, boolean strangerWrites, boolean strangerReads) {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        a.reserve(5, type).isGood();

        assertThat(a.write()).isEqualTo(GOOD);
        assertThat(b.write()).isEqualTo(registrantWrites ? GOOD : RESERVATION_CONFLICT);
        assertThat(b.read()).isEqualTo(registrantWrites || strangerReads ? GOOD : RESERVATION_CONFLICT);
        assertThat(c.write()).isEqualTo(strangerWrites ? GOOD : RESERVATION_CONFLICT);
        assertThat(c.read()).isEqualTo(strangerReads ? GOOD : RESERVATION_CONFLICT);
        c.hearsNothing();
    }

    @Test
    void shouldJudgeEachCommandByItsRow() {
        a.register(0, 5).isGood();
        for (ReservationType type : new ReservationType[] {WE, EA}) {
            a.reserve(5, type).isGood();
            for (ScsiCommand command : ScsiCommand.values()) {
                ScsiStatus status = c.initiator()
                        .send(CdbBuilder.cdb(command).set(4, command == ScsiCommand.START_STOP_UNIT ? 4 : 0))
                        .status();
                boolean conflict = switch (command.underReservation()) {
                    case EXCLUSIVE, STARTING -> true;
                    case SHARED -> type == EA;
                    case FREE, FREE_BUT_FOR_RESERVE, ALLOWING -> false;
                    case BY_ITSELF -> command.name().startsWith("RE");
                };
                assertThat(status == RESERVATION_CONFLICT)
                        .as("%s under %s", command, type)
                        .isEqualTo(conflict);
            }
            c.initiator()
                    .send(CdbBuilder.cdb(ScsiCommand.START_STOP_UNIT).set(4, 1))
                    .isGood();
            a.release(5, type).isGood();
        }
    }

    @Test
    void shouldHaveARuleForEachRow() {
        assertThat(ScsiCommand.SYNCHRONIZE_CACHE_10.underReservation()).isEqualTo(UnderReservation.EXCLUSIVE);
        assertThat(ScsiCommand.UNMAP.underReservation()).isEqualTo(UnderReservation.EXCLUSIVE);
        assertThat(ScsiCommand.MODE_SELECT_6.underReservation()).isEqualTo(UnderReservation.EXCLUSIVE);
        assertThat(ScsiCommand.MODE_SENSE_6.underReservation()).isEqualTo(UnderReservation.SHARED);
        assertThat(ScsiCommand.VERIFY_16.underReservation()).isEqualTo(UnderReservation.SHARED);
        assertThat(ScsiCommand.INQUIRY.underReservation()).isEqualTo(UnderReservation.FREE);
        assertThat(ScsiCommand.READ_CAPACITY_16.underReservation()).isEqualTo(UnderReservation.FREE);
    }

    // ---- clear, preempt, move

    @Test
    void shouldClearEverythingAndTellTheOthers() {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        a.reserve(5, EA).isGood();
        assertThat(c.clear(0).status()).isEqualTo(RESERVATION_CONFLICT);
        b.clear(6).isGood();

        assertThat(b.fullStatus()).isEmpty();
        assertThat(b.reservation()).isEmpty();
        a.hears(SenseCode.RESERVATIONS_PREEMPTED);
        b.hearsNothing();
        c.hearsNothing();
        assertThat(b.generation()).isEqualTo(3);
    }

    @Test
    void shouldPreemptTheHolderAndItsRegistration() {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        c.register(0, 7).isGood();
        a.reserve(5, WE).isGood();
        b.preempt(6, 5, EA).isGood();

        assertThat(b.reservation()).isEqualTo("3 key 6");
        assertThat(b.keys()).containsExactlyInAnyOrder(6L, 7L);
        a.hears(SenseCode.REGISTRATIONS_PREEMPTED);
        c.hears(SenseCode.RESERVATIONS_RELEASED);
        b.hearsNothing();
        assertThat(a.write()).isEqualTo(RESERVATION_CONFLICT);
        assertThat(b.generation()).isEqualTo(4);
    }

    @Test
    void shouldSayNothingToRegistrantsWhenThePreemptedTypeStays() {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        c.register(0, 7).isGood();
        a.reserve(5, WE).isGood();
        b.preempt(6, 5, WE).isGood();

        c.hearsNothing();
    }

    @Test
    void shouldPreemptItself() {
        a.register(0, 5).isGood();
        a.reserve(5, WE).isGood();
        a.preempt(5, 5, EA).isGood();

        assertThat(a.fullStatus()).containsExactly("iqn.a,i,0x800000000001 1 key 5 holds 3");
        a.hearsNothing();
    }

    @Test
    void shouldOnlyRemoveRegistrationsThatHoldNothing() {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        c.register(0, 6).isGood();
        a.reserve(5, WE).isGood();
        a.preempt(5, 6, EA).isGood();

        assertThat(a.reservation()).as("type is ignored").isEqualTo("1 key 5");
        assertThat(a.keys()).containsExactly(5L);
        b.hears(SenseCode.REGISTRATIONS_PREEMPTED);
        c.hears(SenseCode.REGISTRATIONS_PREEMPTED);
        assertThat(a.preempt(5, 6, EA).status()).as("nobody has it").isEqualTo(RESERVATION_CONFLICT);
        a.preempt(5, 0, EA).complainsOfParameterByte(8);
    }

    @Test
    void shouldPreemptAllRegistrantsWithTheKeyZero() {
        a.register(0, 5).isGood();
        b.register(0, 6).isGood();
        c.register(0, 7).isGood();
        a.reserve(5, WEAR).isGood();
        b.preempt(6, 7, EA).isGood();
        assertThat(b.reservation()).as("only c's registration is gone").isEqualTo("7 key 0");
        c.hears(SenseCode.REGISTRATIONS_PREEMPTED);

        b.preempt(6, 0, EA).isGood();

        assertThat(b.fullStatus()).containsExactly("iqn.b,i,0x800000000001 1 key 6 holds 3");
        a.hears(SenseCode.REGISTRATIONS_PREEMPTED);
        c.hearsNothing();
    }

    @Test
    void shouldAbortThePreemptedNexusTasksBeforeItAnswers() {
        Runnable[] ended = new Runnable[1];
        Nexus victim = new Nexus("iqn.v,i,0x000000000001", "t", 1, (device, done) -> {
            assertThat(device).isSameAs(unit);
            assertThat(unit.reservations().persistent().registrations().keySet())
                    .as("nothing can come in behind the abort")
                    .containsExactly(b.name());
            ended[0] = done;
        });
        Reserver v = new Reserver(Initiator.through(unit, victim));
        v.register(0, 5).isGood();
        b.register(0, 6).isGood();
        TestTask task =
                new TestTask(b.initiator().nexus(), new FixedLunView(java.util.Map.of(0, unit)), TestLane.direct());
        task.start(
                unit,
                CdbBuilder.cdb(ScsiCommand.PERSISTENT_RESERVE_OUT_PREEMPT_AND_ABORT)
                        .set(2, 3)
                        .length(24)
                        .bytes(),
                Reserver.list(6, 5, 0));

        assertThat(task.completions()).isZero();
        assertThat(b.keys()).as("others' commands take their turn meanwhile").containsExactly(6L);
        b.register(6, 7).isGood();
        ended[0].run();
        assertThat(task.completions()).isEqualTo(1);
        task.answer().isGood();
    }

    @Test
    void shouldMoveTheReservation() {
        a.register(0, 5).isGood();
        a.reserve(5, WE).isGood();
        byte[] to = TransportId.encode(c.name().initiatorPort());

        a.move(5, 9, 0, 2, to).isGood();

        assertThat(a.fullStatus())
                .containsExactly("iqn.a,i,0x800000000001 1 key 5", "iqn.c,i,0x800000000001 2 key 9 holds 1");
        assertThat(c.write()).isEqualTo(GOOD);
        assertThat(a.write()).isEqualTo(RESERVATION_CONFLICT);
        assertThat(a.move(5, 9, 0, 2, to).status())
                .as("not the holder any more")
                .isEqualTo(RESERVATION_CONFLICT);
        byte[] back = TransportId.encode(a.name().initiatorPort());
        c.move(9, 5, 2, 1, back).isGood();
        assertThat(a.fullStatus()).as("UNREG").containsExactly("iqn.a,i,0x800000000001 1 key 5 holds 1");
        assertThat(a.generation()).isEqualTo(3);
    }

    @Test
    void shouldRefuseToMoveWhatCannotBeMoved() {
        a.register(0, 5).isGood();
        byte[] to = TransportId.encode(c.name().initiatorPort());
        assertThat(a.move(5, 9, 0, 2, to).status()).as("nothing to move").isEqualTo(RESERVATION_CONFLICT);
        a.reserve(5, WE).isGood();

        a.move(5, 0, 0, 2, to).complainsOfParameterByte(8);
        a.move(5, 9, 0, 7, to).complainsOfParameterByte(18);
        a.move(5, 9, 0, 2, TransportId.encode("iqn.c")).complainsOfParameterByte(24);
        a.move(5, 9, 0, 1, TransportId.encode(a.name().initiatorPort())).complainsOfParameterByte(24);
        a.release(5, WE).isGood();
        a.reserve(5, WEAR).isGood();
        assertThat(a.move(5, 9, 0, 2, to).status()).isEqualTo(RESERVATION_CONFLICT);
    }

    // ---- reading

    @Test
    void shouldTruncateToTheAllocationLength() {
        a.register(0, 5).isGood();
        Answer answer = a.initiator()
                .send(CdbBuilder.cdb(ScsiCommand.PERSISTENT_RESERVE_IN_READ_KEYS)
                        .length(12))
                .isGood();

        assertThat(answer.data()).hasSize(12);
        assertThat(answer.u32(4)).isEqualTo(8);
    }

    @Test
    void shouldReportItsCapabilities() {
        Answer answer =
                a.in(ScsiCommand.PERSISTENT_RESERVE_IN_REPORT_CAPABILITIES).isGood();

        assertThat(answer.u16(0)).isEqualTo(8);
        assertThat(answer.u8(3)).as("TMV, ALLOW COMMANDS 3").isEqualTo(0xb0);
        assertThat(answer.u16(4)).as("all six types").isEqualTo(0xea01);
    }

    // ---- what outlives what

    @Test
    void shouldKeepReservationsThroughAResetAndTheLossOfTheNexus() {
        a.register(0, 5).isGood();
        a.reserve(5, EA).isGood();
        unit.reset();
        a.initiator().nexus().end();

        Reserver again = Reserver.at(unit, "iqn.a", 1);
        assertThat(again.write()).isEqualTo(GOOD);
        b.hears(SenseCode.LOGICAL_UNIT_RESET);
        assertThat(b.write()).isEqualTo(RESERVATION_CONFLICT);
    }
}
