package io.holdfast.agent.freeze;

import io.holdfast.control.ExportedUnit;
import io.holdfast.control.RaisedEvent;
import io.holdfast.control.ServerDescription;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A server that serves: its control connection is up and its iSCSI portal has answered a discovery login.
 *
 * @param address where it is, for people
 * @param epoch which life of it
 * @param raised what is wrong at it although it serves
 */
public record ServerView(String address, long epoch, ServerDescription description, List<RaisedEvent> raised) {
    public ServerView {
        raised = List.copyOf(raised);
    }

    /** At which nothing is wrong. */
    public ServerView(String address, long epoch, ServerDescription description) {
        this(address, epoch, description, List.of());
    }

    /** Names of its targets. */
    public Set<String> targets() {
        return description.units().stream().map(ExportedUnit::target).collect(Collectors.toUnmodifiableSet());
    }

    /**
     * It must have every unit a VM knows, unchanged: a VM that is resumed on other disks destroys them.
     *
     * @return what is wrong, for people; empty if nothing is
     */
    Optional<String> objectionTo(List<ExportedUnit> known) {
        for (ExportedUnit unit : known) {
            Optional<ExportedUnit> there = description.units().stream()
                    .filter(candidate -> candidate.name().equals(unit.name()))
                    .findFirst();
            if (there.isEmpty()) {
                return Optional.of("the server at portal " + address + " serves, but not " + unit.name());
            }
            if (!isSameDisk(unit, there.get())) {
                return Optional.of("the server at portal " + address + " has another disk as " + unit.name()
                        + ": it was " + print(unit) + ", now it is " + print(there.get()));
            }
        }
        return Optional.empty();
    }

    /** One that was made larger meanwhile is still what its VM had. */
    private static boolean isSameDisk(ExportedUnit was, ExportedUnit is) {
        return is.uuid().equals(was.uuid()) && is.readOnly() == was.readOnly() && is.sizeBytes() >= was.sizeBytes();
    }

    private static String print(ExportedUnit unit) {
        return unit.uuid() + " of " + unit.sizeBytes() + " bytes" + (unit.readOnly() ? ", read-only" : "");
    }
}
