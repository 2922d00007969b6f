package io.holdfast.control;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What operators have registered at a server to be done for a VM on events that come from that server.
 *
 * @param vm its name at its agent
 * @param revision goes up when they register something else; 0 if nothing was ever registered
 * @param actions words of actions by event, which the agent may not know; empty if nothing is registered
 */
public record VmActions(String vm, long revision, Map<String, String> actions) {
    /** How many events may be registered for a VM. */
    public static final int MAX_EVENTS = 32;

    /** Of how many VMs an agent is told. With {@link #MAX_EVENTS} of the longest names for each it is one line. */
    public static final int MAX_VMS = 1_000;

    public VmActions {
        actions = Collections.unmodifiableMap(new TreeMap<>(actions));
    }

    /** Nothing is registered. */
    public static VmActions none(String vm) {
        return new VmActions(vm, 0, Map.of());
    }
}
