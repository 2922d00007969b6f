package io.holdfast.scsi;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The registrations of a logical unit and its persistent reservation at one moment (SPC-4 §5.13): an immutable value, of
 * which none can be made that has two holders, or one that is not registered.
 *
 * @param generation PRgeneration, counts up and wraps
 * @param aptpl what the last registration asked for: that all this persists through power loss
 * @param registrations each registered nexus and its reservation key, in the order of registration
 * @param reservation null if there is none
 */
public record PersistentReservations(
        int generation,
        boolean aptpl,
        Map<NexusName, Long> registrations,
        @Nullable Reservation reservation) {

    /** How many nexuses may be registered. */
    public static final int MAX_REGISTRATIONS = 1024;

    /** What a logical unit begins with. */
    public static final PersistentReservations NONE = new PersistentReservations(0, false, Map.of(), null);

    private static final long UNREGISTERED = 0;

    /**
     * A persistent reservation of the whole logical unit.
     *
     * @param holder null if every registered nexus is a holder
     */
    public record Reservation(
            ReservationType type, @Nullable NexusName holder) {
        public Reservation {
            if (type.allRegistrants() == (holder != null)) {
                throw new IllegalArgumentException(type + " held by " + holder);
            }
        }

        static Reservation by(NexusName nexus, ReservationType type) {
            return new Reservation(type, type.allRegistrants() ? null : nexus);
        }
    }

    public PersistentReservations {
        if (registrations.containsValue(UNREGISTERED) || registrations.size() > MAX_REGISTRATIONS) {
            throw new IllegalArgumentException(
                    registrations.size() + " registrations, or one with the reservation key 0");
        }
        if (reservation != null) {
            NexusName holder = reservation.holder();
            if (holder == null ? registrations.isEmpty() : !registrations.containsKey(holder)) {
                throw new IllegalArgumentException(reservation + " without a registration of its holder");
            }
        }
        registrations = Collections.unmodifiableMap(new LinkedHashMap<>(registrations));
    }

    /** The reservation key of a nexus, 0 if it is not registered. */
    long key(NexusName nexus) {
        return registrations.getOrDefault(nexus, UNREGISTERED);
    }

    boolean registered(NexusName nexus) {
        return registrations.containsKey(nexus);
    }

    boolean heldBy(NexusName nexus) {
        Reservation held = reservation;
        if (held == null) {
            return false;
        }
        return held.type().allRegistrants() ? registered(nexus) : nexus.equals(held.holder());
    }

    /** True if a nexus may do what a holder may: anything. */
    boolean admits(NexusName nexus) {
        Reservation held = reservation;
        return held == null || heldBy(nexus) || (held.type().letsRegistrantsIn() && registered(nexus));
    }
}
