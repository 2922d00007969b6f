package io.holdfast.agent.freeze;

import io.holdfast.control.RaisedEvent;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The events that have a name here, and what is done where nothing is registered. The rows of the reference page. */
public enum KnownEvent {
    SERVER_CRASH("server-crash", EventAction.FREEZE, "The server's process has ended unannounced."),
    SERVER_SILENT(
            "server-silent",
            EventAction.FREEZE,
            "The server hangs, or the network to it is dead: nothing is answered."),
    SERVER_STOP("server-stop", EventAction.FREEZE, "The server has announced that it stops or restarts."),
    STORAGE_ERROR(RaisedEvent.STORAGE_ERROR, EventAction.FREEZE, "The server's storage fails to read or write (EIO)."),
    STORAGE_FULL(RaisedEvent.STORAGE_FULL, EventAction.FREEZE, "The server's storage has no space left (ENOSPC)."),
    STORAGE_READ_ONLY(
            RaisedEvent.STORAGE_READ_ONLY,
            EventAction.FREEZE,
            "The server's storage takes no writes any more (EROFS)."),
    STORAGE_GONE(RaisedEvent.STORAGE_GONE, EventAction.FREEZE, "The image or its device is not there any more."),
    STORAGE_STALLED(
            RaisedEvent.STORAGE_STALLED,
            EventAction.FREEZE,
            "The server's storage has not answered for its stall limit."),
    STORAGE_LOST_WRITES(
            RaisedEvent.STORAGE_LOST_WRITES,
            EventAction.FREEZE,
            "The server's storage has lost what it had acknowledged. A VM frozen for that is not resumed by itself."),
    GUEST_REQUEST("guest-request", EventAction.QUIESCE, "The guest itself asked to be made quiet.");

    /** What the names of events begin with that operators raise: a name that is misspelt is none of theirs. */
    public static final String OPERATORS = RaisedEvent.OPERATORS;

    private final String event;
    private final EventAction initial;
    private final String help;

    KnownEvent(String event, EventAction initial, String help) {
        this.event = event;
        this.initial = initial;
        this.help = help;
    }

    public String event() {
        return event;
    }

    public EventAction initial() {
        return initial;
    }

    public String help() {
        return help;
    }

    /** Whether an event of that name can ever come. */
    public static boolean mayCome(String event) {
        return of(event).isPresent() || event.startsWith(OPERATORS) && event.length() > OPERATORS.length();
    }

    /** All of them, for messages. */
    public static String names() {
        return Arrays.stream(values()).map(KnownEvent::event).collect(Collectors.joining(", "));
    }

    static Optional<KnownEvent> of(String event) {
        for (KnownEvent known : values()) {
            if (known.event.equals(event)) {
                return Optional.of(known);
            }
        }
        return Optional.empty();
    }
}
