package io.holdfast.agent;

import io.holdfast.agent.freeze.EventAction;
import io.holdfast.agent.freeze.EventTable;
import io.holdfast.agent.freeze.VmPolicy;
import io.holdfast.control.VmActions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What operators of a server want done for a VM, judged: what is done of it, and what is not, and why. From afar only a
 * word comes, never a program: which one {@code hook} runs, and whether there is one, is up to the agent's settings.
 *
 * @param taken by event
 * @param refused for people, an event with its reason each
 */
record ServerWishes(Map<String, EventAction> taken, List<String> refused) {

    static ServerWishes of(VmActions told, VmConfig vm) {
        Map<String, EventAction> taken = new TreeMap<>();
        List<String> refused = new ArrayList<>();
        told.actions().entrySet().stream().limit(VmActions.MAX_EVENTS).forEach(wish -> {
            String event = GuestWishes.printable(wish.getKey());
            String word = GuestWishes.printable(wish.getValue());
            Optional<EventAction> action = EventAction.of(word);
            Optional<String> objection =
                    EventTable.objectionFromAfar(event, word).or(() -> action.flatMap(known -> missing(known, vm)));
            objection.ifPresentOrElse(
                    why -> refused.add(event + "=" + word + ": " + why), () -> taken.put(event, action.orElseThrow()));
        });
        if (told.actions().size() > VmActions.MAX_EVENTS) {
            refused.add(told.actions().size() + " events are registered, the limit is " + VmActions.MAX_EVENTS);
        }
        return new ServerWishes(taken, refused);
    }

    /** What the action needs of the VM's settings, and is not there. */
    private static Optional<String> missing(EventAction action, VmConfig vm) {
        return switch (action) {
            case HOOK ->
                vm.hook().isPresent() ? Optional.empty() : Optional.of("its agent's settings give it no hook=PROGRAM");
            case POWER_OFF ->
                // Ending a VM is not for afar: only where whoever runs its host wants the same.
                vm.limitMs() > 0 && vm.then() == VmPolicy.Then.POWER_OFF
                        ? Optional.empty()
                        : Optional.of("its agent's settings do not say limit=SECONDS:power-off");
            case FREEZE, LEAVE, RECLAIM, QUIESCE -> Optional.empty();
        };
    }
}
