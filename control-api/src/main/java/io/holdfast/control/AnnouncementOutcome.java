package io.holdfast.control;

import java.util.List;
import java.util.Map;

/**
 * How an announcement ended.
 *
 * @param answered what each agent said of its VMs, by agent name
 * @param unanswered agents that were connected until the limit and did not answer
 * @param elapsedMs from the announcement to its end
 */
public record AnnouncementOutcome(Map<String, List<VmOutcome>> answered, List<String> unanswered, long elapsedMs) {
    public AnnouncementOutcome {
        answered = Map.copyOf(answered);
        unanswered = List.copyOf(unanswered);
    }

    /** True if every agent that stayed connected answered. */
    public boolean complete() {
        return unanswered.isEmpty();
    }
}
