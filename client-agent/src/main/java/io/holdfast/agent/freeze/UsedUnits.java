package io.holdfast.agent.freeze;

import io.holdfast.control.ExportedUnit;
import io.holdfast.control.ServerMessage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What one VM is known to use at the server, and what it objects to in a server. Owned by the machine's thread. */
final class UsedUnits {
    private Set<String> targets = Set.of();
    private List<ExportedUnit> units = List.of();
    private int sessions;
    private boolean disksTold;
    private boolean everUsed;

    UsedUnits(@Nullable FreezeRecord record) {
        if (record != null) {
            targets = Set.copyOf(record.targets());
            units = record.units();
            sessions = record.sessions();
            everUsed = !targets.isEmpty();
        }
    }

    void disksKnown(FreezeEvent.DisksKnown known) {
        targets = known.targets();
        sessions = known.sessions();
        disksTold = true;
        everUsed |= !targets.isEmpty();
    }

    /** Another process: it may use other units of the same names. */
    void forgetUnits() {
        units = List.of();
        disksTold = false;
    }

    /**
     * Whether it has no disk at the server for certain. Of one that once had, what it has now may merely not be understood,
     * and of another process nothing is known yet.
     */
    boolean none() {
        return disksTold && !everUsed;
    }

    boolean uses(String target) {
        return targets.contains(target);
    }

    boolean usesAny(Set<String> others) {
        return targets.stream().anyMatch(others::contains);
    }

    /** What is wrong with a server, for people; empty if nothing is. */
    Optional<String> objectionTo(ServerView server) {
        return server.objectionTo(units);
    }

    /**
     * Takes over the units of the VM's targets.
     *
     * @return false if the server has other units than before. What was known stays then: learned from such a server, the
     *     objection would vanish with the next attempt
     */
    boolean learnFrom(ServerView server) {
        if (objectionTo(server).isPresent()) {
            return false;
        }
        units = server.description().units().stream()
                .filter(unit -> targets.contains(unit.target()))
                .toList();
        return true;
    }

    /**
     * Follows a change that the server tells of while it serves. A unit is never taken for another: what is another disk now
     * under a name that was not given back before stays an objection, also when that other disk is taken away.
     *
     * @return false if nothing of it is the VM's
     */
    boolean follow(ServerMessage.UnitsChanged change) {
        Map<String, ExportedUnit> now = new LinkedHashMap<>();
        units.forEach(unit -> now.put(unit.name(), unit));
        for (ExportedUnit unit : change.gone()) {
            if (isWhole(now.get(unit.name()), unit)) {
                now.remove(unit.name());
            }
        }
        for (ExportedUnit unit : change.served()) {
            ExportedUnit before = now.get(unit.name());
            if (targets.contains(unit.target()) && (before == null || isWhole(before, unit))) {
                now.put(unit.name(), unit);
            }
        }
        List<ExportedUnit> next = List.copyOf(now.values());
        boolean changed = !next.equals(units);
        units = next;
        return changed;
    }

    /** Whether a unit is the one that the VM knows, and all of it. */
    private static boolean isWhole(@Nullable ExportedUnit known, ExportedUnit unit) {
        return known != null && known.uuid().equals(unit.uuid()) && known.sizeBytes() <= unit.sizeBytes();
    }

    /** How many sessions there are when all is well; of a VM that has a disk at the server at least one. */
    int sessionsWanted() {
        return sessions > 0 || targets.isEmpty() ? sessions : 1;
    }

    /** How many sessions it was said to hold, 0 if that is not known. */
    int sessions() {
        return sessions;
    }

    List<String> targets() {
        return targets.stream().sorted().toList();
    }

    List<ExportedUnit> units() {
        return units;
    }
}
