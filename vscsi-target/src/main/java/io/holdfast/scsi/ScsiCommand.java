package io.holdfast.scsi;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The commands of a direct-access block device: the one table from which decoding, CDB length, the check of reserved
 * bits, access checks, REPORT SUPPORTED OPERATION CODES and the reference page come. A new command is a new row, a
 * method and a test.
 *
 * <p>A row's text is its CDB usage data, see {@link CdbUsage}. Never allowed: NACA and the other bits of CONTROL,
 * protection information (RDPROTECT and its kin), ANCHOR, FUA_NV. GROUP NUMBER is allowed and ignored, as by every device
 * without the grouping function (SBC-3 §4.22); DPO too, because the host's page cache takes no such advice.
 */
public enum ScsiCommand {
    TEST_UNIT_READY(
            "00 00 000000 00",
            Access.CONTROL,
            Effort.REPLY,
            ControlCommands::testUnitReady,
            UnderReservation.FREE_BUT_FOR_RESERVE,
            OnMedium.YES),
    REQUEST_SENSE("03 01 0000 ff 00", Access.IDENTIFY, Effort.REPLY, ControlCommands::requestSense),
    INQUIRY("12 01 ff ffff 00", Access.IDENTIFY, Effort.REPLY, Inquiry::inquiry),
    REPORT_LUNS("a0 00 ff 000000 ffffffff 00 00", Access.IDENTIFY, Effort.REPLY, ControlCommands::reportLuns),

    READ_CAPACITY_10(
            "25 00 00000000 0000 00 00",
            Access.CONTROL,
            Effort.REPLY,
            ControlCommands::readCapacity10,
            UnderReservation.FREE,
            Reach.STANDBY,
            OnMedium.YES),
    READ_CAPACITY_16(
            "9e/10 10 0000000000000000 ffffffff 00 00",
            Access.CONTROL,
            Effort.REPLY,
            ControlCommands::readCapacity16,
            UnderReservation.FREE,
            Reach.STANDBY,
            OnMedium.YES),

    READ_6("08 1f ffff ff 00", Access.READ, Effort.TRANSFER, DataCommands::read),
    READ_10("28 18 ffffffff 1f ffff 00", Access.READ, Effort.TRANSFER, DataCommands::read),
    READ_12("a8 18 ffffffff ffffffff 1f 00", Access.READ, Effort.TRANSFER, DataCommands::read),
    READ_16("88 18 ffffffffffffffff ffffffff 1f 00", Access.READ, Effort.TRANSFER, DataCommands::read),

    WRITE_6("0a 1f ffff ff 00", Access.WRITE, Effort.TRANSFER, DataCommands::write),
    WRITE_10("2a 18 ffffffff 1f ffff 00", Access.WRITE, Effort.TRANSFER, DataCommands::write),
    WRITE_12("aa 18 ffffffff ffffffff 1f 00", Access.WRITE, Effort.TRANSFER, DataCommands::write),
    WRITE_16("8a 18 ffffffffffffffff ffffffff 1f 00", Access.WRITE, Effort.TRANSFER, DataCommands::write),

    VERIFY_10("2f 16 ffffffff 1f ffff 00", Access.READ, Effort.TRANSFER, VerifyCommands::verify),
    VERIFY_12("af 16 ffffffff ffffffff 1f 00", Access.READ, Effort.TRANSFER, VerifyCommands::verify),
    VERIFY_16("8f 16 ffffffffffffffff ffffffff 1f 00", Access.READ, Effort.TRANSFER, VerifyCommands::verify),

    WRITE_AND_VERIFY_10("2e 16 ffffffff 1f ffff 00", Access.WRITE, Effort.BULK, VerifyCommands::writeAndVerify),
    WRITE_AND_VERIFY_12("ae 16 ffffffff ffffffff 1f 00", Access.WRITE, Effort.BULK, VerifyCommands::writeAndVerify),
    WRITE_AND_VERIFY_16(
            "8e 16 ffffffffffffffff ffffffff 1f 00", Access.WRITE, Effort.BULK, VerifyCommands::writeAndVerify),

    COMPARE_AND_WRITE(
            "89 18 ffffffffffffffff 000000 ff 1f 00", Access.WRITE, Effort.TRANSFER, AtomicCommands::compareAndWrite),
    ORWRITE_16("8b 18 ffffffffffffffff ffffffff 1f 00", Access.WRITE, Effort.TRANSFER, AtomicCommands::orWrite),
    // No atomic boundaries: there is one atomic unit, and it cannot be divided.
    WRITE_ATOMIC_16(
            "9c 18 ffffffffffffffff 0000 ffff 1f 00", Access.WRITE, Effort.TRANSFER, AtomicCommands::writeAtomic),

    PRE_FETCH_10("34 02 ffffffff 1f ffff 00", Access.READ, Effort.TRANSFER, DataCommands::prefetch),
    PRE_FETCH_16("90 02 ffffffffffffffff ffffffff 1f 00", Access.READ, Effort.TRANSFER, DataCommands::prefetch),

    // SYNC_NV is allowed: data on the medium is more than the data in a non-volatile cache that it asks for.
    SYNCHRONIZE_CACHE_10(
            "35 06 ffffffff 1f ffff 00", Access.CONTROL, Effort.BULK, DataCommands::synchronizeCache, OnMedium.YES),
    SYNCHRONIZE_CACHE_16(
            "91 06 ffffffffffffffff ffffffff 1f 00",
            Access.CONTROL,
            Effort.BULK,
            DataCommands::synchronizeCache,
            OnMedium.YES),

    GET_LBA_STATUS(
            "9e/12 12 ffffffffffffffff ffffffff 00 00",
            Access.CONTROL,
            Effort.TRANSFER,
            ProvisioningCommands::getLbaStatus,
            Needs.THIN,
            UnderReservation.SHARED,
            OnMedium.YES),
    UNMAP("42 00 00000000 1f ffff 00", Access.WRITE, Effort.BULK, ProvisioningCommands::unmap, Needs.THIN),
    WRITE_SAME_10("41 08 ffffffff 1f ffff 00", Access.WRITE, Effort.BULK, ProvisioningCommands::writeSame),
    WRITE_SAME_16("93 09 ffffffffffffffff ffffffff 1f 00", Access.WRITE, Effort.BULK, ProvisioningCommands::writeSame),

    // IMMED and AUSE; a parameter list for OVERWRITE only. No cryptographic erase: nothing is encrypted here.
    SANITIZE_OVERWRITE("48/01 a1 0000000000 ffff 00", Access.WRITE, Effort.WHOLE_MEDIUM, SanitizeCommands::overwrite),
    SANITIZE_BLOCK_ERASE(
            "48/02 a2 0000000000 0000 00", Access.WRITE, Effort.WHOLE_MEDIUM, SanitizeCommands::blockErase, Needs.THIN),
    SANITIZE_EXIT_FAILURE_MODE(
            "48/1f bf 0000000000 0000 00", Access.CONTROL, Effort.BULK, SanitizeCommands::exitFailureMode),

    EXTENDED_COPY_LID1(
            "83/00 00 0000000000000000 ffffffff 00 00", Access.COPY, Effort.BULK, CopyCommands::extendedCopy),
    RECEIVE_COPY_STATUS_LID1(
            "84/00 00 ff 00000000000000 ffffffff 00 00", Access.CONTROL, Effort.REPLY, CopyCommands::copyStatus),
    RECEIVE_COPY_OPERATING_PARAMETERS(
            "84/03 03 ff 00000000000000 ffffffff 00 00",
            Access.CONTROL,
            Effort.REPLY,
            CopyCommands::operatingParameters),
    RECEIVE_COPY_FAILURE_DETAILS_LID1(
            "84/04 04 ff 00000000000000 ffffffff 00 00", Access.CONTROL, Effort.REPLY, CopyCommands::failureDetails),

    MODE_SENSE_6(
            "1a 08 ff ff ff 00",
            Access.CONTROL,
            Effort.REPLY,
            ModeCommands::modeSense,
            UnderReservation.SHARED,
            Reach.STANDBY),
    MODE_SENSE_10(
            "5a 18 ff ff 000000 ffff 00",
            Access.CONTROL,
            Effort.REPLY,
            ModeCommands::modeSense,
            UnderReservation.SHARED,
            Reach.STANDBY),
    MODE_SELECT_6("15 11 0000 ff 00", Access.CONTROL, Effort.BULK, ModeCommands::modeSelect, Reach.STANDBY),
    MODE_SELECT_10("55 11 0000000000 ffff 00", Access.CONTROL, Effort.BULK, ModeCommands::modeSelect, Reach.STANDBY),

    PERSISTENT_RESERVE_IN_READ_KEYS("5e/00 00 0000000000 ffff 00", Effort.REPLY, ReservationCommands::readKeys),
    PERSISTENT_RESERVE_IN_READ_RESERVATION(
            "5e/01 01 0000000000 ffff 00", Effort.REPLY, ReservationCommands::readReservation),
    PERSISTENT_RESERVE_IN_REPORT_CAPABILITIES(
            "5e/02 02 0000000000 ffff 00", Effort.REPLY, ReservationCommands::reportCapabilities),
    PERSISTENT_RESERVE_IN_READ_FULL_STATUS(
            "5e/03 03 0000000000 ffff 00", Effort.REPLY, ReservationCommands::readFullStatus),

    // SCOPE and TYPE are allowed where they are ignored too (SPC-4 table 217).
    PERSISTENT_RESERVE_OUT_REGISTER("5f/00 00 ff 0000 ffffffff 00", Effort.BULK, ReservationCommands::change),
    PERSISTENT_RESERVE_OUT_RESERVE("5f/01 01 ff 0000 ffffffff 00", Effort.BULK, ReservationCommands::change),
    PERSISTENT_RESERVE_OUT_RELEASE("5f/02 02 ff 0000 ffffffff 00", Effort.BULK, ReservationCommands::change),
    PERSISTENT_RESERVE_OUT_CLEAR("5f/03 03 ff 0000 ffffffff 00", Effort.BULK, ReservationCommands::change),
    PERSISTENT_RESERVE_OUT_PREEMPT("5f/04 04 ff 0000 ffffffff 00", Effort.BULK, ReservationCommands::change),
    PERSISTENT_RESERVE_OUT_PREEMPT_AND_ABORT("5f/05 05 ff 0000 ffffffff 00", Effort.BULK, ReservationCommands::change),
    PERSISTENT_RESERVE_OUT_REGISTER_AND_IGNORE_EXISTING_KEY(
            "5f/06 06 ff 0000 ffffffff 00", Effort.BULK, ReservationCommands::change),
    PERSISTENT_RESERVE_OUT_REGISTER_AND_MOVE("5f/07 07 ff 0000 ffffffff 00", Effort.BULK, ReservationCommands::change),

    // The whole logical unit, for the nexus itself: neither extents nor third parties (obsolete since SPC-2).
    RESERVE_6("16 00 0000 00 00", Effort.BULK, ReservationCommands::reserve),
    RELEASE_6("17 00 0000 00 00", Effort.BULK, ReservationCommands::release),
    RESERVE_10("56 00 00 00 000000 0000 00", Effort.BULK, ReservationCommands::reserve),
    RELEASE_10("57 00 00 00 000000 0000 00", Effort.BULK, ReservationCommands::release),

    // No power conditions.
    START_STOP_UNIT(
            "1b 01 00 00 07 00", Access.CONTROL, Effort.BULK, MediumCommands::startStopUnit, UnderReservation.STARTING),
    PREVENT_ALLOW_MEDIUM_REMOVAL(
            "1e 00 0000 01 00",
            Access.CONTROL,
            Effort.REPLY,
            MediumCommands::preventAllow,
            Needs.REMOVABLE,
            UnderReservation.ALLOWING),
    READ_DEFECT_DATA_10(
            "37 00 1f 00000000 ffff 00",
            Access.CONTROL,
            Effort.REPLY,
            MediumCommands::readDefectData,
            UnderReservation.SHARED,
            OnMedium.YES),
    READ_DEFECT_DATA_12(
            "b7 1f ffffffff ffffffff 00 00",
            Access.CONTROL,
            Effort.REPLY,
            MediumCommands::readDefectData,
            UnderReservation.SHARED,
            OnMedium.YES),

    REPORT_TARGET_PORT_GROUPS(
            "a3/0a ea 00000000 ffffffff 00 00",
            Access.CONTROL,
            Effort.REPLY,
            PortGroupCommands::report,
            UnderReservation.FREE,
            Reach.REPORTING),
    SET_TARGET_PORT_GROUPS(
            "a4/0a 0a 00000000 ffffffff 00 00", Access.CONTROL, Effort.REPLY, PortGroupCommands::set, Reach.REPORTING),

    REPORT_SUPPORTED_OPERATION_CODES(
            "a3/0c 0c 87 ff ffff ffffffff 00 00",
            Access.CONTROL,
            Effort.REPLY,
            ReportCommands::supportedOperationCodes,
            UnderReservation.SHARED),
    REPORT_SUPPORTED_TASK_MANAGEMENT_FUNCTIONS(
            "a3/0d 0d 80 000000 ffffffff 00 00",
            Access.CONTROL,
            Effort.REPLY,
            ReportCommands::supportedTaskManagementFunctions,
            UnderReservation.SHARED);

    /**
     * What a row says only where the rule does not hold: nothing is needed, {@link OnMedium#of}, {@link
     * UnderReservation#of}, {@link Reach#of}.
     */
    sealed interface Column permits Needs, OnMedium, UnderReservation, Reach {}

    /** What a logical unit must be for the command to be there. */
    enum Needs implements Column {
        NOTHING,
        /** Thin provisioned: the backend gives discarded space back. */
        THIN,
        /** Its medium can be ejected. */
        REMOVABLE
    }

    /** Whether the command asks for the medium, and is told if it is not there. */
    enum OnMedium implements Column {
        YES,
        NO;

        /** What reads or writes does; EXTENDED COPY asks each logical unit that it names. */
        static OnMedium of(Access access) {
            return access == Access.READ || access == Access.WRITE ? YES : NO;
        }
    }

    /** Executes a command whose CDB has been checked. Completes the task, now or later. */
    @FunctionalInterface
    interface Handler {
        void execute(LogicalUnit unit, ScsiCommand command, ScsiTask task);
    }

    private static final int OPCODES = 256;
    private static final int SERVICE_ACTIONS = 32;

    // The fast forms of the table: one load for most commands, two for those with service actions.
    private static final @Nullable ScsiCommand[] BY_OPCODE = new ScsiCommand[OPCODES];
    private static final @Nullable ScsiCommand[] @Nullable [] BY_SERVICE_ACTION = new ScsiCommand[OPCODES][];

    static {
        for (ScsiCommand command : values()) {
            int opcode = command.usage.opcode();
            int action = command.usage.serviceAction();
            if (action == CdbUsage.NO_SERVICE_ACTION) {
                BY_OPCODE[opcode] = command;
            } else {
                @Nullable ScsiCommand[] actions = BY_SERVICE_ACTION[opcode];
                if (actions == null) {
                    actions = new ScsiCommand[SERVICE_ACTIONS];
                    BY_SERVICE_ACTION[opcode] = actions;
                }
                actions[action] = command;
            }
        }
    }

    // Immutable in fact: the checker knows neither our own classes nor method references.
    @SuppressWarnings("ImmutableEnumChecker")
    private final CdbUsage usage;

    private final Access access;
    private final Effort effort;
    private final Needs needs;
    private final OnMedium onMedium;
    private final UnderReservation underReservation;
    private final Reach reach;

    @SuppressWarnings("ImmutableEnumChecker")
    private final Handler handler;

    ScsiCommand(String usage, Access access, Effort effort, Handler handler, Column... columns) {
        this.usage = new CdbUsage(usage);
        this.access = access;
        this.effort = effort;
        this.handler = handler;
        Needs itsNeeds = Needs.NOTHING;
        OnMedium itsMedium = OnMedium.of(access);
        UnderReservation itsReservation = UnderReservation.of(access);
        Reach itsReach = Reach.of(access);
        for (Column column : columns) {
            if (column instanceof Needs given) {
                itsNeeds = given;
            } else if (column instanceof OnMedium given) {
                itsMedium = given;
            } else if (column instanceof UnderReservation given) {
                itsReservation = given;
            } else if (column instanceof Reach given) {
                itsReach = given;
            }
        }
        needs = itsNeeds;
        onMedium = itsMedium;
        underReservation = itsReservation;
        reach = itsReach;
    }

    /** A command on reservations. */
    ScsiCommand(String usage, Effort effort, Handler handler) {
        this(usage, Access.CONTROL, effort, handler, UnderReservation.BY_ITSELF, Reach.STANDBY);
    }

    /** Makes this table, and that of the INQUIRY pages, which the first command would have to wait for. Thread-safe. */
    public static void prepare() {
        VpdPage.withCode(VpdPage.SUPPORTED_PAGES.code());
    }

    /** The command this CDB asks for, or null if there is none. Allocates nothing. */
    public static @Nullable ScsiCommand of(byte[] cdb) {
        int opcode = cdb[0] & 0xff;
        ScsiCommand command = BY_OPCODE[opcode];
        if (command != null) {
            return command;
        }
        @Nullable ScsiCommand[] actions = BY_SERVICE_ACTION[opcode];
        return actions == null ? null : actions[cdb[1] & 0x1f];
    }

    /**
     * What this CDB does to the medium; {@link Access#CONTROL} for one that is not known, since it will be refused.
     * For transports, which hold back what {@linkplain Access#modifiesMedium() modifies the medium}. Allocates nothing.
     */
    public static Access accessOf(byte[] cdb) {
        ScsiCommand command = of(cdb);
        return command == null ? Access.CONTROL : command.access;
    }

    /**
     * True if a part of it may be done before the rest of its data has come: a WRITE promises nothing of its blocks before it
     * has ended, and may leave some of them written when it fails. The others that write compare, are atomic, or are rare.
     */
    boolean takesDataEarly() {
        return switch (this) {
            case WRITE_6, WRITE_10, WRITE_12, WRITE_16 -> true;
            default -> false;
        };
    }

    /** The command with this operation code and no service actions, or null. */
    static @Nullable ScsiCommand withOpcode(int opcode) {
        return BY_OPCODE[opcode];
    }

    /** The command with this operation code and service action, or null. */
    static @Nullable ScsiCommand withServiceAction(int opcode, int serviceAction) {
        @Nullable ScsiCommand[] actions = BY_SERVICE_ACTION[opcode];
        return actions == null || serviceAction >= SERVICE_ACTIONS ? null : actions[serviceAction];
    }

    static boolean hasServiceActions(int opcode) {
        return BY_SERVICE_ACTION[opcode] != null;
    }

    public Access access() {
        return access;
    }

    /** Length of the CDB in bytes. */
    public int cdbLength() {
        return usage.length();
    }

    /** The name the standards use, such as {@code READ (16)}. */
    public String title() {
        String words = name().replaceFirst("_(6|10|12|16)$", " ($1)").replace('_', ' ');
        return words.replace("PRE FETCH", "PRE-FETCH")
                .replace(" LID1", " (LID1)")
                .toUpperCase(Locale.ROOT);
    }

    CdbUsage usage() {
        return usage;
    }

    Effort effort() {
        return effort;
    }

    Needs needs() {
        return needs;
    }

    boolean needsMedium() {
        return onMedium == OnMedium.YES;
    }

    UnderReservation underReservation() {
        return underReservation;
    }

    Reach reach() {
        return reach;
    }

    Handler handler() {
        return handler;
    }
}
