package io.holdfast.scsi;

import java.util.Map;
import java.util.Set;

/** What the rules say to a PERSISTENT RESERVE OUT command. */
sealed interface ReservationOutcome {

    /** RESERVATION CONFLICT. */
    record Conflict() implements ReservationOutcome {}

    /** CHECK CONDITION. */
    record Refused(Sense sense) implements ReservationOutcome {}

    /**
     * GOOD, once {@code next} is durable.
     *
     * @param attentions the unit attention that each of these nexuses is to hear
     * @param preempted the nexuses whose commands PREEMPT AND ABORT aborts
     */
    record Granted(PersistentReservations next, Map<NexusName, SenseCode> attentions, Set<NexusName> preempted)
            implements ReservationOutcome {}
}
