package io.holdfast.scsi;

import io.holdfast.block.BlockBackend;
import io.holdfast.block.BlockError;
import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A direct-access block device (SBC-3) on a {@link BlockBackend}.
 *
 * <p>Thread-safe: the event loops of several connections execute tasks at the same time. What they share is small: the
 * mode parameters (an immutable value, replaced under {@link #modeLock}), the unit attentions of each nexus (a bit set
 * in an atomic), the capacity last seen (an atomic). A task itself belongs to its lane's thread.
 *
 * <p>Data-Out that does not fit its CDB: what is beyond the CDB's length is ignored. Where less has come, WRITE writes
 * the whole blocks that came and answers GOOD, and the transport's overflow residual tells how much is missing, as LIO
 * and tgt do; a fragment of a block is refused with nothing written. Commands whose answer would be a lie about what is
 * missing (VERIFY, WRITE SAME) are refused, and parameter lists answer PARAMETER LIST LENGTH ERROR.
 */
public final class LogicalUnit implements DeviceServer {
    private static final Logger LOG = LoggerFactory.getLogger(LogicalUnit.class);

    private final LogicalUnitIdentity identity;
    private final BlockBackend backend;
    private final int blockShift;
    private final ModeParameters defaultModes;
    private final Set<TaskManagementFunction> taskManagement;

    private final Object modeLock = new Object();
    private volatile ModeParameters modes;

    private final UnitAttentions attentions = new UnitAttentions(this);
    private final AtomicLong capacityBlocks;

    private final RangeLock ranges = new RangeLock();
    private final boolean removable;
    private final RemovableMedium medium = new RemovableMedium();
    private final CopyUses copyUses = new CopyUses();
    private final CopyUses sanitizeUses = new CopyUses();
    private final CopyUses proofUses = new CopyUses();
    private volatile boolean retiring;
    private final CopyRecords copyRecords = new CopyRecords();
    private final StorageHealth health;
    private final StorageListener storage;
    private final UnitReservations reservations;
    private final AtomicReference<TargetPortGroups> portGroups;
    private final Sanitizer sanitizer;

    private LogicalUnit(Builder builder) {
        identity = builder.identity;
        backend = builder.backend;
        blockShift = Integer.numberOfTrailingZeros(builder.blockBytes);
        defaultModes = builder.modes;
        modes = builder.modes;
        taskManagement = builder.taskManagement;
        removable = builder.removable;
        health = new StorageHealth(backend.describe(), System::nanoTime);
        storage = builder.storage;
        capacityBlocks = new AtomicLong(backend.sizeBytes() >> blockShift);
        reservations = new UnitReservations(this, builder.reservations);
        portGroups = new AtomicReference<>(builder.portGroups);
        sanitizer = new Sanitizer(this, builder.sanitizing);
    }

    /** A logical unit of 512-byte blocks with a volatile write cache (the host's page cache). */
    public static Builder builder(LogicalUnitIdentity identity, BlockBackend backend) {
        return new Builder(identity, backend);
    }

    /** Collects what a logical unit is made of. */
    public static final class Builder {
        private final LogicalUnitIdentity identity;
        private final BlockBackend backend;
        private int blockBytes = 512;
        private ModeParameters modes = ModeParameters.writeBack();
        private Set<TaskManagementFunction> taskManagement =
                Set.of(TaskManagementFunction.ABORT_TASK, TaskManagementFunction.ABORT_TASK_SET);
        private ReservationStore reservations = ReservationStore.inMemory();
        private SanitizeStore sanitizing = SanitizeStore.inMemory();
        private boolean removable;
        private TargetPortGroups portGroups = TargetPortGroups.of(List.of(1));
        private StorageListener storage = StorageListener.NONE;

        private Builder(LogicalUnitIdentity identity, BlockBackend backend) {
            this.identity = identity;
            this.backend = backend;
        }

        /**
         * Logical block length.
         *
         * @throws IllegalArgumentException if it is neither 512 nor 4096
         */
        public Builder blockBytes(int bytes) {
            if (bytes != 512 && bytes != 4096) {
                throw new IllegalArgumentException("logical blocks of " + bytes + " bytes: must be 512 or 4096");
            }
            blockBytes = bytes;
            return this;
        }

        /** Initiators may eject and load the medium. */
        public Builder removable() {
            removable = true;
            return this;
        }

        /** Starts with WCE=0: every write is durable before it is acknowledged. */
        public Builder writeThrough() {
            modes = ModeParameters.writeThrough();
            return this;
        }

        /**
         * What the transports do of task management, if it is not ABORT TASK and ABORT TASK SET; REPORT SUPPORTED TASK
         * MANAGEMENT FUNCTIONS says so.
         */
        public Builder taskManagement(Set<TaskManagementFunction> functions) {
            taskManagement = Set.copyOf(functions);
            return this;
        }

        /** Where persistent reservations are kept, if they are to outlive the process. */
        public Builder reservations(ReservationStore store) {
            reservations = store;
            return this;
        }

        /**
         * Where it is kept that the unit is being sanitized, if that is to outlive the process. {@link #resumeSanitizing} is to
         * be called then.
         */
        public Builder sanitizing(SanitizeStore store) {
            sanitizing = store;
            return this;
        }

        /** Who hears when the storage fails or hangs. */
        public Builder storageListener(StorageListener listener) {
            storage = listener;
            return this;
        }

        /**
         * The target ports through which the logical unit is reached, if it is not port 1 alone: their relative
         * identifiers. Each is a target port group of its own.
         */
        public Builder targetPorts(Collection<Integer> ports) {
            portGroups = TargetPortGroups.of(ports);
            return this;
        }

        /** @throws IllegalArgumentException if the backend does not hold a single block */
        public LogicalUnit build() {
            if (backend.sizeBytes() < blockBytes) {
                throw new IllegalArgumentException(backend.describe() + " has " + backend.sizeBytes()
                        + " bytes: must be at least one block of " + blockBytes);
            }
            long beyond = backend.sizeBytes() % blockBytes;
            if (beyond != 0) {
                LOG.warn(
                        "{}: its last {} bytes are no whole block of {}; initiators cannot reach them",
                        backend.describe(),
                        beyond,
                        blockBytes);
            }
            return new LogicalUnit(this);
        }
    }

    @Override
    public void execute(ScsiTask task) {
        Execution execution = task.execution();
        execution.begin(task, this);
        try {
            dispatch(task, execution);
        } catch (RuntimeException | Error e) {
            execution.broken(e);
        }
    }

    // Everything that dispatch() looks at is looked at here too, for every piece of the data, and nothing is said of
    // it.
    @Override
    public int takeData(ScsiTask task, IoMemory data, int lengthBytes) {
        ScsiCommand command = ScsiCommand.of(task.cdb());
        if (command == null || !command.takesDataEarly() || !admitsNow(command, task)) {
            return 0;
        }
        return DataCommands.writeEarly(this, command, task, data, lengthBytes);
    }

    private boolean admitsNow(ScsiCommand command, ScsiTask task) {
        noticeCapacity();
        return !attentions.pending(task.nexus())
                && admits(command, task)
                && command.usage().allows(task.cdb())
                && writeProtection(task) == null;
    }

    @Override
    public void terminate(ScsiTask task, SenseCode why) {
        Execution execution = task.execution();
        execution.begin(task, this);
        execution.fail(why);
    }

    @Override
    public long memoryBytes(byte[] cdb) {
        ScsiCommand command = ScsiCommand.of(cdb);
        return command == null ? 0 : TaskMemory.bytes(command, cdb, blockShift);
    }

    // The order is the standard's: what is not there, what the nexus must hear first, what is wrong with the CDB,
    // what is not allowed now (SAM-5 §5.3.3, SPC-4 §5.15). A reservation comes before the CDB, as in other targets: who
    // is
    // kept out learns nothing else.
    private void dispatch(ScsiTask task, Execution execution) {
        byte[] cdb = task.cdb();
        ScsiCommand command = ScsiCommand.of(cdb);
        if (command == null || !supports(command)) {
            execution.fail(unknown(cdb));
            return;
        }
        execution.command(command);
        Access access = command.access();
        if (access != Access.IDENTIFY) {
            SenseCode attention = nextAttention(task.nexus());
            if (attention != null) {
                execution.fail(attention);
                return;
            }
            Sense sanitizing = sanitizer.complaint(command);
            if (sanitizing != null) {
                execution.fail(sanitizing);
                return;
            }
        }
        TargetPortGroups ports = portGroups();
        if (!ports.allActive()) {
            AccessState state = ports.at(task.nexus().relativeTargetPort());
            if (!state.reach().includes(command.reach())) {
                execution.fail(state.complaint());
                return;
            }
        }
        if (reservations.conflict(command, task)) {
            execution.answer(ScsiStatus.RESERVATION_CONFLICT);
            return;
        }
        if (!command.usage().allows(cdb)) {
            execution.fail(command.usage().complaint(cdb));
            return;
        }
        if (command.needsMedium() && !mediumPresent()) {
            execution.fail(SenseCode.MEDIUM_NOT_PRESENT);
            return;
        }
        if (access == Access.WRITE) {
            SenseCode protection = writeProtection(task);
            if (protection != null) {
                execution.fail(protection);
                return;
            }
        }
        command.handler().execute(this, command, task);
    }

    private static Sense unknown(byte[] cdb) {
        // An operation code that is known by its other service actions: the service action is the wrong field.
        return ScsiCommand.hasServiceActions(cdb[0] & 0xff)
                ? Sense.inCdb(1, 4)
                : Sense.of(SenseCode.INVALID_COMMAND_OPERATION_CODE);
    }

    boolean supports(ScsiCommand command) {
        return switch (command.needs()) {
            case NOTHING -> true;
            case THIN -> thin();
            case REMOVABLE -> removable;
        };
    }

    private @Nullable SenseCode writeProtection(ScsiTask task) {
        if (backend.readOnly() || task.readOnly()) {
            return SenseCode.WRITE_PROTECTED;
        }
        return modes.softwareWriteProtect() ? SenseCode.SOFTWARE_WRITE_PROTECTED : null;
    }

    // ---- what the commands ask

    public LogicalUnitIdentity identity() {
        return identity;
    }

    BlockBackend backend() {
        return backend;
    }

    RangeLock ranges() {
        return ranges;
    }

    /** RMB: the medium can be ejected. */
    boolean removable() {
        return removable;
    }

    RemovableMedium medium() {
        return medium;
    }

    /** Tells every other nexus that the medium may be another one; who loaded it knows, as with MODE SELECT. */
    void mediumLoaded(Nexus by) {
        attentions.establish(SenseCode.MEDIUM_MAY_HAVE_CHANGED, nexus -> nexus != by);
    }

    boolean mediumPresent() {
        return medium.present();
    }

    /**
     * Takes the unit away for good: a sanitizing stops after its piece and goes on when the unit is served again. Runs {@code
     * done} when no copy of anybody's reads or writes it any more, nor a proof, nor is it sanitized, on any thread, perhaps before
     * this method returns. For whoever has hidden it from all copies and wants to close its backend.
     */
    public void retire(Runnable done) {
        retiring = true;
        copyUses.awaitIdle(() -> sanitizeUses.awaitIdle(() -> proofUses.awaitIdle(done)));
    }

    /**
     * True once it is taken away. Whoever begins to sanitize it enters {@link #sanitizeUses}, then asks; whoever proves it enters
     * {@link #proofUses}.
     */
    boolean retiring() {
        return retiring;
    }

    /** The sanitizing of this logical unit, from before its command is answered until it works on the medium no more. */
    CopyUses sanitizeUses() {
        return sanitizeUses;
    }

    /** The copies that work on this logical unit at this moment. */
    CopyUses copyUses() {
        return copyUses;
    }

    /**
     * The proofs of this logical unit. Nobody but {@link #retire} waits for them: they belong to no initiator that may lose the
     * unit, and their commands give way to sanitizing as any other's, so that those who prove it again and again hold up neither.
     */
    CopyUses proofUses() {
        return proofUses;
    }

    /** The copies that were asked of this logical unit. */
    CopyRecords copyRecords() {
        return copyRecords;
    }

    /** True if what is done on behalf of this task, but not by executing it, may do here what that command would. */
    boolean admits(ScsiCommand as, ScsiTask task) {
        AccessState state = portGroups().at(task.nexus().relativeTargetPort());
        return mediumPresent()
                && sanitizer.complaint() == null
                && state.reach().includes(as.reach())
                && !reservations.conflict(as, task);
    }

    /** True if nobody may write here. */
    boolean protectedFromCopies() {
        return backend.readOnly() || modes.softwareWriteProtect();
    }

    int blockShift() {
        return blockShift;
    }

    /** Logical block length in bytes. */
    public int blockBytes() {
        return 1 << blockShift;
    }

    /** Capacity in logical blocks; bytes behind the last whole block are out of reach. */
    public long blocks() {
        return backend.sizeBytes() >> blockShift;
    }

    /** Log2 of logical blocks per physical block: the page cache works in pages of 4096 bytes. */
    int blocksPerPhysicalExponent() {
        boolean wholePages = (backend.sizeBytes() & 4095) == 0;
        return wholePages ? Math.max(0, 12 - blockShift) : 0;
    }

    /** True if UNMAP frees space. */
    boolean thin() {
        return backend.discards() && !backend.readOnly();
    }

    Sanitizer sanitizer() {
        return sanitizer;
    }

    /** Goes on with the sanitizing that was under way when the unit was served last, if it was. Once, after the start. */
    public void resumeSanitizing(IoLane lane) {
        sanitizer.resume(lane);
    }

    UnitReservations reservations() {
        return reservations;
    }

    /** The target ports, and how they let commands in at this moment. */
    TargetPortGroups portGroups() {
        return Objects.requireNonNull(portGroups.get());
    }

    /**
     * Replaces the access states, and tells every other nexus (SPC-4 §6.41).
     *
     * @return false if they are not {@code expected} any more, and nothing has been changed
     */
    boolean changePortGroups(TargetPortGroups expected, TargetPortGroups chosen, @Nullable Nexus by) {
        if (!portGroups.compareAndSet(expected, chosen)) {
            return false;
        }
        attentions.establish(SenseCode.ASYMMETRIC_ACCESS_STATE_CHANGED, nexus -> nexus != by);
        return true;
    }

    /**
     * Changes the access state of a target port group for a reason of the target's own (implicit, SPC-4 §5.15.2.8). Every
     * nexus hears of it. Commands that have begun go on.
     *
     * @throws IllegalArgumentException if there is no such group
     */
    public void accessState(int group, AccessState state) {
        TargetPortGroups before;
        TargetPortGroups after;
        do {
            before = portGroups();
            if (before.group(group) == null) {
                throw new IllegalArgumentException("no target port group " + group);
            }
            if (before.at(group) == state) {
                return;
            }
            after = before.with(group, state, TargetPortGroups.Change.BY_TARGET);
        } while (!changePortGroups(before, after, null));
    }

    /** True if whoever sent this task may not write. */
    boolean writeProtected(ScsiTask task) {
        return writeProtection(task) != null;
    }

    ModeParameters modes() {
        return modes;
    }

    ModeParameters defaultModes() {
        return defaultModes;
    }

    Set<TaskManagementFunction> taskManagement() {
        return taskManagement;
    }

    Sense.Format senseFormat() {
        return modes.descriptorSense() ? Sense.Format.DESCRIPTOR : Sense.Format.FIXED;
    }

    /**
     * Replaces the mode parameters and tells every other nexus (SPC-4 §6.9.1).
     *
     * @return false if they are not {@code expected} any more: somebody else was quicker, and nothing has been changed
     */
    boolean changeModes(ModeParameters expected, ModeParameters chosen, Nexus by) {
        synchronized (modeLock) {
            if (modes != expected) {
                return false;
            }
            modes = chosen;
        }
        attentions.establish(SenseCode.MODE_PARAMETERS_CHANGED, nexus -> nexus != by);
        return true;
    }

    /** TAS: a task that another nexus ended is answered with TASK ABORTED (SAM-5 §5.7), not left without an answer. */
    public boolean tellsAbortedTasks() {
        return modes.taskAbortedStatus();
    }

    // ---- unit attentions

    /** Takes the unit attention a nexus must hear next (SAM-5 §5.14), or null. */
    @Nullable
    SenseCode nextAttention(Nexus nexus) {
        noticeCapacity();
        return attentions.next(nexus);
    }

    /** Drops one unit attention of a nexus, which has just got the news in another way. */
    void clearAttention(Nexus nexus, SenseCode code) {
        attentions.clear(nexus, code);
    }

    /** Establishes a unit attention for the sessions of one nexus; who is away hears of a power on when he is back. */
    void attention(SenseCode code, NexusName name) {
        attentions.establish(code, nexus -> nexus.name().equals(name));
    }

    /** Establishes a unit attention for one session, whether or not it has sent a command yet. */
    void attention(SenseCode code, Nexus nexus) {
        attentions.establish(code, nexus);
    }

    /** The initiator ports that are logged in and meant. */
    Set<String> knownInitiatorPorts(TransportId id) {
        return attentions.nexuses().stream()
                .map(Nexus::initiatorPort)
                .filter(id::names)
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Ends the tasks of these nexuses here, and runs {@code done}, on any thread, when they have ended. */
    void abortTasks(Set<NexusName> names, Runnable done) {
        // One more than there are, so that it cannot reach zero before all have been asked.
        AtomicInteger unfinished = new AtomicInteger(1);
        Runnable oneDone = () -> {
            if (unfinished.decrementAndGet() == 0) {
                done.run();
            }
        };
        for (Nexus nexus : attentions.nexuses()) {
            if (names.contains(nexus.name())) {
                unfinished.incrementAndGet();
                nexus.transport().abortTasksAt(this, oneDone);
            }
        }
        oneDone.run();
    }

    /** Another nexus has ended commands of this one, which are not answered (TAS=0). */
    public void commandsCleared(Nexus nexus) {
        attentions.establish(SenseCode.COMMANDS_CLEARED_BY_ANOTHER_INITIATOR, each -> each == nexus);
    }

    /** Establishes a unit attention for every nexus that has been seen. */
    public void attention(SenseCode code) {
        attentions.establish(code, nexus -> true);
    }

    /** A logical unit reset (SAM-5 §6.3.3): mode parameters are the default ones again, and every nexus hears of it. */
    public void reset() {
        synchronized (modeLock) {
            modes = defaultModes;
        }
        reservations.reset();
        medium.reset();
        attention(SenseCode.LOGICAL_UNIT_RESET);
    }

    /** Forgets a nexus, after its last task. Called by {@link Nexus#end()}. */
    void nexusLost(Nexus nexus) {
        attentions.forget(nexus);
        copyRecords.forget(nexus);
        medium.allow(nexus);
        reservations.nexusLost(nexus);
    }

    /** For tests and for people: how many nexuses have something kept for them here. */
    int knownNexuses() {
        return attentions.nexuses().size();
    }

    private void noticeCapacity() {
        long now = blocks();
        long before = capacityBlocks.get();
        if (now != before && capacityBlocks.compareAndSet(before, now)) {
            if (now < before) {
                LOG.warn(
                        "{} has {} bytes now, {} before: what was cut off is lost to initiators",
                        backend.describe(),
                        now * blockBytes(),
                        before * blockBytes());
            } else {
                LOG.info(
                        "{} has {} bytes now, {} before.",
                        backend.describe(),
                        now * blockBytes(),
                        before * blockBytes());
            }
            attention(SenseCode.CAPACITY_DATA_CHANGED);
        }
    }

    // ---- the storage's health

    /** What an initiator is told about a failure of the backend. */
    Sense failed(BlockError failure, Access access, long lba) {
        health.failed(failure);
        storage.failed(failure);
        SenseCode code = SenseCode.of(failure.kind(), access);
        return code.key() == SenseKey.MEDIUM_ERROR || code == SenseCode.LBA_OUT_OF_RANGE
                ? Sense.atLba(code, lba)
                : Sense.of(code);
    }

    void succeeded() {
        health.succeeded();
    }

    @Override
    public void overdue(int change) {
        storage.overdue(change);
    }

    @Override
    public String toString() {
        return "logical unit " + identity.uuid() + " on " + backend.describe();
    }
}
