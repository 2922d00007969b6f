package io.holdfast.scsi;

import java.io.IOException;

/**
 * Where the persistent reservations of one logical unit are kept. The logical unit answers a command that changes them
 * only after {@link #commit} has returned, and lets nobody in by anything that has not been committed: whatever dies in
 * between, at no moment are there two holders. Thread-safe.
 */
public interface ReservationStore {

    /** What was committed last, as far as is known here without asking anyone. Does not block. */
    PersistentReservations current();

    /**
     * Replaces what is committed, if that is still {@code expected}. Returns once it is durable. May block, so it is called
     * on the I/O pool, unless the store is not {@linkplain #durable() durable}.
     *
     * @return what is committed now: {@code next}, or what somebody else has committed instead of {@code expected}
     * @throws IOException if it is not known to be durable; a store that is opened again finds either of the two
     */
    PersistentReservations commit(PersistentReservations expected, PersistentReservations next) throws IOException;

    /** True if what is committed outlives this process. */
    boolean durable();

    /** Forgets everything with the process. */
    static ReservationStore inMemory() {
        return new ReservationStore() {
            private PersistentReservations current = PersistentReservations.NONE;

            @Override
            public synchronized PersistentReservations current() {
                return current;
            }

            @Override
            public synchronized PersistentReservations commit(
                    PersistentReservations expected, PersistentReservations next) {
                if (current.equals(expected)) {
                    current = next;
                }
                return current;
            }

            @Override
            public boolean durable() {
                return false;
            }
        };
    }
}
