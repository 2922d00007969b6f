package io.holdfast.agent.freeze;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The event-action table of one VM: what it registered, what the administrator registered, and where neither did, what
 * {@link KnownEvent} says; an event without a row is answered by freeze. The guest's word goes before the administrator's,
 * as it knows what it is vulnerable to. Owned by the machine's thread.
 */
public final class EventTable {
    /** The server's process has ended unannounced. */
    public static final String SERVER_CRASH = KnownEvent.SERVER_CRASH.event();
    /** The server does not answer. */
    public static final String SERVER_SILENT = KnownEvent.SERVER_SILENT.event();
    /** The server has announced that it goes. */
    public static final String SERVER_STOP = KnownEvent.SERVER_STOP.event();

    /** How many events a guest may register. */
    public static final int MAX_REGISTERED = 64;

    private static final int MAX_NAME = 64;

    private final Map<String, EventAction> administrator;
    private final Map<String, EventAction> guest = new TreeMap<>();

    /** @param administrator by event */
    public EventTable(Map<String, EventAction> administrator) {
        this.administrator = Collections.unmodifiableMap(new TreeMap<>(administrator));
    }

    /** Whether it can be an event's name: lower-case letters, digits and '-', 64 at most. */
    public static boolean isName(String text) {
        return !text.isEmpty()
                && text.length() <= MAX_NAME
                && text.charAt(0) != '-'
                && text.chars().allMatch(c -> c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-');
    }

    public EventAction actionFor(String event) {
        EventAction registered = guest.getOrDefault(event, administrator.get(event));
        return registered != null
                ? registered
                : KnownEvent.of(event).map(KnownEvent::initial).orElse(EventAction.FREEZE);
    }

    /** @return why not, for people; empty if it is registered */
    public Optional<String> register(String event, EventAction action) {
        if (!isName(event)) {
            return Optional.of("'" + event + "' is no event: lower-case letters, digits and '-' are allowed");
        }
        if (!guest.containsKey(event) && guest.size() >= MAX_REGISTERED) {
            return Optional.of(guest.size() + " events are registered, the limit is " + MAX_REGISTERED);
        }
        guest.put(event, action);
        return Optional.empty();
    }

    /** @return false if the guest had not registered it */
    public boolean withdraw(String event) {
        return guest.remove(event) != null;
    }

    /** What the guest registered, {@code event=action}. */
    public List<String> registered() {
        List<String> lines = new ArrayList<>();
        guest.forEach((event, action) -> lines.add(event + "=" + action.word()));
        return lines;
    }

    /** Takes over what an earlier run of the agent was told; what it does not understand is left out. */
    public void restore(List<String> lines) {
        for (String line : lines) {
            String[] parts = line.split("=", 2);
            if (parts.length == 2) {
                EventAction.of(parts[1]).ifPresent(action -> register(parts[0], action));
            }
        }
    }

    /** Every event with a row, and what is done: {@code event action who}. */
    public List<String> lines() {
        Map<String, String> rows = new TreeMap<>();
        for (KnownEvent known : KnownEvent.values()) {
            rows.put(known.event(), known.initial().word() + " built-in");
        }
        administrator.forEach((event, action) -> rows.put(event, action.word() + " administrator"));
        guest.forEach((event, action) -> rows.put(event, action.word() + " guest"));
        List<String> lines = new ArrayList<>();
        rows.forEach((event, rest) -> lines.add(event + " " + rest));
        return lines;
    }
}
