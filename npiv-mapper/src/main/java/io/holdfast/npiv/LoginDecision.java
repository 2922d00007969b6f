package io.holdfast.npiv;

import java.util.List;

/** What to answer to a {@link LoginAttempt}. */
public sealed interface LoginDecision {

    /**
     * The login may go on, to authentication if the client has a secret.
     *
     * @param wwpn who it is
     * @param units what it sees, by LUN
     */
    record Granted(Wwpn wwpn, Client client, ServerAdapter server, LoginRight right, List<LuMap> units)
            implements LoginDecision {
        public Granted {
            units = List.copyOf(units);
        }
    }

    /**
     * The login must fail. The initiator is told the same whatever the reason, so that it does not learn what exists; the
     * reason is for the alert.
     */
    record Denied(Denial reason, LoginAttempt attempt) implements LoginDecision {
        /** One line for the alert. */
        public String message() {
            return "login of '" + attempt.initiator() + "' from " + attempt.from() + " to '" + attempt.target()
                    + "' at port " + attempt.port() + " refused: " + reason.text();
        }
    }
}
