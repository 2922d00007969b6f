package io.holdfast.agent.freeze;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What is done to a VM on an event. The rows of the reference page. */
public enum EventAction {
    FREEZE("The VM is stopped until the event is over."),
    LEAVE("Nothing: the VM runs on, and waits where it needs the storage that is away."),
    RECLAIM("As freeze, and its memory is given back to the host meanwhile."),
    QUIESCE(
            "The guest agent is asked to make the file systems quiet first, where the storage still answers; then freeze."),
    POWER_OFF("As freeze; when the VM's limit has passed, QEMU is ended."),
    HOOK("As freeze, and the VM's hook is run with the event's name.");

    private final String help;

    EventAction(String help) {
        this.help = help;
    }

    /** As it is written in options and by guests. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public String help() {
        return help;
    }

    /** All of their words, for messages. */
    public static String words() {
        return Arrays.stream(values()).map(EventAction::word).collect(Collectors.joining(", "));
    }

    /** The action with that word. */
    public static Optional<EventAction> of(String word) {
        for (EventAction action : values()) {
            if (action.word().equals(word)) {
                return Optional.of(action);
            }
        }
        return Optional.empty();
    }
}
