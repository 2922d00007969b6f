package io.holdfast.agent;

import io.holdfast.agent.freeze.EventTable;
import io.holdfast.control.VmActions;
import io.holdfast.control.VmActionsTaken;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.slf4j.Logger;

/**
 * What operators of its servers want done for one VM: it goes into the VM's table, and they are answered, anew when the
 * guest has registered something that goes first. Owned by the agent's loop.
 */
final class OperatorWishes {
    /** What a server said last, and was answered. */
    private record Told(long revision, ServerWishes wishes, VmActionsTaken answer) {}

    private final VmConfig config;
    private final EventTable table;
    private final Logger log;
    private final Consumer<String> warnings;
    private final Map<String, Told> told = new LinkedHashMap<>();

    /** @param warnings gets what is refused, each once */
    OperatorWishes(VmConfig config, EventTable table, Logger log, Consumer<String> warnings) {
        this.config = config;
        this.table = table;
        this.log = log;
        this.warnings = warnings;
    }

    /**
     * A server says what its operators want, in place of what they wanted before.
     *
     * @param answer gets the answer for them
     * @return true if the table has changed
     */
    boolean registered(String server, VmActions actions, Consumer<VmActionsTaken> answer) {
        ServerWishes wishes = ServerWishes.of(actions, config);
        boolean changed = table.registeredAt(server, wishes.taken());
        Told now = new Told(actions.revision(), wishes, answer(actions.revision(), wishes));
        Told before = told.put(server, now);
        if (changed) {
            log.info(
                    "vm {}: its server's operators want {}",
                    config.name(),
                    table.operators().getOrDefault(server, List.of()));
        }
        String refused = now.answer().refused();
        if (!refused.isEmpty()
                && (before == null || !refused.equals(before.answer().refused()))) {
            warnings.accept("its server's operators want what is not done: " + refused);
        }
        answer.accept(now.answer());
        return changed;
    }

    /** The guest has registered or withdrawn something: what operators are to be told now, by server, if it is not the same. */
    Map<String, VmActionsTaken> answeredAnew() {
        Map<String, VmActionsTaken> anew = new LinkedHashMap<>();
        told.forEach((server, last) -> {
            VmActionsTaken now = answer(last.revision(), last.wishes());
            if (!now.equals(last.answer())) {
                anew.put(server, now);
            }
        });
        anew.forEach((server, now) ->
                told.computeIfPresent(server, (name, last) -> new Told(last.revision(), last.wishes(), now)));
        return anew;
    }

    private VmActionsTaken answer(long revision, ServerWishes wishes) {
        return new VmActionsTaken(
                config.name(),
                revision,
                String.join("; ", wishes.refused()),
                String.join(", ", table.overruled(wishes.taken().keySet())));
    }
}
