package io.holdfast.management;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The options that were given to a command, by name, each with its values in order.
 *
 * @param values options that were not given are missing
 */
record Arguments(Map<String, List<String>> values) {

    /** All values of an option; none if it was not given. */
    List<String> all(String option) {
        return values.getOrDefault(option, List.of());
    }

    /** The last value of an option. */
    Optional<String> last(String option) {
        List<String> all = all(option);
        return all.isEmpty() ? Optional.empty() : Optional.of(all.get(all.size() - 1));
    }

    /**
     * Reads arguments that are nothing but {@code --option value} and {@code --option=value} of this command, and complete.
     * Whatever is not that simple, or wrong, or a call for help, is left to picocli. Why not all of it: picocli's classes
     * are of a class-file version that class-data archives refuse, so that loading and verifying them would take a third of
     * the time between exec and serving.
     */
    static Optional<Arguments> simple(Command command, List<String> arguments) {
        Map<String, List<String>> values = new LinkedHashMap<>();
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            if (command.options().stream().noneMatch(option -> option.name().equals(name))) {
                return Optional.empty();
            }
            String value;
            if (equals >= 0) {
                value = argument.substring(equals + 1);
            } else if (++i < arguments.size() && !arguments.get(i).startsWith("-")) {
                value = arguments.get(i);
            } else {
                return Optional.empty();
            }
            values.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
        }
        boolean complete = command.options().stream()
                .noneMatch(option -> option.required() == Command.Need.REQUIRED && !values.containsKey(option.name()));
        return complete ? Optional.of(new Arguments(values)) : Optional.empty();
    }
}
