package io.holdfast.scsi;

import io.holdfast.scsi.PersistentReservations.Reservation;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What PERSISTENT RESERVE OUT does to the registrations and the reservation (SPC-4 §5.13). Values in, values out. */
final class ReservationRules {
    private static final ReservationOutcome CONFLICT = new ReservationOutcome.Conflict();

    private static final int SCOPE_AND_TYPE = 2;
    private static final int ACTION_KEY = 8;
    private static final int FLAGS = 20;
    private static final int MOVE_TRANSPORT_ID = 24;

    private final PersistentReservations before;
    private final ReservationRequest request;
    private final NexusName from;

    private final Map<NexusName, Long> registrations;
    private final Map<NexusName, SenseCode> attentions = new HashMap<>();
    private @Nullable Reservation reservation;
    private Set<NexusName> preempted = Set.of();

    private ReservationRules(PersistentReservations before, ReservationRequest request) {
        this.before = before;
        this.request = request;
        from = request.from();
        registrations = new LinkedHashMap<>(before.registrations());
        reservation = before.reservation();
    }

    static ReservationOutcome apply(PersistentReservations before, ReservationRequest request) {
        return new ReservationRules(before, request).apply();
    }

    private ReservationOutcome apply() {
        boolean registering = switch (request.action()) {
            case REGISTER, REGISTER_AND_IGNORE_EXISTING_KEY -> true;
            default -> false;
        };
        // Whoever is not registered, or does not know the key, is turned away first, whatever else is wrong.
        if (!registering && (!before.registered(from) || before.key(from) != request.key())) {
            return CONFLICT;
        }
        return switch (request.action()) {
            case REGISTER, REGISTER_AND_IGNORE_EXISTING_KEY -> register();
            case RESERVE -> reserve();
            case RELEASE -> release();
            case CLEAR -> clear();
            case PREEMPT, PREEMPT_AND_ABORT -> preempt();
            case REGISTER_AND_MOVE -> move();
        };
    }

    /** SPC-4 §5.13.7, §5.13.11.2: registers, changes the key, or unregisters. */
    private ReservationOutcome register() {
        boolean anybodyKnown = false;
        for (NexusName nexus : request.registering()) {
            if (request.action() == ReservationRequest.Action.REGISTER && before.key(nexus) != request.key()) {
                return CONFLICT;
            }
            anybodyKnown |= before.registered(nexus);
        }
        if (request.specified() && before.registered(from)) {
            return new ReservationOutcome.Refused(Sense.inParameters(FLAGS));
        }
        if (request.actionKey() == 0) {
            return anybodyKnown ? unregister() : granted(before);
        }
        request.registering().forEach(nexus -> registrations.put(nexus, request.actionKey()));
        request.also().forEach(nexus -> registrations.putIfAbsent(nexus, request.actionKey()));
        return tooMany() ? NO_ROOM : changed(request.aptpl());
    }

    private static final ReservationOutcome NO_ROOM =
            new ReservationOutcome.Refused(Sense.of(SenseCode.INSUFFICIENT_REGISTRATION_RESOURCES));

    private boolean tooMany() {
        return registrations.size() > PersistentReservations.MAX_REGISTRATIONS;
    }

    private ReservationOutcome unregister() {
        Reservation held = reservation;
        remove(Set.copyOf(request.registering()));
        if (held != null && reservation == null && held.type().letsRegistrantsIn()) {
            tellRegistrants(SenseCode.RESERVATIONS_RELEASED);
        }
        return changed(request.aptpl());
    }

    /** Removes registrations, and the reservation with its last holder. */
    private void remove(Set<NexusName> leaving) {
        registrations.keySet().removeAll(leaving);
        Reservation held = reservation;
        if (held != null) {
            NexusName holder = held.holder();
            boolean orphaned = holder == null ? registrations.isEmpty() : leaving.contains(holder);
            reservation = orphaned ? null : held;
        }
    }

    /** SPC-4 §5.13.9. */
    private ReservationOutcome reserve() {
        Reservation wanted = wanted();
        if (wanted == null) {
            return badScopeOrType();
        }
        Reservation held = reservation;
        if (held != null) {
            // A holder may ask for what it has, and for nothing else.
            return before.heldBy(from) && held.type() == wanted.type() ? granted(before) : CONFLICT;
        }
        reservation = wanted;
        return granted(next(before.generation(), before.aptpl()));
    }

    private @Nullable Reservation wanted() {
        ReservationType type = request.type();
        return request.scope() == 0 && type != null ? Reservation.by(from, type) : null;
    }

    private ReservationOutcome badScopeOrType() {
        return new ReservationOutcome.Refused(Sense.inCdb(SCOPE_AND_TYPE, request.scope() != 0 ? 7 : 3));
    }

    /** SPC-4 §5.13.11.2.2. */
    private ReservationOutcome release() {
        Reservation held = reservation;
        if (held == null || !before.heldBy(from)) {
            return granted(before);
        }
        if (request.scope() != 0 || request.type() != held.type()) {
            return new ReservationOutcome.Refused(Sense.of(SenseCode.INVALID_RELEASE_OF_PERSISTENT_RESERVATION));
        }
        reservation = null;
        if (held.type().letsRegistrantsIn()) {
            tellRegistrants(SenseCode.RESERVATIONS_RELEASED);
        }
        return granted(next(before.generation(), before.aptpl()));
    }

    /** SPC-4 §5.13.11.2.8. */
    private ReservationOutcome clear() {
        tellRegistrants(SenseCode.RESERVATIONS_PREEMPTED);
        registrations.clear();
        reservation = null;
        return changed(before.aptpl());
    }

    /** SPC-4 §5.13.11.2.4 and §5.13.11.2.6: takes the reservation over, or only removes registrations. */
    private ReservationOutcome preempt() {
        long victims = request.actionKey();
        Reservation held = reservation;
        boolean everybody = held != null && held.type().allRegistrants() && victims == 0;
        NexusName holder = held == null ? null : held.holder();
        if (everybody || (holder != null && before.key(holder) == victims)) {
            return takeOver(Objects.requireNonNull(held), everybody);
        }
        if (victims == 0) {
            return new ReservationOutcome.Refused(Sense.inParameters(ACTION_KEY));
        }
        Set<NexusName> leaving = registeredWith(victims);
        if (leaving.isEmpty()) {
            return CONFLICT;
        }
        remove(leaving);
        tellPreempted(leaving);
        return changed(before.aptpl());
    }

    private ReservationOutcome takeOver(Reservation held, boolean everybody) {
        Reservation wanted = wanted();
        if (wanted == null) {
            return badScopeOrType();
        }
        Set<NexusName> leaving = everybody
                ? new LinkedHashSet<>(registrations.keySet())
                : new LinkedHashSet<>(registeredWith(request.actionKey()));
        leaving.remove(from);
        registrations.keySet().removeAll(leaving);
        reservation = wanted;
        if (wanted.type() != held.type()) {
            tellRegistrants(SenseCode.RESERVATIONS_RELEASED);
        }
        tellPreempted(leaving);
        return changed(before.aptpl());
    }

    private Set<NexusName> registeredWith(long key) {
        Set<NexusName> found = new LinkedHashSet<>();
        registrations.forEach((nexus, itsKey) -> {
            if (itsKey == key) {
                found.add(nexus);
            }
        });
        return found;
    }

    private void tellPreempted(Set<NexusName> leaving) {
        Set<NexusName> others = new LinkedHashSet<>(leaving);
        others.remove(from);
        others.forEach(nexus -> attentions.put(nexus, SenseCode.REGISTRATIONS_PREEMPTED));
        preempted = Set.copyOf(others);
    }

    /** SPC-4 §5.13.8: registers another nexus and gives it the reservation. */
    private ReservationOutcome move() {
        Reservation held = reservation;
        NexusName to = request.destination();
        if (held == null || held.type().allRegistrants() || !before.heldBy(from)) {
            return CONFLICT;
        }
        if (request.actionKey() == 0) {
            return new ReservationOutcome.Refused(Sense.inParameters(ACTION_KEY));
        }
        if (to == null || to.equals(from)) {
            return new ReservationOutcome.Refused(Sense.inParameters(MOVE_TRANSPORT_ID));
        }
        registrations.put(to, request.actionKey());
        reservation = Reservation.by(to, held.type());
        if (request.unregister()) {
            registrations.remove(from);
        }
        return tooMany() ? NO_ROOM : changed(request.aptpl());
    }

    private void tellRegistrants(SenseCode news) {
        registrations.keySet().forEach(nexus -> {
            if (!nexus.equals(from)) {
                attentions.put(nexus, news);
            }
        });
    }

    /** For the service actions that count (SPC-4 §6.15.2). */
    private ReservationOutcome changed(boolean aptpl) {
        return granted(next(before.generation() + 1, aptpl));
    }

    private PersistentReservations next(int generation, boolean aptpl) {
        return new PersistentReservations(generation, aptpl, registrations, reservation);
    }

    private ReservationOutcome granted(PersistentReservations next) {
        return new ReservationOutcome.Granted(next, Map.copyOf(attentions), preempted);
    }
}
