package io.holdfast.agent;

import io.holdfast.agent.freeze.EventAction;
import io.holdfast.agent.freeze.EventTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a guest may say through its port, and what it is answered: a line in, lines out, the last of them {@code ok} or
 * {@code error WHY}. Nothing a guest says is fatal. Owned by the agent's loop.
 */
final class GuestWishes {
    /** How long a guest may have itself stopped. */
    static final int MAX_QUIET_SECONDS = 3_600;

    private static final String OK = "ok";
    private static final int DEFAULT_QUIET_SECONDS = 10;

    /** What a line can ask for. The rows of the reference page. */
    enum Verb {
        REGISTER("register EVENT ACTION", "On that event, do this to me. It goes before what the administrator said."),
        WITHDRAW("withdraw EVENT", "Forget what I registered for it."),
        LIST(
                "list",
                "The table: `row EVENT ACTION WHO` for each event, WHO being guest, administrator (of its"
                        + " host), server (what operators registered there) or built-in."),
        STATUS("status", "`state STATE WHY`: where I stand, as the agent sees it."),
        QUIESCE(
                "quiesce [SECONDS]",
                "Stop me now, as the event `guest-request` says, and resume me after so long (1 to "
                        + MAX_QUIET_SECONDS
                        + ", default "
                        + DEFAULT_QUIET_SECONDS
                        + ").");

        private final String form;
        private final String help;

        Verb(String form, String help) {
            this.form = form;
            this.help = help;
        }

        String form() {
            return form;
        }

        String help() {
            return help;
        }

        private String word() {
            return form.split(" ", 2)[0];
        }
    }

    /** What the lines are about. */
    interface Vm {
        EventTable table();

        /** For people, in one line. */
        String standing();

        void registrationsChanged();

        void quiesce(int seconds);
    }

    private final Vm vm;

    GuestWishes(Vm vm) {
        this.vm = vm;
    }

    List<String> answer(String line) {
        List<String> words = List.of(line.strip().split("\\s+", -1));
        Optional<Verb> verb = Arrays.stream(Verb.values())
                .filter(known -> known.word().equals(words.get(0)))
                .findFirst();
        if (verb.isEmpty()) {
            return error("'" + printable(words.get(0)) + "' is not understood; there are "
                    + Arrays.stream(Verb.values()).map(Verb::word).collect(Collectors.joining(", ")));
        }
        List<String> arguments = words.subList(1, words.size());
        return switch (verb.get()) {
            case REGISTER -> arguments.size() == 2 ? register(arguments.get(0), arguments.get(1)) : wrong(verb.get());
            case WITHDRAW -> arguments.size() == 1 ? withdraw(arguments.get(0)) : wrong(verb.get());
            case LIST -> arguments.isEmpty() ? list() : wrong(verb.get());
            case STATUS -> arguments.isEmpty() ? List.of("state " + vm.standing(), OK) : wrong(verb.get());
            case QUIESCE -> arguments.size() < 2 ? quiesce(arguments) : wrong(verb.get());
        };
    }

    private List<String> register(String event, String word) {
        Optional<EventAction> action = EventAction.of(word);
        if (action.isEmpty()) {
            return error("'" + printable(word) + "' is no action; there are " + EventAction.words());
        }
        Optional<String> objection = vm.table().register(event, action.get());
        if (objection.isPresent()) {
            return error(printable(objection.get()));
        }
        vm.registrationsChanged();
        return List.of(OK);
    }

    private List<String> withdraw(String event) {
        if (!vm.table().withdraw(event)) {
            return error("'" + printable(event) + "' is not registered");
        }
        vm.registrationsChanged();
        return List.of(OK);
    }

    private List<String> list() {
        List<String> lines = new ArrayList<>();
        vm.table().lines().forEach(row -> lines.add("row " + row));
        lines.add(OK);
        return lines;
    }

    private List<String> quiesce(List<String> arguments) {
        int seconds = DEFAULT_QUIET_SECONDS;
        if (!arguments.isEmpty()) {
            String text = arguments.get(0);
            seconds = text.matches("\\d{1,4}") ? Integer.parseInt(text) : 0;
            if (seconds < 1 || seconds > MAX_QUIET_SECONDS) {
                return error("'" + printable(text) + "' is no number of seconds from 1 to " + MAX_QUIET_SECONDS);
            }
        }
        vm.quiesce(seconds);
        return List.of(OK);
    }

    private static List<String> wrong(Verb verb) {
        return error("write: " + verb.form());
    }

    private static List<String> error(String why) {
        return List.of("error " + why);
    }

    static String printable(String text) {
        StringBuilder out = new StringBuilder();
        text.codePoints().limit(80).forEach(c -> out.appendCodePoint(c < 0x20 || c >= 0x7f && c <= 0xa0 ? '?' : c));
        return out.toString();
    }
}
