package io.holdfast.scsi;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The target ports through which a logical unit is reached, in groups that share an access state (SPC-4 §5.15): an immutable
 * value. A group's number is the relative identifier of its port: each group has one port, as an iSCSI portal group has
 * (RFC 7143 §3.4.1).
 */
public final class TargetPortGroups {
    private final Map<Integer, Group> byNumber;
    private final boolean allActive;

    /**
     * One group.
     *
     * @param number its TARGET PORT GROUP, and the relative identifier of its target port, 1..65535
     * @param change STATUS CODE: why the state is what it is
     */
    record Group(int number, AccessState state, Change change) {}

    /** STATUS CODE (SPC-4 table 287). */
    enum Change {
        NONE,
        BY_COMMAND,
        BY_TARGET
    }

    private TargetPortGroups(Map<Integer, Group> byNumber) {
        this.byNumber = byNumber;
        allActive = byNumber.values().stream().allMatch(group -> group.state().reach() == Reach.ALL);
    }

    /** Groups with these numbers, all active/optimized. */
    public static TargetPortGroups of(Collection<Integer> numbers) {
        if (numbers.isEmpty() || numbers.stream().anyMatch(number -> number < 1 || number > 0xffff)) {
            throw new IllegalArgumentException("target port groups " + numbers + ": must be at least one, in 1..65535");
        }
        return new TargetPortGroups(numbers.stream()
                .distinct()
                .collect(Collectors.toMap(
                        number -> number,
                        number -> new Group(number, AccessState.ACTIVE_OPTIMIZED, Change.NONE),
                        (one, other) -> one,
                        TreeMap::new)));
    }

    /** The relative identifiers of all target ports. */
    Collection<Integer> ports() {
        return byNumber.keySet();
    }

    /** Ascending. */
    List<Group> groups() {
        return new ArrayList<>(byNumber.values());
    }

    @Nullable
    Group group(int number) {
        return byNumber.get(number);
    }

    /** True if no port keeps any command out: what the hot path asks first. */
    boolean allActive() {
        return allActive;
    }

    /** The state at a port; a port of no group is as good as it gets. */
    AccessState at(int relativeTargetPort) {
        Group group = byNumber.get(relativeTargetPort);
        return group == null ? AccessState.ACTIVE_OPTIMIZED : group.state();
    }

    TargetPortGroups with(int number, AccessState state, Change change) {
        Map<Integer, Group> changed = new TreeMap<>(byNumber);
        changed.put(number, new Group(number, state, change));
        return new TargetPortGroups(changed);
    }
}
