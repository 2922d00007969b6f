package io.holdfast.scsi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a PERSISTENT RESERVE OUT command asks for (SPC-4 §6.16), with the ports it names already looked up.
 *
 * @param from the nexus it came through
 * @param key RESERVATION KEY
 * @param actionKey SERVICE ACTION RESERVATION KEY
 * @param scope 0 is the logical unit, the only scope there is
 * @param type null if the code is of no type
 * @param registering the nexuses that REGISTER is about: {@code from}, and with ALL_TG_PT the initiator port at every
 *     other target port
 * @param also the nexuses that SPEC_I_PT registers as well
 * @param specified SPEC_I_PT
 * @param destination the nexus that REGISTER AND MOVE moves to
 * @param unregister UNREG: the nexus moved from is not registered any more
 */
record ReservationRequest(
        Action action,
        NexusName from,
        long key,
        long actionKey,
        int scope,
        @Nullable ReservationType type,
        boolean aptpl,
        List<NexusName> registering,
        boolean specified,
        List<NexusName> also,
        @Nullable NexusName destination,
        boolean unregister) {

    /** The service actions (SPC-4 table 216), by their codes. */
    enum Action {
        REGISTER,
        RESERVE,
        RELEASE,
        CLEAR,
        PREEMPT,
        PREEMPT_AND_ABORT,
        REGISTER_AND_IGNORE_EXISTING_KEY,
        REGISTER_AND_MOVE;

        private static final Action[] BY_CODE = values();

        static Action withCode(int code) {
            return BY_CODE[code];
        }
    }
}
