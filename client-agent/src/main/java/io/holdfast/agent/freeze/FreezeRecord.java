package io.holdfast.agent.freeze;

import io.holdfast.control.ExportedUnit;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an agent must know of a VM when it starts again.
 *
 * @param vm the VM's name
 * @param portal address of its local portal, {@code ip:port}
 * @param state where it stood
 * @param reason why, for people
 * @param sinceEpochMs since when, milliseconds since 1970
 * @param pid QEMU's process: a record of another process says nothing of this one; 0 if unknown
 * @param serverEpoch the life of the server it depended on last, 0 if none was seen
 * @param targets iSCSI names of the targets it uses
 * @param units what its logical units were, so that it is never led to other disks
 * @param sessions how many sessions it held, 0 if unknown
 * @param relay whether its data had to be relayed: its first reconnect comes before QEMU can be asked again
 * @param servers names of the servers it depended on
 * @param hold why it must not be resumed by itself; empty if nothing is
 * @param registrations what its guest registered, {@code event=action}
 * @param operators what operators registered for it, by server's name, in the same form
 */
public record FreezeRecord(
        String vm,
        String portal,
        FreezeState state,
        String reason,
        long sinceEpochMs,
        int pid,
        long serverEpoch,
        List<String> targets,
        List<ExportedUnit> units,
        int sessions,
        boolean relay,
        List<String> servers,
        String hold,
        List<String> registrations,
        Map<String, List<String>> operators) {
    public FreezeRecord {
        Objects.requireNonNull(vm, "vm");
        Objects.requireNonNull(state, "state");
        portal = portal == null ? "" : portal;
        reason = reason == null ? "" : reason;
        targets = orEmpty(targets);
        units = orEmpty(units);
        servers = orEmpty(servers);
        hold = hold == null ? "" : hold;
        registrations = orEmpty(registrations);
        operators = copyOf(operators);
    }

    /** The same with what a table says now. */
    FreezeRecord with(EventTable table) {
        return new FreezeRecord(
                vm,
                portal,
                state,
                reason,
                sinceEpochMs,
                pid,
                serverEpoch,
                targets,
                units,
                sessions,
                relay,
                servers,
                hold,
                table.registered(),
                table.operators());
    }

    /** True if it was paused by us, or was about to be. */
    public boolean pausedByUs() {
        return switch (state) {
            case FREEZING, FROZEN, PROVING, THAWING -> true;
            case ABSENT, RUNNING, HELD_BY_OTHER -> false;
        };
    }

    private static Map<String, List<String>> copyOf(@Nullable Map<String, List<String>> lines) {
        Map<String, List<String>> copy = new TreeMap<>();
        if (lines != null) {
            lines.forEach((server, its) -> copy.put(server, orEmpty(its)));
        }
        return Collections.unmodifiableMap(copy);
    }

    private static <T> List<T> orEmpty(@Nullable List<T> values) {
        return values == null ? List.of() : List.copyOf(values);
    }
}
