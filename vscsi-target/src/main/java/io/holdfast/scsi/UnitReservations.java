package io.holdfast.scsi;

import io.holdfast.block.IoQueue;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reservations of one logical unit: the persistent ones, as its {@link ReservationStore} has them, and the one that
 * RESERVE makes, which ends with the nexus or a reset (SPC-2 §5.5.1).
 *
 * <p>Thread-safe. Commands that change them take turns, in the order of their arrival; a turn may last as long as the
 * store needs to make the change durable. Checks of other commands read two volatile fields and wait for nobody.
 */
final class UnitReservations {
    private static final Logger LOG = LoggerFactory.getLogger(UnitReservations.class);

    /** How often a change is tried against a store that somebody else changes too. */
    private static final int MAX_ATTEMPTS = 16;

    private final LogicalUnit unit;
    private final ReservationStore store;
    /** Its calls to the store: a state directory that hangs holds up neither the disk nor another unit. */
    private final IoQueue storing = new IoQueue();

    private volatile PersistentReservations persistent;
    private final AtomicReference<@Nullable Nexus> reservedBy = new AtomicReference<>();

    private final Queue<Turn> waiting = new ArrayDeque<>(); // guarded by itself, as is taken
    private boolean taken;

    UnitReservations(LogicalUnit unit, ReservationStore store) {
        this.unit = unit;
        this.store = store;
        persistent = store.current();
    }

    /** True if a command must be answered with RESERVATION CONFLICT. Allocates nothing. */
    boolean conflict(ScsiCommand command, ScsiTask task) {
        Nexus reserver = reservedBy.get();
        PersistentReservations present = persistent;
        PersistentReservations.Reservation held = present.reservation();
        if (reserver == null && held == null) {
            return false;
        }
        UnderReservation rule = command.underReservation();
        if (reserver != null && reserver != task.nexus() && rule.conflictsWithReserve(task.cdb())) {
            return true;
        }
        return held != null
                && rule.conflictsWith(held.type(), task.cdb())
                && !present.admits(task.nexus().name());
    }

    PersistentReservations persistent() {
        return persistent;
    }

    /**
     * Who keeps every one of these initiators out.
     *
     * @param initiators iSCSI names, in lower case
     * @return the name of the initiator that holds the unit; empty if one of them does, or nobody
     */
    String holderAgainst(Set<String> initiators) {
        Nexus reserver = reservedBy.get();
        if (reserver != null) {
            String name = UnitProof.initiator(reserver.initiatorPort());
            return initiators.contains(name) ? "" : name;
        }
        PersistentReservations present = persistent;
        PersistentReservations.Reservation held = present.reservation();
        boolean letIn = present.registrations().keySet().stream()
                .anyMatch(
                        name -> initiators.contains(UnitProof.initiator(name.initiatorPort())) && present.admits(name));
        if (held == null || letIn) {
            return "";
        }
        NexusName holder = held.holder();
        // Where all registrants hold it, one speaks for them.
        NexusName named =
                holder == null ? present.registrations().keySet().iterator().next() : holder;
        return UnitProof.initiator(named.initiatorPort());
    }

    boolean durable() {
        return store.durable();
    }

    /** True while RESERVE holds the logical unit. Persistent reservations are then out of everybody's reach. */
    boolean reserved() {
        return reservedBy.get() != null;
    }

    /** A logical unit reset. */
    void reset() {
        reservedBy.set(null);
    }

    void nexusLost(Nexus nexus) {
        reservedBy.compareAndSet(nexus, null);
    }

    // ---- turns

    private static final class Turn {
        private final ScsiTask task;
        private final Consumer<Turn> work;
        private boolean ended;

        Turn(ScsiTask task, Consumer<Turn> work) {
            this.task = task;
            this.work = work;
        }
    }

    private void takeTurn(ScsiTask task, Consumer<Turn> work) {
        Turn turn = new Turn(task, work);
        synchronized (waiting) {
            if (taken) {
                waiting.add(turn);
                return;
            }
            taken = true;
        }
        run(turn, work);
    }

    /** Whatever goes wrong, the turn ends: or no command would ever change the reservations again. */
    private void run(Turn turn, Consumer<Turn> work) {
        try {
            work.accept(turn);
        } catch (RuntimeException | Error e) {
            finish(turn);
            turn.task.execution().broken(e);
        }
    }

    private void finish(Turn turn) {
        if (turn.ended) {
            return;
        }
        turn.ended = true;
        Turn next;
        synchronized (waiting) {
            next = waiting.poll();
            taken = next != null;
        }
        if (next != null) {
            next.task.lane().execute(() -> run(next, next.work));
        }
    }

    // ---- RESERVE and RELEASE

    /**
     * RESERVE, with the exceptions that make it live with persistent reservations (SPC-4 §5.13.3, CRH=1): whoever these let
     * in hears GOOD, and nothing happens.
     */
    void reserve(ScsiTask task) {
        takeTurn(task, turn -> {
            PersistentReservations present = persistent;
            ScsiStatus answer;
            if (!present.registrations().isEmpty()) {
                answer = toldGood(present, task);
            } else {
                Nexus holder = reservedBy.get();
                boolean free = holder == null || holder == task.nexus();
                if (free) {
                    reservedBy.set(task.nexus());
                }
                answer = free ? ScsiStatus.GOOD : ScsiStatus.RESERVATION_CONFLICT;
            }
            finish(turn);
            task.execution().answer(answer);
        });
    }

    /** RELEASE, likewise. Of somebody else's reservation it releases nothing, and is GOOD (SPC-2 §7.18). */
    void release(ScsiTask task) {
        takeTurn(task, turn -> {
            PersistentReservations present = persistent;
            ScsiStatus answer = ScsiStatus.GOOD;
            if (!present.registrations().isEmpty()) {
                answer = toldGood(present, task);
            } else {
                reservedBy.compareAndSet(task.nexus(), null);
            }
            finish(turn);
            task.execution().answer(answer);
        });
    }

    private static ScsiStatus toldGood(PersistentReservations present, ScsiTask task) {
        boolean letIn =
                present.reservation() != null && present.admits(task.nexus().name());
        return letIn ? ScsiStatus.GOOD : ScsiStatus.RESERVATION_CONFLICT;
    }

    // ---- PERSISTENT RESERVE OUT

    /** Carries out a request when its turn comes, and completes the task. */
    void apply(ReservationRequest request, ScsiTask task) {
        takeTurn(task, turn -> new Change(request, turn).attempt());
    }

    /** One PERSISTENT RESERVE OUT on its way to the store and back. Belongs to its task's lane, but for {@link #store()}. */
    private final class Change {
        private final ReservationRequest request;
        private final Turn turn;
        private final ScsiTask task;
        private PersistentReservations before = persistent;
        private PersistentReservations next = before;
        private @Nullable PersistentReservations committed;
        private @Nullable IOException failure;
        private int attempts;

        Change(ReservationRequest request, Turn turn) {
            this.request = request;
            this.turn = turn;
            task = turn.task;
        }

        void attempt() {
            if (reserved()) {
                answer(ScsiStatus.RESERVATION_CONFLICT);
                return;
            }
            ReservationOutcome outcome = ReservationRules.apply(persistent, request);
            if (outcome instanceof ReservationOutcome.Granted granted) {
                commit(granted);
            } else if (outcome instanceof ReservationOutcome.Refused refused) {
                finish(turn);
                task.execution().fail(refused.sense());
            } else {
                answer(ScsiStatus.RESERVATION_CONFLICT);
            }
        }

        private void answer(ScsiStatus status) {
            finish(turn);
            task.execution().answer(status);
        }

        private void commit(ReservationOutcome.Granted granted) {
            before = persistent;
            next = granted.next();
            if (next.equals(before)) {
                answer(ScsiStatus.GOOD);
            } else if (store.durable()) {
                task.lane()
                        .offload(
                                storing,
                                this::store,
                                refusal -> run(turn, same -> {
                                    if (refusal != null && failure == null) {
                                        failure = new IOException(refusal.toString());
                                    }
                                    committed(granted);
                                }));
            } else {
                store();
                committed(granted);
            }
        }

        /** On a thread of the I/O pool. What goes wrong is kept here: it is not the disk's failure. */
        private void store() {
            failure = null;
            try {
                committed = store.commit(before, next);
            } catch (IOException e) {
                failure = e;
            }
        }

        private void committed(ReservationOutcome.Granted granted) {
            PersistentReservations now = committed;
            if (failure != null || now == null) {
                LOG.error("{}: a change of its reservations cannot be kept: {}", unit, String.valueOf(failure));
                finish(turn);
                task.execution().fail(SenseCode.INTERNAL_TARGET_FAILURE);
                return;
            }
            persistent = now;
            if (!now.equals(next)) {
                attemptAgain();
                return;
            }
            granted.attentions().forEach((nexus, news) -> unit.attention(news, nexus));
            // First, because a command that is to be aborted may itself be waiting for its turn.
            finish(turn);
            if (request.action() == ReservationRequest.Action.PREEMPT_AND_ABORT
                    && !granted.preempted().isEmpty()) {
                unit.abortTasks(
                        granted.preempted(),
                        () -> task.lane().execute(() -> task.execution().good()));
            } else {
                task.execution().good();
            }
        }

        private void attemptAgain() {
            if (++attempts == MAX_ATTEMPTS) {
                answer(ScsiStatus.BUSY);
            } else {
                attempt();
            }
        }
    }
}
