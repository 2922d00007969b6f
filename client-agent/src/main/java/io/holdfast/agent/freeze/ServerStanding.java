package io.holdfast.agent.freeze;

import io.holdfast.control.RaisedEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What is known of one of a VM's servers. Part of {@link VmStanding}, and owned by its thread. */
final class ServerStanding {
    final String name;
    boolean lost = true;
    /** It has announced that it goes: what stands still for that stays so until it has gone, or serves anew. */
    boolean leaving;
    /** Its announcement that has not been answered yet, 0 if there is none. */
    long unansweredAnnouncement;
    /** It is away, and this VM was told to run on. */
    boolean left;
    /** It has announced that it goes, and this VM was told to run on. */
    boolean leavesWhenLost;

    @Nullable
    ServerView view;

    private final List<RaisedEvent> raised = new ArrayList<>();
    /** Those of them for which the VM was told to run on when they were raised: for these it is not frozen later either. */
    private final List<RaisedEvent> tolerated = new ArrayList<>();

    private Set<String> targets = Set.of();

    ServerStanding(String name) {
        this.name = name;
    }

    void serves(ServerView now) {
        lost = false;
        left = false;
        leaving = false;
        unansweredAnnouncement = 0;
        leavesWhenLost = false;
        view = now;
        targets = now.targets();
        raised.clear();
        tolerated.clear();
        raised.addAll(now.raised());
    }

    /** It serves other units than before. */
    void changed(ServerView now) {
        view = now;
        targets = now.targets();
    }

    void lose() {
        lost = true;
        leaving = false;
        unansweredAnnouncement = 0;
        // A server that went took its troubles with it; the next one tells its own.
        raised.clear();
        tolerated.clear();
    }

    void raise(RaisedEvent event, EventTable table) {
        clear(event);
        raised.add(event);
        if (table.actionFor(name, event.event()) == EventAction.LEAVE) {
            tolerated.add(event);
        }
    }

    void clear(RaisedEvent event) {
        raised.removeIf(other -> other.is(event.event(), event.target()));
        tolerated.removeIf(other -> other.is(event.event(), event.target()));
    }

    Set<String> targets() {
        return targets;
    }

    /** What is wrong at it for a VM with these targets, as far as the VM is to be frozen for it. */
    Optional<RaisedEvent> trouble(UsedUnits used, EventTable table) {
        return raised.stream()
                .filter(event -> event.target().isEmpty() || used.uses(event.target()))
                .filter(event ->
                        !tolerated.contains(event) && table.actionFor(name, event.event()) != EventAction.LEAVE)
                .findFirst();
    }

    boolean away(UsedUnits used, EventTable table) {
        return lost && !left
                || leaving && !leavesWhenLost
                || trouble(used, table).isPresent();
    }
}
