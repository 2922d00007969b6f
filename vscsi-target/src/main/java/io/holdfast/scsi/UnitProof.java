package io.holdfast.scsi;

import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import io.holdfast.block.PlainMemory;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out for somebody who may not log in whether a logical unit is the one meant, and reads and writes: commands of a nexus
 * that belongs to nobody, carried out as an initiator's are.
 *
 * <pre>
 *   identity ──► READ of the first block ──► size ──► COMPARE AND WRITE of it with itself (FUA) ──► answer
 *                  └──(RESERVATION CONFLICT)──► who holds it? ◄──┘
 * </pre>
 *
 * <p>The write changes nothing, whoever else writes meanwhile: another content is a miscompare, which proves as much. Where one of
 * the initiators it is done for is registered and let in, it is done under that registration.
 *
 * <p>Belongs to the thread of its lane; begun and given up from any. The unit is not taken away while it lasts.
 */
public final class UnitProof {
    private static final Logger LOG = LoggerFactory.getLogger(UnitProof.class);
    /** A unit that was reset and resized has more than one to tell, to a nexus that is new besides. */
    private static final int MAX_ATTENTIONS = 8;

    /** Initiators have names with dots in them. */
    private static final String NOBODY = "proof";

    private static final byte FUA = 0x08;

    /**
     * What the unit must be.
     *
     * @param sizeBytes what it must have at least
     * @param readOnly whether it need not take writes
     * @param initiators names of those it is proved for, whose reservations are no obstacle
     */
    public record Wanted(UUID uuid, long sizeBytes, boolean readOnly, Set<String> initiators) {
        public Wanted {
            initiators = initiators.stream()
                    .map(name -> name.toLowerCase(Locale.ROOT))
                    .collect(Collectors.toUnmodifiableSet());
        }
    }

    private final LogicalUnit unit;
    private final Wanted wanted;
    private final IoLane lane;
    private final Consumer<String> answer;
    private volatile boolean givenUp;
    private final AtomicBoolean ended = new AtomicBoolean();
    private @Nullable Task task;
    private boolean repeated;
    private boolean counted;

    private UnitProof(LogicalUnit unit, Wanted wanted, IoLane lane, Consumer<String> answer) {
        this.unit = unit;
        this.wanted = wanted;
        this.lane = lane;
        this.answer = answer;
    }

    /**
     * @param answer called once, on the lane's thread, when no command of it runs any more: with why the unit is not fit, or empty
     *     if it is
     */
    public static UnitProof begin(LogicalUnit unit, Wanted wanted, IoLane lane, Consumer<String> answer) {
        UnitProof proof = new UnitProof(unit, wanted, lane, answer);
        proof.enter();
        proof.next(proof::identify);
        return proof;
    }

    /** One that comes when the unit is taken away already is not waited for: it ends without a command. */
    private void enter() {
        counted = !unit.retiring();
        if (counted) {
            unit.proofUses().enter();
        }
    }

    private void leave() {
        if (counted) {
            unit.proofUses().leave();
        }
    }

    /** Nobody waits for the answer any more: it ends with the command that is under way. From any thread. */
    public void giveUp() {
        givenUp = true;
    }

    private void next(Runnable step) {
        try {
            lane.execute(() -> {
                try {
                    step.run();
                } catch (RuntimeException | Error e) {
                    LOG.error("{} cannot be proved", unit, e);
                    end("the server fails to prove it: " + e);
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("{} is not proved: its lane's thread has ended", unit, e);
            end("the server stops");
        } catch (RuntimeException e) {
            LOG.error("{} cannot be proved", unit, e);
            end("the server fails to prove it: " + e);
        }
    }

    private void identify() {
        if (unit.retiring()) {
            end("it is not served any more");
        } else if (!unit.identity().uuid().equals(wanted.uuid())) {
            end("that is another unit, " + unit.identity().uuid() + " instead of " + wanted.uuid());
        } else {
            beginCommands();
        }
    }

    private void beginCommands() {
        leaveNexus();
        Task first = new Task(nexus());
        task = first;
        first.read();
    }

    /**
     * One whose registration is let in at a port that takes commands; while somebody holds the unit, one at another port if there
     * is none, which is told so; or else nobody.
     */
    private Nexus nexus() {
        TargetPortGroups ports = unit.portGroups();
        PersistentReservations held = unit.reservations().persistent();
        NexusName waiting = null;
        for (NexusName name : held.registrations().keySet()) {
            if (wanted.initiators().contains(initiator(name.initiatorPort())) && held.admits(name)) {
                if (ports.at(name.relativeTargetPort()).reach() == Reach.ALL) {
                    return new Nexus(name.initiatorPort(), NOBODY, name.relativeTargetPort());
                }
                waiting = name;
            }
        }
        if (waiting != null && held.reservation() != null) {
            return new Nexus(waiting.initiatorPort(), NOBODY, waiting.relativeTargetPort());
        }
        List<TargetPortGroups.Group> groups = ports.groups();
        int port = groups.stream()
                .filter(group -> group.state().reach() == Reach.ALL)
                .findFirst()
                .orElse(groups.get(0))
                .number();
        return new Nexus(NOBODY, NOBODY, port);
    }

    private void readEnded(Task done) {
        if (ended(done, "a read")) {
            return;
        }
        // Not before the read: an image that is not open yet has the size that was announced.
        long sizeBytes = unit.backend().sizeBytes();
        if (sizeBytes < wanted.sizeBytes()) {
            end("it has " + sizeBytes + " bytes, and had " + wanted.sizeBytes());
        } else if (wanted.readOnly()) {
            end("");
        } else {
            done.compareAndWrite();
        }
    }

    private void writeEnded(Task done) {
        if (!ended(done, "a durable write")) {
            end("");
        }
    }

    /** Whether the proof is over with this command, or the command is sent again. */
    private boolean ended(Task done, String what) {
        if (givenUp) {
            end("nobody waits for it any more");
            return true;
        }
        switch (done.status()) {
            case GOOD -> {
                return false;
            }
            case RESERVATION_CONFLICT -> {
                String holder = unit.reservations().holderAgainst(wanted.initiators());
                if (holder.isEmpty() && !repeated) {
                    // It has been released meanwhile, or has come to those it is proved for.
                    repeated = true;
                    beginCommands();
                } else {
                    // Kept out by nobody, twice: one of them holds it by RESERVE, for a session of its own.
                    end(holder.isEmpty() ? "" : "it is reserved by " + holder);
                }
            }
            case CHECK_CONDITION -> complained(done, what);
            default ->
                end(what
                        + String.format(
                                " is answered with status %02xh", done.status().code()));
        }
        return true;
    }

    private void complained(Task done, String what) {
        SenseCode code = Sense.code(done.sense());
        if (code.key() == SenseKey.UNIT_ATTENTION && ++done.attentions <= MAX_ATTENTIONS) {
            done.again();
        } else if (code == SenseCode.MISCOMPARE_DURING_VERIFY) {
            end("");
        } else if (code == SenseCode.SANITIZE_IN_PROGRESS || code == SenseCode.SANITIZE_COMMAND_FAILED) {
            // No failure of the storage: a VM must not stand still for the hours that takes.
            LOG.info("{}: it is sanitized ({}), and taken as fit", unit, code);
            end("");
        } else {
            end(what
                    + String.format(
                            " is answered with sense %xh/%02xh/%02xh",
                            code.key().code(), code.asc(), code.ascq()));
        }
    }

    /** Once: also if what it sets going fails, and is told of here. */
    private void end(String objection) {
        if (!ended.compareAndSet(false, true)) {
            return;
        }
        try {
            leaveNexus();
        } finally {
            try {
                leave();
            } finally {
                answer.accept(objection);
            }
        }
    }

    private void leaveNexus() {
        Task last = task;
        task = null;
        if (last != null) {
            last.nexus().end();
        }
    }

    /** The name in an initiator port's name (RFC 7143 §4.2.7.1), in lower case. */
    static String initiator(String initiatorPort) {
        int isid = initiatorPort.indexOf(",i,0x");
        return (isid < 0 ? initiatorPort : initiatorPort.substring(0, isid)).toLowerCase(Locale.ROOT);
    }

    /** Its commands, one after the other. */
    private final class Task extends ScsiTask {
        private final Nexus nexus;
        private final LunView view = new FixedLunView(Map.of(0, unit));
        private final IoMemory first = new PlainMemory(new byte[unit.blockBytes()]);
        private @Nullable IoMemory sent;
        private boolean writing;
        private int attentions;

        Task(Nexus nexus) {
            this.nexus = nexus;
        }

        void read() {
            cdb()[0] = (byte) 0x88; // READ (16), SBC-3 §5.11
            cdb()[13] = 1;
            again();
        }

        void compareAndWrite() {
            writing = true;
            byte[] twice = new byte[2 * first.length()];
            first.buffer().get(twice, 0, first.length());
            first.buffer().get(twice, first.length(), first.length());
            sent = new PlainMemory(twice);
            cdb()[0] = (byte) 0x89; // COMPARE AND WRITE, SBC-3 §5.2
            cdb()[1] = FUA;
            again();
        }

        void again() {
            reset();
            unit.execute(this);
        }

        @Override
        public void completed() {
            next(() -> {
                if (writing) {
                    writeEnded(this);
                } else {
                    readEnded(this);
                }
            });
        }

        @Override
        public boolean aborted() {
            return givenUp;
        }

        @Override
        public Nexus nexus() {
            return nexus;
        }

        @Override
        public LunView lunView() {
            return view;
        }

        @Override
        public IoLane lane() {
            return lane;
        }

        @Override
        public @Nullable IoMemory dataOut() {
            return sent;
        }

        @Override
        public long dataInRoom() {
            return first.length();
        }

        @Override
        protected IoMemory newDataIn(int lengthBytes) {
            return writing ? new PlainMemory(new byte[lengthBytes]) : first;
        }
    }
}
