package io.holdfast.agent.freeze;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The event-action table of one VM: for each event the first of
 *
 * <ol>
 *   <li>what its guest registered, as it knows what it is vulnerable to,
 *   <li>what the administrator of its host wrote into the agent's settings,
 *   <li>what operators registered at the server that the event comes from,
 *   <li>what {@link KnownEvent} says, or freeze.
 * </ol>
 *
 * <p>So nobody from afar overrules who is nearer to the VM. A server speaks for its own events only, and is taken at its last
 * word while it is away. Owned by the machine's thread.
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
    /** By server, then by event. */
    private final Map<String, Map<String, EventAction>> operators = new TreeMap<>();

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

    /** Why nobody can register that, for people; empty if somebody can. */
    public static Optional<String> objectionTo(String event, String action) {
        if (!isName(event) || !KnownEvent.mayCome(event)) {
            return Optional.of("there is no event '" + event + "'; events are " + KnownEvent.names()
                    + ", and those of operators, which begin with " + KnownEvent.OPERATORS);
        }
        return EventAction.of(action).isPresent()
                ? Optional.empty()
                : Optional.of("'" + action + "' is no action; actions are " + EventAction.words());
    }

    /** The same for operators of a server: what a guest asks for itself is no event of theirs. */
    public static Optional<String> objectionFromAfar(String event, String action) {
        return event.equals(KnownEvent.GUEST_REQUEST.event())
                ? Optional.of("'" + event + "' is the guest's own event, and no server's")
                : objectionTo(event, action);
    }

    /** @param server the name of the one that the event comes from */
    public EventAction actionFor(String server, String event) {
        EventAction registered = guest.getOrDefault(event, administrator.get(event));
        if (registered == null) {
            registered = operators.getOrDefault(server, Map.of()).get(event);
        }
        return registered != null
                ? registered
                : KnownEvent.of(event).map(KnownEvent::initial).orElse(EventAction.FREEZE);
    }

    // ------------------------------------------------------------------ operators

    /**
     * What operators have registered at a server, in place of what they had before.
     *
     * @return false if it is the same
     */
    public boolean registeredAt(String server, Map<String, EventAction> actions) {
        Map<String, EventAction> before = actions.isEmpty()
                ? operators.remove(server)
                : operators.put(server, Collections.unmodifiableMap(new TreeMap<>(actions)));
        return !actions.equals(before == null ? Map.of() : before);
    }

    /** Those of these events for which somebody nearer goes before operators, and who: {@code server-stop (guest)}. */
    public List<String> overruled(Collection<String> events) {
        return events.stream()
                .filter(event -> guest.containsKey(event) || administrator.containsKey(event))
                .sorted()
                .map(event -> event + (guest.containsKey(event) ? " (guest)" : " (administrator)"))
                .toList();
    }

    /** What operators registered: by server, {@code event=action}. */
    public Map<String, List<String>> operators() {
        Map<String, List<String>> lines = new TreeMap<>();
        operators.forEach((server, actions) -> lines.put(server, lines(actions)));
        return lines;
    }

    // ------------------------------------------------------------------ the guest

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
        return lines(guest);
    }

    // ------------------------------------------------------------------ on record, and for people

    /** The table of a VM of which an earlier run of the agent left a record. */
    public static EventTable of(Map<String, EventAction> administrator, @Nullable FreezeRecord record) {
        EventTable table = new EventTable(administrator);
        if (record != null) {
            table.restore(record.registrations(), record.operators());
        }
        return table;
    }

    private static List<String> lines(Map<String, EventAction> actions) {
        List<String> lines = new ArrayList<>();
        actions.forEach((event, action) -> lines.add(event + "=" + action.word()));
        return lines;
    }

    /**
     * Takes over what an earlier run of the agent was told; what it does not understand is left out.
     *
     * @param ofGuest as {@link #registered} said
     * @param ofOperators as {@link #operators} said
     */
    void restore(List<String> ofGuest, Map<String, List<String>> ofOperators) {
        read(ofGuest).forEach(this::register);
        ofOperators.forEach((server, lines) -> registeredAt(server, read(lines)));
    }

    private static Map<String, EventAction> read(List<String> lines) {
        Map<String, EventAction> actions = new TreeMap<>();
        for (String line : lines) {
            String[] parts = line.split("=", 2);
            if (parts.length == 2 && isName(parts[0])) {
                EventAction.of(parts[1]).ifPresent(action -> actions.put(parts[0], action));
            }
        }
        return actions;
    }

    /** Every event with a row, and what is done: {@code event action who}. */
    public List<String> lines() {
        Set<String> events = new TreeSet<>(administrator.keySet());
        events.addAll(guest.keySet());
        operators.values().forEach(actions -> events.addAll(actions.keySet()));
        for (KnownEvent known : KnownEvent.values()) {
            events.add(known.event());
        }
        List<String> lines = new ArrayList<>();
        events.forEach(event -> addLines(event, lines));
        return lines;
    }

    private void addLines(String event, List<String> lines) {
        EventAction of = guest.getOrDefault(event, administrator.get(event));
        if (of != null) {
            lines.add(event + " " + of.word() + (guest.containsKey(event) ? " guest" : " administrator"));
            return;
        }
        operators.forEach((server, actions) -> {
            EventAction registered = actions.get(event);
            if (registered != null) {
                // The only server of an agent has no name.
                lines.add(event + " " + registered.word() + (" server " + server).stripTrailing());
            }
        });
        boolean everywhere =
                operators.getOrDefault(FreezeEvent.ONLY_SERVER, Map.of()).containsKey(event);
        if (!everywhere) {
            KnownEvent.of(event)
                    .ifPresent(known -> lines.add(event + " " + known.initial().word() + " built-in"));
        }
    }
}
